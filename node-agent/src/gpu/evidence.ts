import { createHash, timingSafeEqual, verify, type X509Certificate } from "node:crypto";
import { concat, toBase64, utf8 } from "@bombyx/protocol/wire";
import { verifyDeviceChain } from "./device-chain.ts";
import { demandGpu } from "./error.ts";
import { parseSpdmReport, type SpdmReport } from "./spdm-report.ts";

/** What one GPU says of itself. */
export interface GpuEvidence {
  /** SPDM GET_MEASUREMENTS request ‖ response. */
  readonly report: Uint8Array;
  /** DER, the signing certificate first, the root last. */
  readonly chain: readonly Uint8Array[];
}

export interface VerifiedGpu {
  readonly report: SpdmReport;
  readonly leaf: X509Certificate;
}

export interface GpuExpectation {
  /** 32 bytes. */
  readonly nonce: Uint8Array;
  /** Hex of the SHA-256 of the pinned root's DER. */
  readonly rootSha256: string;
  /** ms since epoch. */
  readonly now: number;
}

/** All GPUs' evidence together; a bundle of 256 KB must hold it in base64 beside quote and collateral. */
const evidenceBytesMax = 128 * 1024;

/** PROTOCOL §3: SHA-256("bombyx/gpu/v1\0" ‖ boot_id ‖ sig_pk), so that evidence speaks for one boot of one node. */
export const gpuNonce = (bootId: Uint8Array, sigPk: Uint8Array): Uint8Array =>
  createHash("sha256")
    .update(concat(utf8("bombyx/gpu/v1\0"), bootId, sigPk))
    .digest();

/**
 * Verifies one GPU's evidence: it answers this nonce, and a key that NVIDIA certified signed it.
 * Its measurements are not compared with NVIDIA's reference manifests.
 * @throws GpuError by what is wrong; see node-agent/README.md
 */
export function verifyGpuEvidence(evidence: GpuEvidence, expected: GpuExpectation): VerifiedGpu {
  const report = parseSpdmReport(evidence.report);
  demandGpu(
    timingSafeEqual(report.nonce, expected.nonce),
    "GPU_NONCE",
    "The GPU's report answers another nonce: it is of another boot or another node.",
  );
  const leaf = verifyDeviceChain(evidence.chain, expected.rootSha256, expected.now);
  demandGpu(
    verify("sha384", report.signed, { key: leaf.publicKey, dsaEncoding: "ieee-p1363" }, report.signature),
    "GPU_SIGNATURE",
    "The GPU's report is not signed by the key of its certificate.",
  );
  demandGpu(
    report.firmwareId === undefined || names(leaf, report.firmwareId),
    "GPU_FIRMWARE_ID",
    "The GPU's certificate names another firmware than its report.",
  );
  return { report, leaf };
}

/** OID 2.23.133.5.4.1 (TCG DICE TcbInfo, or CompositeDeviceID as NVIDIA encodes it) in DER. */
const diceOid = Uint8Array.of(0x06, 0x06, 0x67, 0x81, 0x05, 0x05, 0x04, 0x01);

/** Whether the certificate's DICE extension ends in this firmware digest, as NVIDIA's do. */
function names(leaf: X509Certificate, firmwareId: Uint8Array): boolean {
  const at = leaf.raw.indexOf(diceOid);
  const digest = concat(Uint8Array.of(0x04, firmwareId.length), firmwareId);
  return firmwareId.length === 48 && at !== -1 && leaf.raw.indexOf(digest, at) !== -1;
}

/**
 * The bytes whose digest a statement names and which travel in the bundle.
 * @throws GpuError GPU_EVIDENCE_TOO_LARGE
 */
export function encodeGpuEvidence(gpus: readonly GpuEvidence[]): Uint8Array {
  const bytes = utf8(
    JSON.stringify({
      v: 1,
      gpus: gpus.map(({ report, chain }) => ({ report: toBase64(report), chain: chain.map(toBase64) })),
    }),
  );
  demandGpu(
    bytes.length <= evidenceBytesMax,
    "GPU_EVIDENCE_TOO_LARGE",
    `The evidence of ${gpus.length} GPUs has ${bytes.length} bytes; at most ${evidenceBytesMax} fit into a bundle.`,
  );
  return bytes;
}
