import { type Ack, count, type NodeProofJson, nodeProofSchema } from "@bombyx/protocol/wire";
import * as z from "zod";
import type { StateDirectory } from "../state/state-directory.ts";
import { promisedNano, type SignedAck, signedAckSchema } from "./ack-cell.ts";
import { type PinnedNode, pinnedNodeSchema } from "./vault-pin.ts";

const files = { pin: "vault.json", acks: "acks.json", proofs: "proofs.json" } as const;

const evidenceFolder = "settlement";
/** Of the node's id, in the folder's name. */
const nameDigits = 16;

/** Nodes of a state folder that a vault was pinned for. */
export async function keptNodes(
  root: StateDirectory,
): Promise<{ pin: PinnedNode; evidence: KeptEvidence }[]> {
  const kept = await Promise.all(
    (await root.names(evidenceFolder)).map((name) => KeptEvidence.open(root, name)),
  );
  return kept.flatMap((evidence) => (evidence.pin ? [{ pin: evidence.pin, evidence }] : []));
}

const acksSchema = z.strictObject({
  v: z.literal(1),
  /** All that the gateway ever acknowledged: the owner's proof. */
  last: signedAckSchema,
  /** The best for each epoch that is not settled, oldest first. */
  promises: z.array(signedAckSchema),
});

const proofsSchema = z.strictObject({
  v: z.literal(1),
  /** In a root that the chain showed as final: what is claimed with. */
  final: nodeProofSchema.optional(),
  /** When it was first seen to be final, ms of the chain's time. */
  finalAt: count.optional(),
  /** Of roots that are pending or not on chain yet, newest last. */
  pushed: z.array(nodeProofSchema),
});

/** Roots that wait for the chain: more than these the gateway has no reason to send. */
const pushedMost = 4;
/** Epochs with an open promise. */
const promisesMost = 64;

/**
 * What a node can prove by itself, on disk before anybody is told: which vault pays it, what the gateway signed, and its
 * leaves. None of it is secret.
 */
export class KeptEvidence {
  readonly #state: StateDirectory;
  #pin: PinnedNode | undefined;
  #acks: z.infer<typeof acksSchema> | undefined;
  #proofs: z.infer<typeof proofsSchema>;

  private constructor(
    state: StateDirectory,
    pin: PinnedNode | undefined,
    acks: z.infer<typeof acksSchema> | undefined,
    proofs: z.infer<typeof proofsSchema>,
  ) {
    this.#state = state;
    this.#pin = pin;
    this.#acks = acks;
    this.#proofs = proofs;
  }

  /**
   * What is kept of one node: another wallet is another node, whose earnings are another account's.
   * @throws BombyxError INTERNAL when a file is damaged: money hangs on it, so nothing is guessed.
   */
  static async open(root: StateDirectory, node: string): Promise<KeptEvidence> {
    const state = await root.folder(evidenceFolder, node.slice(0, nameDigits));
    const [pin, acks, proofs] = await Promise.all([
      state.read(files.pin, pinnedNodeSchema),
      state.read(files.acks, acksSchema),
      state.read(files.proofs, proofsSchema),
    ]);
    return new KeptEvidence(state, pin, acks, proofs ?? { v: 1, pushed: [] });
  }

  get pin(): PinnedNode | undefined {
    return this.#pin;
  }

  get lastAck(): Ack | undefined {
    return this.#acks?.last.ack;
  }

  /** Every Ack that can still be held against a root. */
  get acks(): readonly SignedAck[] {
    return this.#acks ? [...this.#acks.promises, this.#acks.last] : [];
  }

  get finalProof(): NodeProofJson | undefined {
    return this.#proofs.final;
  }

  get finalAt(): number | undefined {
    return this.#proofs.finalAt;
  }

  get pushedProofs(): readonly NodeProofJson[] {
    return this.#proofs.pushed;
  }

  async keepPin(pin: PinnedNode): Promise<void> {
    this.#pin = pin;
    await this.#state.keep(files.pin, pin);
  }

  /** Resolves when it, or a newer one, is on disk. */
  async keepAck(signed: SignedAck): Promise<void> {
    const others = (this.#acks?.promises ?? []).filter(({ ack }) => ack.epoch !== signed.ack.epoch);
    const best = this.#acks?.promises.find(({ ack }) => ack.epoch === signed.ack.epoch);
    const better = best && promisedNano(best.ack) > promisedNano(signed.ack) ? best : signed;
    const promises = [...others, better].sort((a, b) => a.ack.epoch - b.ack.epoch).slice(-promisesMost);
    this.#acks = { v: 1, last: signed, promises };
    await this.#state.keep(files.acks, this.#acks);
  }

  /** A proof that folds; what it is worth the chain decides later. */
  async keepProof(proof: NodeProofJson): Promise<void> {
    const same = JSON.stringify(proof.root);
    const others = this.#proofs.pushed.filter(({ root }) => JSON.stringify(root) !== same);
    this.#proofs = { ...this.#proofs, pushed: [...others, proof].slice(-pushedMost) };
    await this.#state.keep(files.proofs, this.#proofs);
  }

  /** The chain showed this proof's root as final; promises that it keeps are settled. */
  async keepFinal(proof: NodeProofJson, at: number): Promise<void> {
    const { epoch } = proof.root;
    const pushed = this.#proofs.pushed.filter(({ root }) => root.epoch > epoch);
    this.#proofs = { v: 1, final: proof, finalAt: at, pushed };
    await this.#state.keep(files.proofs, this.#proofs);
    if (!this.#acks) return;
    const earned = BigInt(proof.leaf.earnedNano);
    const promises = this.#acks.promises.filter(({ ack }) => ack.epoch > epoch || promisedNano(ack) > earned);
    if (promises.length === this.#acks.promises.length) return;
    this.#acks = { ...this.#acks, promises };
    await this.#state.keep(files.acks, this.#acks);
  }

  /** Resolves when everything is on disk. @throws what the disk says. */
  flushed(): Promise<void> {
    return this.#state.flushed();
  }
}
