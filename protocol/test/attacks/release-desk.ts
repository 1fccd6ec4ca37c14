import {
  cachedRegistry,
  manifestHash,
  type Registry,
  type ReleaseManifest,
  releaseBytes,
  releaseHash,
  releaseManifestBytes,
  type SignedRelease,
} from "../../src/attestation/index.ts";
import { type KeyPair, newSigningKeyPair, sign } from "../../src/session/index.ts";
import { fromBase64, toBase64, toHex } from "../../src/wire/index.ts";
import { dayMs, type Ground, manifest, now } from "./ground.ts";

export interface RegistryChange {
  readonly releases?: readonly string[];
  readonly minReleaseVersion?: number;
  readonly platforms?: Readonly<Record<string, "datacentre" | "home">>;
  readonly denied?: Readonly<Record<string, readonly string[]>>;
}

/** Three release keys, what they sign, and a registry that lists it. */
export class ReleaseDesk {
  readonly keys: readonly [KeyPair, KeyPair, KeyPair];
  readonly #ground: Ground;
  readonly #platformId: string;

  private constructor(ground: Ground, platformId: string) {
    this.keys = [newSigningKeyPair(), newSigningKeyPair(), newSigningKeyPair()];
    this.#ground = ground;
    this.#platformId = platformId;
  }

  static async open(ground: Ground): Promise<ReleaseDesk> {
    return new ReleaseDesk(ground, (await ground.verify()).platformId);
  }

  /** The policy fields under which rows come from this desk's releases. */
  get policy() {
    const release = { threshold: 2, keys: this.keys.map(({ publicKey }) => toHex(publicKey)) };
    return { rows: [], release, registry: "required" as const };
  }

  sign(
    change: Partial<ReleaseManifest> = {},
    by: readonly KeyPair[] = this.keys.slice(0, 2),
    bytes: Uint8Array = this.manifest(change),
  ): SignedRelease {
    return {
      manifest: toBase64(bytes),
      signatures: by.map(({ publicKey, privateKey }) => ({
        key: toHex(publicKey),
        signature: toHex(sign(releaseBytes(bytes), privateKey)),
      })),
    };
  }

  manifest(change: Partial<ReleaseManifest> = {}): Uint8Array {
    return releaseManifestBytes({
      v: 1,
      version: 7,
      notAfter: now + 30 * dayMs,
      floors: { tcbEvaluation: 18, crlNumber: 1 },
      rows: [this.#ground.world.row],
      models: [manifestHash(manifest)],
      ...change,
    });
  }

  /** A registry that lists `signed` and this world's machine, read just now. */
  registry(signed: SignedRelease, change: RegistryChange = {}, readAt = now): Registry {
    const document = {
      v: 1,
      releases: [releaseHash(fromBase64(signed.manifest))],
      minReleaseVersion: 7,
      platforms: { [this.#platformId]: "datacentre" },
      ...change,
      denied: { platforms: [], images: [], bootIds: [], ...change.denied },
    };
    return cachedRegistry(
      async () => document,
      () => readAt,
    );
  }
}
