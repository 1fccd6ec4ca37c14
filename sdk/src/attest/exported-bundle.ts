import { type Bundle, encodeBundle, parseBundle, refusal } from "@bombyx/protocol/attestation";
import { fromBase64, fromUtf8, utf8 } from "@bombyx/protocol/wire";
import * as z from "zod";

/** What a proof sheet's share button writes: the exact bytes of the bundle, and when this client checked it. */
const exportSchema = z.strictObject({
  v: z.literal(1),
  kind: z.literal("bombyx-proof"),
  /** ms since epoch. */
  checkedAt: z.int().nonnegative(),
  /** Base64 of the exact bytes. */
  bundle: z.base64(),
});
export type ExportedProof = z.infer<typeof exportSchema>;

/**
 * The file of a share button, JSON.
 * @param bundle the exact bytes that were judged
 * @param checkedAt ms since epoch
 */
export function exportProof(bundle: Uint8Array, checkedAt: number): string {
  let binary = "";
  for (const byte of bundle) binary += String.fromCharCode(byte);
  const proof: ExportedProof = { v: 1, kind: "bombyx-proof", checkedAt, bundle: btoa(binary) };
  return JSON.stringify(proof);
}

/**
 * Reads a bundle as the gateway serves it, or as {@link exportProof} wrote it.
 * @throws AttestationError of step "parse"
 */
export function readExported(bytes: Uint8Array): { bundle: Bundle; checkedAt: number | undefined } {
  let value: unknown;
  try {
    value = JSON.parse(fromUtf8(bytes));
  } catch (cause) {
    throw refusal("BUNDLE_JSON", "The bundle is not JSON.", cause);
  }
  const proof = exportSchema.safeParse(value);
  if (proof.success)
    return { bundle: parseBundle(fromBase64(proof.data.bundle)), checkedAt: proof.data.checkedAt };
  // A line end that an editor added says nothing about the bundle.
  const text = fromUtf8(bytes).trimEnd();
  const bundle = parseBundle(utf8(text));
  return { bundle: parseBundle(encodeBundle(bundle)), checkedAt: undefined };
}
