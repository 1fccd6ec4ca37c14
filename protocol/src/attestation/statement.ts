import * as z from "zod";
import { canonicalBytes } from "../receipt/canonical.ts";
import { blake2b256 } from "../session/sodium.ts";
import { concat, count, hex, toHex, u64be, utf8 } from "../wire/encoding.ts";

/** PROTOCOL §3: what report_data commits to. Canonical JSON, integers only, ≤ 4096 bytes. */
export const statementSchema = z.strictObject({
  v: z.literal(1),
  node: hex.b32,
  boot_id: hex.b16,
  epoch: count,
  beacon: z.strictObject({ chain: z.string().min(1).max(32), seqno: count, hash: hex.b32 }),
  challenge: hex.b32.nullable(),
  kem: z
    .array(
      z.discriminatedUnion("alg", [
        z.strictObject({ alg: z.literal("x25519"), id: hex.b8, pk: hex.b32 }),
        z.strictObject({
          alg: z.literal("xwing"),
          id: hex.b8,
          pk: z.string().regex(/^[0-9a-f]{2432}$/, "expected 1216 bytes as lower-case hex"),
        }),
      ]),
    )
    .min(1)
    .max(2),
  sig_pk: hex.b32,
  /** Hashes of the loaded model manifests, sorted. */
  manifests: z.array(hex.b32).max(32),
  gpu: z.strictObject({ mode: z.enum(["none", "cc", "plain"]), evidence: hex.b32.nullable() }),
  suites: z.array(z.union([z.literal(1), z.literal(2)])).min(1),
});
export type Statement = z.infer<typeof statementSchema>;

/** A model manifest: what exactly answers under a model's name. Its hash is BLAKE2b-256 of its canonical JSON under a domain. */
export const modelManifestSchema = z.strictObject({
  v: z.literal(1),
  /** Model id as clients name it. */
  model: z.string().min(1).max(128),
  ggufSha256: hex.b32,
  engine: z.string().max(128),
  chatTemplateHash: hex.b32,
  contextTokens: count,
  /** Sampler defaults, in 1/1000 because a manifest holds integers only. */
  sampler: z.strictObject({ temperatureMilli: count, topPMilli: count, topK: count }),
  kvTypes: z.strictObject({ k: z.string(), v: z.string() }),
  adapters: z.array(z.never()).length(0),
  draftModel: hex.b32.nullable(),
  engineFlags: z.array(z.string()),
});
export type ModelManifest = z.infer<typeof modelManifestSchema>;

export const statementBytes = (statement: Statement): Uint8Array<ArrayBuffer> => canonicalBytes(statement);

/** 64 bytes: SHA-512("bombyx/attestation/v1\0" ‖ u64be(length) ‖ statement). */
export async function reportData(statement: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const input = concat(utf8("bombyx/attestation/v1\0"), u64be(statement.length), statement);
  return new Uint8Array(await crypto.subtle.digest("SHA-512", input));
}

/**
 * 64 bytes: SHA-512("bombyx/open/v1\0" ‖ u64be(length) ‖ statement), in the open tier's place of report_data; another
 * domain, so that one statement has another attestation id in each tier.
 */
export async function openCommitment(statement: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const input = concat(utf8("bombyx/open/v1\0"), u64be(statement.length), statement);
  return new Uint8Array(await crypto.subtle.digest("SHA-512", input));
}

/** What `link` signs in the open tier: "bombyx/open-statement/v1\0" ‖ {@link openCommitment}. */
export const openStatementBytes = (commitment: Uint8Array): Uint8Array<ArrayBuffer> =>
  concat(utf8("bombyx/open-statement/v1\0"), commitment);

/** 32 bytes: BLAKE2b-256("bombyx/att-id/v1\0" ‖ report_data). */
export const attestationId = (reportData64: Uint8Array): Uint8Array =>
  blake2b256(utf8("bombyx/att-id/v1\0"), reportData64);

/** 32 bytes: BLAKE2b-256("bombyx/node/v1\0" ‖ link_pk ‖ u64be(length) ‖ payout address). */
export function nodeId(linkPk: Uint8Array, payout: string): Uint8Array {
  const address = utf8(payout);
  return blake2b256(utf8("bombyx/node/v1\0"), linkPk, u64be(address.length), address);
}

/** Hex of BLAKE2b-256("bombyx/manifest/v1\0" ‖ u64be(length) ‖ canonical JSON). */
export function manifestHash(manifest: ModelManifest): string {
  const bytes = canonicalBytes(manifest);
  return toHex(blake2b256(utf8("bombyx/manifest/v1\0"), u64be(bytes.length), bytes));
}

/** What `link` signs at boot: "bombyx/boot/v1\0" ‖ boot_id (16) ‖ sig_pk (32). */
export const bootBinding = (bootId: Uint8Array, sigPk: Uint8Array): Uint8Array<ArrayBuffer> =>
  concat(utf8("bombyx/boot/v1\0"), bootId, sigPk);

/** What `gpu.evidence` names: BLAKE2b-256("bombyx/gpu-evidence/v1\0" ‖ u64be(length) ‖ evidence), 32 bytes. */
export const gpuEvidenceHash = (evidence: Uint8Array): Uint8Array =>
  blake2b256(utf8("bombyx/gpu-evidence/v1\0"), u64be(evidence.length), evidence);
