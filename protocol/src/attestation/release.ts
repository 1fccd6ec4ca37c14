import * as z from "zod";
import { canonicalBytes } from "../receipt/canonical.ts";
import { verifySignature } from "../session/signing.ts";
import { blake2b256, equalBytes } from "../session/sodium.ts";
import {
  base64,
  concat,
  count,
  fromBase64,
  fromHex,
  fromUtf8,
  hex,
  toHex,
  u64be,
  utf8,
} from "../wire/encoding.ts";
import { demand, refusal } from "./error.ts";
import { type MeasurementRow, measurementRowSchema, type ReleaseKeys } from "./policy.ts";
import type { RegistryState } from "./registry.ts";

/** What the release keys sign (PROTOCOL §4 step 8). */
export const releaseManifestSchema = z.strictObject({
  v: z.literal(1),
  version: count,
  /** ms since epoch; refused from then on. */
  notAfter: count,
  floors: z.strictObject({ tcbEvaluation: count, crlNumber: count }),
  rows: z.array(measurementRowSchema).min(1).max(64),
  /** Hashes of the model manifests that these images may load; empty for any. */
  models: z.array(hex.b32).max(1_024),
});
export type ReleaseManifest = z.infer<typeof releaseManifestSchema>;

/** As it travels in a bundle: the exact bytes, and signatures over them. */
export const signedReleaseSchema = z.strictObject({
  manifest: base64,
  signatures: z.array(z.strictObject({ key: hex.b32, signature: hex.b64 })).max(8),
});
export type SignedRelease = z.infer<typeof signedReleaseSchema>;

/** "bombyx/release/v1\0" ‖ u64be(length) ‖ manifest: what is signed and hashed. */
export const releaseBytes = (manifest: Uint8Array): Uint8Array<ArrayBuffer> =>
  concat(utf8("bombyx/release/v1\0"), u64be(manifest.length), manifest);

/** BLAKE2b-256 of {@link releaseBytes}, lower-case hex: how the registry names a release. */
export const releaseHash = (manifest: Uint8Array): string => toHex(blake2b256(releaseBytes(manifest)));

export const releaseManifestBytes = (manifest: ReleaseManifest): Uint8Array<ArrayBuffer> =>
  canonicalBytes(releaseManifestSchema.parse(manifest));

export interface ReleaseJudgement {
  readonly keys: ReleaseKeys;
  /** The lists of step 11; a release must be on them. */
  readonly registry: RegistryState;
  /** Highest version that this client has accepted from these keys. */
  readonly seenVersion: number;
  readonly now: number;
}

/**
 * PROTOCOL §4 step 8, first half: the release that a bundle carries is genuine, current and registered.
 * @throws AttestationError of step "measurement"
 */
export function verifyRelease(
  signed: SignedRelease | null,
  { keys, registry, seenVersion, now }: ReleaseJudgement,
): ReleaseManifest {
  if (signed === null)
    throw refusal("RELEASE_MISSING", "The bundle carries no release that could name its measurements.");
  const bytes = fromBase64(signed.manifest);
  const good = new Set(
    signed.signatures
      .filter(
        ({ key, signature }) =>
          keys.keys.includes(key) && verifySignature(fromHex(signature), releaseBytes(bytes), fromHex(key)),
      )
      .map(({ key }) => key),
  );
  demand(
    good.size >= keys.threshold,
    "RELEASE_SIGNATURES",
    `The release is signed by ${good.size} of the release keys; ${keys.threshold} must sign.`,
  );
  const manifest = parseManifest(bytes);
  demand(
    registry.releases.includes(releaseHash(bytes)),
    "RELEASE_UNREGISTERED",
    "The release is signed, but the registry does not list it.",
  );
  demand(
    manifest.version >= registry.minReleaseVersion && manifest.version >= seenVersion,
    "RELEASE_ROLLBACK",
    `The release has version ${manifest.version}, older than the registry or this device still accepts.`,
  );
  demand(
    now < manifest.notAfter,
    "RELEASE_EXPIRED",
    "The release is past its last day; the node must run a newer one.",
  );
  return manifest;
}

function parseManifest(bytes: Uint8Array): ReleaseManifest {
  try {
    const value: unknown = JSON.parse(fromUtf8(bytes));
    if (!equalBytes(canonicalBytes(value), bytes)) throw new RangeError("not canonical JSON");
    return releaseManifestSchema.parse(value);
  } catch (cause) {
    throw refusal("RELEASE_FORMAT", "The release manifest is not canonical JSON of version 1.", cause);
  }
}

/** How memory names a set of release keys. */
export const releaseKeysId = ({ keys }: ReleaseKeys): string => [...keys].sort().join(",");

/** The row whose registers are all those of `measured`; never a mixture. */
export function findRow(
  rows: readonly MeasurementRow[],
  measured: Pick<MeasurementRow, "mrtd" | "rtmr0" | "rtmr1" | "rtmr2" | "rtmr3">,
): MeasurementRow | undefined {
  const { mrtd, rtmr0, rtmr1, rtmr2, rtmr3 } = measured;
  return rows.find(
    (row) =>
      row.mrtd === mrtd &&
      row.rtmr0 === rtmr0 &&
      row.rtmr1 === rtmr1 &&
      row.rtmr2 === rtmr2 &&
      row.rtmr3 === rtmr3,
  );
}
