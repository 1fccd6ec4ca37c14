import {
  AttestationError,
  type AttestationPolicy,
  appraise,
  appraiseOpen,
  type ChainView,
  claimsOpenTier,
  demandRegistered,
  manifestHash,
  type OpenPolicy,
  type Registered,
  type Registry,
} from "@bombyx/protocol/attestation";
import { BombyxError, fromHex, limits, toHex } from "@bombyx/protocol/wire";
import type { Bundles } from "../store/store.ts";
import type { StoredMemory } from "./stored-memory.ts";

/** What stands behind a node: a hardware quote, or (the open tier) nothing but its owner's word. */
export type Tee = "tdx" | "none";

/** What the gateway knows of a node whose bundle it accepted. */
export interface Attested {
  readonly tee: Tee;
  readonly attestationId: string;
  /** Names of the attested models by manifest hash. */
  readonly models: ReadonlyMap<string, string>;
  readonly validUntil: number;
  /** Its root is not Intel's. */
  readonly simulated: boolean;
  /** What deny-lists may name; nobody knows the machine of a node of the open tier. */
  readonly registered?: Registered;
}

/** Whose receipts an attestation's key signs. */
export interface Signer {
  readonly node: string;
  readonly sigPk: Uint8Array;
}

export interface AttestationIntakeOptions {
  readonly policy: AttestationPolicy;
  /** Admits nodes of the open tier, for clients that ask for it. @default they are refused */
  readonly openTier?: OpenPolicy | undefined;
  readonly chain: ChainView;
  /** Lists of machines, releases and deny-lists, where the policy asks for them. */
  readonly registry?: Registry | undefined;
  /** Makes a rollback visible: collateral comes from nodes, and yesterday's is as well signed as today's. */
  readonly memory: StoredMemory;
  readonly bundles: Bundles;
  readonly now: () => number;
}

/** Receipt keys kept at hand; older ones are read from the store again. */
const rememberedKeys = 10_000;

/**
 * Appraises bundles under the gateway's own policy. Nobody trusts the gateway for it: it only keeps
 * the fleet's candidates from being refused by every client, and knows whose receipts it settles.
 */
export class AttestationIntake {
  readonly #options: AttestationIntakeOptions;
  readonly #keys = new Map<string, Signer>();

  constructor(options: AttestationIntakeOptions) {
    this.#options = options;
  }

  /**
   * Judges a node's bundle and keeps its exact bytes under its attestation id.
   * @throws AttestationError with the step that refused.
   */
  async accept(node: string, bundle: Uint8Array): Promise<Attested> {
    if (bundle.length > limits.bundleBytes) {
      throw new BombyxError(
        "BODY_TOO_LARGE",
        `A bundle has at most ${limits.bundleBytes} bytes; this one has ${bundle.length}.`,
      );
    }
    const { policy, openTier, chain, registry, memory, bundles, now } = this.#options;
    // Read before the appraisal's instant: lists of the future would be none. What is wrong with them, it says itself.
    await registry?.lists().catch(() => undefined);
    const expect = { node };
    const verdict =
      openTier && claimsOpenTier(bundle)
        ? await appraiseOpen({ bundle, policy: openTier, chain, now: now(), expect })
        : await appraise({
            bundle,
            policy,
            chain,
            memory: memory.memory,
            ...(registry && { registry }),
            now: now(),
            expect,
          });
    await memory.kept();
    const attestationId = verdict.attestationId;
    const acceptedAt = now();
    await bundles.put({
      attestationId,
      node,
      sigPk: toHex(verdict.sigPk),
      bytes: bundle,
      acceptedAt,
      validUntil: verdict.validUntil,
    });
    this.#remember(attestationId, node, verdict.sigPk);
    return {
      tee: verdict.tee,
      attestationId,
      models: new Map(verdict.manifests.map((manifest) => [manifestHash(manifest), manifest.model])),
      validUntil: verdict.validUntil,
      simulated: verdict.simulated,
      ...(verdict.tee === "tdx" && {
        registered: {
          platformId: verdict.platformId,
          imageHash: verdict.imageHash,
          bootId: verdict.statement.boot_id,
        },
      }),
    };
  }

  /**
   * Asks the lists again (PROTOCOL §4 step 11): they may have changed since a node was accepted.
   * @returns who is not admitted any more, and why; nobody when the lists cannot be had, for whose sake nobody is
   * turned away who was let in.
   */
  async denied<Node extends { readonly attested: Attested | undefined }>(
    nodes: Iterable<Node>,
  ): Promise<readonly { node: Node; error: AttestationError }[]> {
    const { policy, registry, now } = this.#options;
    if (policy.registry === "none" || !registry) return [];
    const lists = await registry.lists();
    const found: { node: Node; error: AttestationError }[] = [];
    for (const node of nodes) {
      if (!node.attested?.registered) continue;
      try {
        demandRegistered(node.attested.registered, lists, now());
      } catch (error) {
        if (!(error instanceof AttestationError)) throw error;
        if (error.reason !== "REGISTRY_AGE") found.push({ node, error });
      }
    }
    return found;
  }

  /** Exact bytes of an accepted bundle. */
  async bundle(attestationId: string): Promise<Uint8Array | undefined> {
    return (await this.#options.bundles.get(attestationId))?.bytes;
  }

  /** Who signs receipts under an attestation that this process has seen. */
  knownSigner(attestationId: string): Signer | undefined {
    return this.#keys.get(attestationId);
  }

  /** The same for one that was accepted before a restart. */
  async storedSigner(attestationId: string): Promise<Signer | undefined> {
    const stored = await this.#options.bundles.get(attestationId);
    if (!stored) return undefined;
    return this.#remember(attestationId, stored.node, fromHex(stored.sigPk));
  }

  #remember(attestationId: string, node: string, sigPk: Uint8Array): Signer {
    const signer = { node, sigPk };
    this.#keys.set(attestationId, signer);
    for (const oldest of this.#keys.keys()) {
      if (this.#keys.size <= rememberedKeys) break;
      this.#keys.delete(oldest);
    }
    return signer;
  }
}
