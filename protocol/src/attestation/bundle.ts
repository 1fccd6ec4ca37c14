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

const linkSchema = z.strictObject({
  linkPk: hex.b32,
  payout: z.string().min(1).max(128),
  signature: hex.b64,
});
/** The owner's link key, and what it signed at boot. */
export type Link = z.infer<typeof linkSchema>;

/** PROTOCOL §3. Served by the gateway, trusted by nobody, immutable under its attestation id. */
export const bundleSchema = z.strictObject({
  v: z.literal(1),
  tee: z.literal("tdx"),
  quote: base64,
  /** The exact statement bytes. */
  statement: base64,
  collateral: collateralSchema,
  link: linkSchema,
  /** Documents that the statement names by hash travel with it. */
  manifests: z.array(modelManifestSchema).max(32),
  /** NVIDIA evidence, base64, or null when `gpu.mode` is not `cc`. */
  gpu: base64.nullable(),
  /** Signed release manifest; null until there is a release. */
  release: signedReleaseSchema.nullable(),
});
export type Bundle = z.infer<typeof bundleSchema>;

/**
 * The open tier (PROTOCOL §3): no quote, only the link key's word for the statement. What is sealed to its keys, the
 * owner of that computer can read. Another document than a {@link Bundle}, so that nothing reads one as the other.
 */
export const openBundleSchema = z.strictObject({
  v: z.literal(1),
  tee: z.literal("none"),
  statement: base64,
  /** Of the link key, over `openStatementBytes`. */
  statementSignature: hex.b64,
  link: linkSchema,
  manifests: z.array(modelManifestSchema).max(32),
});
export type OpenBundle = z.infer<typeof openBundleSchema>;

export const encodeOpenBundle = (bundle: OpenBundle): Uint8Array<ArrayBuffer> =>
  canonicalBytes(openBundleSchema.parse(bundle));

/** The bytes of a bundle as nodes publish them: canonical JSON (RFC 8785). */
export const encodeBundle = (bundle: Bundle): Uint8Array<ArrayBuffer> =>
  canonicalBytes(bundleSchema.parse(bundle));

/**
 * Reads the exact bytes of a bundle. They must be its canonical JSON, so there is one encoding of a
 * bundle: no duplicate keys, no white space, nothing behind it; and every field its one spelling.
 * @throws AttestationError BUNDLE_TOO_LARGE, BUNDLE_JSON, BUNDLE_FIELD; TEE for one of the open tier
 */
export const parseBundle = (bytes: Uint8Array): Bundle => read(bytes, "tdx", bundleSchema);

/** The same for one of the open tier. @throws AttestationError as {@link parseBundle}; TEE for one with a quote */
export const parseOpenBundle = (bytes: Uint8Array): OpenBundle => read(bytes, "none", openBundleSchema);

/**
 * Whether a bundle, of a length that its caller has checked, calls itself one of the open tier. It may be none at all.
 * @throws AttestationError BUNDLE_JSON
 */
export const claimsOpenTier = (bytes: Uint8Array): boolean => teeOf(parseCanonical(bytes)) === "none";

function read<T>(bytes: Uint8Array, tee: Tee, schema: z.ZodType<T>): T {
  demand(
    bytes.length <= limits.bundleBytes,
    "BUNDLE_TOO_LARGE",
    `The bundle has ${bytes.length} bytes; at most ${limits.bundleBytes} are read.`,
  );
  const value = parseCanonical(bytes);
  const claimed = teeOf(value);
  demand(claimed === undefined || claimed === tee, "TEE", otherTee[tee]);
  const parsed = schema.safeParse(value);
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

type Tee = "tdx" | "none";

/** Why a bundle of the other kind is refused, by the kind that was wanted. */
const otherTee: Readonly<Record<Tee, string>> = {
  tdx: "The node is of the open tier: its owner can read what it is sent, and this policy does not admit that.",
  none: "The node has a hardware quote, and this policy admits the open tier alone.",
};

const teeSchema = z.object({ tee: z.enum(["tdx", "none"]) });

/** @returns undefined when it claims neither, which its schema refuses */
function teeOf(value: unknown): Tee | undefined {
  const parsed = teeSchema.safeParse(value);
  return parsed.success ? parsed.data.tee : undefined;
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
