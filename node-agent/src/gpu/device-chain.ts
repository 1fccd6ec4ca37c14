import { createHash, timingSafeEqual, X509Certificate } from "node:crypto";
import { fromHex } from "@bombyx/protocol/wire";
import { demandGpu, GpuError } from "./error.ts";

/**
 * SHA-256 of the DER of "NVIDIA Device Identity CA" (P-384, from 2021-11-05), which NVIDIA publishes in
 * NVIDIA/nvtrust and at which the chain of every Hopper and Blackwell GPU ends.
 */
export const nvidiaDeviceRoot = "102bf659d5419614c9d8e6aecebc80454eb26b1df6a769ac720b9a690b167b48";

const certificatesMax = 8;
const certificateBytesMax = 8 * 1024;

/**
 * Verifies a device's certificates, the signing one first and the root last.
 * @param rootSha256 hex of the SHA-256 of the pinned root's DER
 * @param now ms since epoch
 * @returns the certificate whose key signs reports
 * @throws GpuError GPU_TIME, GPU_CHAIN_FORMAT, GPU_CHAIN_ROOT, GPU_CHAIN_ISSUER, GPU_CHAIN_EXPIRED
 */
export function verifyDeviceChain(
  chain: readonly Uint8Array[],
  rootSha256: string,
  now: number,
): X509Certificate {
  // Year 2020 and 2100: seconds given for milliseconds fall outside.
  demandGpu(now > 1_577_836_800_000 && now < 4_102_444_800_000, "GPU_TIME", `${now} is no time in ms.`);
  const certificates = readChain(chain);
  const [leaf] = certificates;
  const root = certificates.at(-1);
  if (leaf === undefined || root === undefined) throw malformed("it is empty");
  demandGpu(
    timingSafeEqual(createHash("sha256").update(root.raw).digest(), fromHex(rootSha256)),
    "GPU_CHAIN_ROOT",
    "The GPU's certificates do not end at the pinned root: this is no NVIDIA GPU, or a later root.",
  );
  for (const [i, certificate] of certificates.entries()) {
    assertIssued(certificate, certificates[i + 1] ?? root);
    demandGpu(
      now >= certificate.validFromDate.getTime() && now <= certificate.validToDate.getTime(),
      "GPU_CHAIN_EXPIRED",
      `The GPU's certificate "${nameOf(certificate)}" is valid from ${certificate.validFrom} to ${certificate.validTo} only.`,
    );
  }
  if (leaf.ca) throw new GpuError("GPU_CHAIN_ISSUER", "The certificate that signs the report is a CA's.");
  return leaf;
}

function readChain(chain: readonly Uint8Array[]): X509Certificate[] {
  if (chain.length < 2 || chain.length > certificatesMax) {
    throw malformed(`it has ${chain.length} certificates; 2 to ${certificatesMax} are read`);
  }
  return chain.map((der, i) => {
    if (der.length > certificateBytesMax) throw malformed(`certificate ${i} has ${der.length} bytes`);
    const certificate = parse(der, i);
    // What follows the certificate in its bytes would be neither signed nor read.
    if (certificate.raw.length !== der.length) throw malformed(`something stands behind certificate ${i}`);
    if (certificate.publicKey.asymmetricKeyDetails?.namedCurve !== "secp384r1") {
      throw malformed(`certificate ${i} has no P-384 key`);
    }
    return certificate;
  });
}

function parse(der: Uint8Array, i: number): X509Certificate {
  try {
    const certificate = new X509Certificate(der);
    void certificate.publicKey;
    return certificate;
  } catch (error) {
    throw malformed(`certificate ${i} is none`, error);
  }
}

function assertIssued(certificate: X509Certificate, issuer: X509Certificate): void {
  demandGpu(
    issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey),
    "GPU_CHAIN_ISSUER",
    `The GPU's certificate "${nameOf(certificate)}" was not issued by "${nameOf(issuer)}", or that is no CA.`,
  );
}

/** The common name, cut; a foreign certificate may hold anything. */
const nameOf = ({ subject }: X509Certificate): string =>
  (subject.match(/CN=(.*)/)?.[1] ?? "without a name").replaceAll(/[^\x20-\x7e]/g, "?").slice(0, 64);

const malformed = (why: string, cause?: unknown): GpuError =>
  new GpuError("GPU_CHAIN_FORMAT", `The GPU's certificate chain cannot be read: ${why}.`, cause);
