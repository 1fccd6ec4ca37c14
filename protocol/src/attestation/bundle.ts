import * as z from "zod";
import { canonicalBytes } from "../receipt/canonical.ts";
import { base64, fromUtf8, hex } from "../wire/encoding.ts";
import { limits } from "../wire/limits.ts";
import { demand, refusal } from "./error.ts";
import { signedReleaseSchema } from "./release.ts";
import { modelManifestSchema } from "./statement.ts";

/** Collateral in the JSON form that dcap-qvl uses: nine strings. */
export const collateralSchema = z.strictObject({
  pck_crl_issuer_chain: z.string(),
  root_ca_crl: z.string(),
  pck_crl: z.string(),
  tcb_info_issuer_chain: z.string(),
  tcb_info: z.string(),
  tcb_info_signature: z.string(),
  qe_identity_issuer_chain: z.string(),
  qe_identity: z.string(),
  qe_identity_signature: z.string(),
});
export type Collateral = z.infer<typeof collateralSchema>;

/** PROTOCOL §3. Served by the gateway, trusted by nobody, immutable under its attestation id. */
export const bundleSchema = z.strictObject({
  v: z.literal(1),
  tee: z.literal("tdx"),
  quote: base64,
  /** The exact statement bytes. */
  statement: base64,
  collateral: collateralSchema,
  link: z.strictObject({ linkPk: hex.b32, payout: z.string().min(1).max(128), signature: hex.b64 }),
  /** Documents that the statement names by hash travel with it. */
  manifests: z.array(modelManifestSchema).max(32),
  /** NVIDIA evidence, base64, or null when `gpu.mode` is not `cc`. */
  gpu: base64.nullable(),
  /** Signed release manifest; null until there is a release. */
  release: signedReleaseSchema.nullable(),
});
export type Bundle = z.infer<typeof bundleSchema>;

/** The bytes of a bundle as nodes publish them: canonical JSON (RFC 8785). */
export const encodeBundle = (bundle: Bundle): Uint8Array<ArrayBuffer> =>
  canonicalBytes(bundleSchema.parse(bundle));

/**
 * Reads the exact bytes of a bundle. They must be its canonical JSON, so there is one encoding of a
 * bundle: no duplicate keys, no white space, nothing behind it; and every field its one spelling.
 * @throws AttestationError BUNDLE_TOO_LARGE, BUNDLE_JSON, BUNDLE_FIELD
 */
export function parseBundle(bytes: Uint8Array): Bundle {
  demand(
    bytes.length <= limits.bundleBytes,
    "BUNDLE_TOO_LARGE",
    `The bundle has ${bytes.length} bytes; at most ${limits.bundleBytes} are read.`,
  );
  const value = parseCanonical(bytes);
  const parsed = bundleSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw refusal(
      "BUNDLE_FIELD",
      `The bundle's field "${issue?.path.join(".")}" is wrong: ${issue?.message}.`,
      parsed.error,
    );
  }
  return parsed.data;
}

function parseCanonical(bytes: Uint8Array): unknown {
  let value: unknown;
  let canonical: Uint8Array;
  try {
    value = JSON.parse(fromUtf8(bytes));
    canonical = canonicalBytes(value);
  } catch (cause) {
    throw refusal("BUNDLE_JSON", "The bundle is not JSON.", cause);
  }
  demand(
    canonical.length === bytes.length && canonical.every((byte, i) => byte === bytes[i]),
    "BUNDLE_JSON",
    "The bundle is not canonical JSON (RFC 8785): no duplicate keys, no white space, keys in order.",
  );
  return value;
}
