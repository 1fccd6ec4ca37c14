import {
  attestationId,
  type Bundle,
  type ChainView,
  encodeBundle,
  encodeOpenBundle,
  gpuEvidenceHash,
  type ModelManifest,
  manifestHash,
  openCommitment,
  parseBundle,
  parseOpenBundle,
  reportData,
  type Statement,
  statementBytes,
} from "@bombyx/protocol/attestation";
import { equalBytes, type KemKeyPair, newKemKeyPair, zeroKem } from "@bombyx/protocol/session";
import { BombyxError, limits, toBase64, toHex } from "@bombyx/protocol/wire";
import { type GpuFinding, type GpuGuard, statedGpu } from "../gpu/guard.ts";
import { noQuotes, type QuoteProvider, type Quotes } from "../quote/quote-provider.ts";
import { reportDataOf } from "../quote/report-data.ts";
import type { Boot } from "./boot.ts";

/** An epoch's keys and the proof that they live in this TD (PROTOCOL §2 and §3). */
export interface Epoch {
  readonly number: number;
  readonly attestationId: string;
  readonly kem: KemKeyPair;
  /** Exact bytes of the bundle to publish. */
  readonly bundle: Uint8Array;
  /** On the monotonic clock. */
  readonly startedAt: number;
}

export interface EpochSources {
  readonly boot: Boot;
  readonly manifests: readonly ModelManifest[];
  readonly quotes: Quotes;
  readonly chain: ChainView;
  readonly gpu: GpuGuard;
}

/**
 * Makes an epoch: the GPU verified anew, new keys, a statement with a fresh beacon, a quote over it, and the bundle.
 * Nothing is published that this node has not parsed and compared itself.
 * @throws BombyxError NODE_FAILED when the quote is not over our statement; GpuError; what sources throw.
 */
export async function newEpoch(
  number: number,
  sources: EpochSources,
  monotonicMs: () => number,
): Promise<Epoch> {
  const { manifests, quotes, chain } = sources;
  const startedAt = monotonicMs();
  const block = await chain.latest();
  const gpu = statedGpu(await sources.gpu.check(block.at), manifests);
  const kem = newKemKeyPair();
  try {
    const statement = statementBytes(statementOf(number, sources, kem, block, gpu));
    if (statement.length > limits.statementBytes) {
      throw new BombyxError(
        "NODE_FAILED",
        `The statement has ${statement.length} bytes, at most ${limits.statementBytes} fit; load fewer models.`,
      );
    }
    const { id, bundle } =
      quotes === noQuotes
        ? await openBundle(statement, sources, gpu)
        : await quotedBundle(statement, sources, gpu, quotes);
    return { number, attestationId: toHex(id), kem, bundle, startedAt };
  } catch (error) {
    zeroKem(kem);
    throw error;
  }
}

/** What is published of an epoch, and what it is asked for by. */
interface Published {
  readonly id: Uint8Array;
  readonly bundle: Uint8Array;
}

async function quotedBundle(
  statement: Uint8Array<ArrayBuffer>,
  { boot, manifests }: EpochSources,
  gpu: GpuFinding,
  quotes: QuoteProvider,
): Promise<Published> {
  const data = await reportData(statement);
  const quote = await quotes.quote(data);
  if (!equalBytes(reportDataOf(quote), data)) {
    throw new BombyxError(
      "NODE_FAILED",
      "The quote is not over this node's statement; it was not published.",
    );
  }
  const bundle: Bundle = {
    v: 1,
    tee: "tdx",
    quote: toBase64(quote),
    statement: toBase64(statement),
    collateral: await quotes.collateral(quote),
    link: boot.link,
    manifests: [...manifests],
    gpu: gpu.evidence && toBase64(gpu.evidence),
    release: null,
  };
  const bytes = encodeBundle(bundle);
  parseBundle(bytes);
  return { id: attestationId(data), bundle: bytes };
}

/** @throws BombyxError BAD_REQUEST for a confidential GPU: only a measured agent can speak for one */
async function openBundle(
  statement: Uint8Array<ArrayBuffer>,
  { boot, manifests }: EpochSources,
  gpu: GpuFinding,
): Promise<Published> {
  if (gpu.mode === "cc") {
    throw new BombyxError("BAD_REQUEST", "A node of the open tier takes --gpu none or plain, not cc.", {
      field: "gpu",
    });
  }
  const commitment = await openCommitment(statement);
  const bytes = encodeOpenBundle({
    v: 1,
    tee: "none",
    statement: toBase64(statement),
    statementSignature: boot.signOpenly(commitment),
    link: boot.link,
    manifests: [...manifests],
  });
  parseOpenBundle(bytes);
  return { id: attestationId(commitment), bundle: bytes };
}

function statementOf(
  epoch: number,
  { boot, manifests }: EpochSources,
  kem: KemKeyPair,
  { chain, seqno, hash }: { chain: string; seqno: number; hash: string },
  { mode, evidence }: GpuFinding,
): Statement {
  const id = toHex(kem.id);
  return {
    v: 1,
    node: boot.node,
    boot_id: toHex(boot.bootId),
    epoch,
    beacon: { chain, seqno, hash },
    challenge: null,
    kem: [
      { alg: "x25519", id, pk: toHex(kem.x25519.publicKey) },
      ...(kem.xwing ? [{ alg: "xwing" as const, id, pk: toHex(kem.xwing.publicKey) }] : []),
    ],
    sig_pk: toHex(boot.sig.publicKey),
    manifests: manifests.map(manifestHash).toSorted(),
    gpu: { mode, evidence: evidence && toHex(gpuEvidenceHash(evidence)) },
    suites: kem.xwing ? [1, 2] : [1],
  };
}
