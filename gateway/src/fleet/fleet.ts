import { limits, type OfferedModel } from "@bombyx/protocol/wire";
import { pick, shortage } from "../scheduler/pick.ts";
import type { Attested, Tee } from "./attestation-intake.ts";
import { FleetNode, NodeOffer, type QueueLimits } from "./fleet-node.ts";
import type { NodeLink } from "./node-link.ts";
import { TokenBucket } from "./token-bucket.ts";

export interface FleetOptions {
  readonly queue: QueueLimits;
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Opaque tag of an owner's account. */
  readonly ownerTag: (account: string) => string;
  /** Told after each change of a node. */
  readonly onChange?: (node: FleetNode, change: FleetChange) => void;
}

export type FleetChange = "online" | "attested" | "offline" | "quarantined" | "refused" | "removed";

/** Every paired node this process has seen, and who serves which model now. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #nodes = new Map<string, FleetNode>();
  readonly #byModel = new Map<string, NodeOffer[]>();
  /** Who waits for a node's offers, by node. */
  readonly #awaited = new Map<string, Set<() => void>>();
  #removals = 0;

  constructor(options: FleetOptions) {
    this.#options = options;
  }

  get(node: string): FleetNode | undefined {
    return this.#nodes.get(node);
  }

  get size(): number {
    return this.#nodes.size;
  }

  /** Every node that was linked since this process started. */
  all(): Iterable<FleetNode> {
    return this.#nodes.values();
  }

  /** Nodes with an open link. */
  *linked(): Generator<FleetNode & { link: NodeLink }> {
    for (const node of this.#nodes.values()) {
      if (node.link) yield node as FleetNode & { link: NodeLink };
    }
  }

  /** How often a node was removed or quarantined: who looked a node up before the last time looks again. */
  get removals(): number {
    return this.#removals;
  }

  /** A node's new link takes the place of its old one. */
  connect(
    record: {
      node: string;
      linkPk: string;
      owner: string;
      payout: string;
      machine?: string;
      name?: string;
    },
    hello: { name: string; coefficient: number },
    link: NodeLink,
  ): FleetNode {
    let node = this.#nodes.get(record.node);
    // Paired anew with another account: nothing of its former owner's goes with it.
    if (node && node.owner !== record.owner) {
      this.#unlist(node);
      node.link?.terminate();
      node = undefined;
    }
    if (!node) {
      node = new FleetNode(
        record.node,
        { account: record.owner, tag: this.#options.ownerTag(record.owner) },
        new TokenBucket(limits.handshakesPerSecondPerLink, this.#options.now()),
        this.#options.now,
      );
      this.#nodes.set(record.node, node);
    }
    const old = node.link;
    node.link = link;
    node.name = record.name ?? printable(hello.name, record.node);
    node.machine = record.machine ?? "";
    node.linkPk = record.linkPk;
    // Whoever is kept out does not get here.
    node.quarantined = false;
    node.payout = record.payout;
    node.linkChangedAt = this.#options.now();
    node.coefficient = hello.coefficient;
    node.draining = false;
    node.attested = undefined;
    this.#unlist(node);
    old?.terminate();
    this.#options.onChange?.(node, "online");
    return node;
  }

  /** Forgets a closed link, unless another has taken its place. */
  disconnect(node: FleetNode, link: NodeLink): void {
    if (node.link !== link) return;
    node.link = undefined;
    node.attested = undefined;
    node.linkChangedAt = this.#options.now();
    this.#unlist(node);
    this.#options.onChange?.(node, "offline");
  }

  attest(node: FleetNode, attested: Attested): void {
    const first = node.attested === undefined;
    node.attested = attested;
    node.refusal = undefined;
    if (first) node.attestedAt = this.#options.now();
    // A model that the new statement does not name is not attested any more.
    for (const offer of [...node.offers.values()]) {
      if (!attested.models.has(offer.model.manifest)) this.#remove(offer);
    }
    if (first) this.#options.onChange?.(node, "attested");
  }

  /**
   * Lists what a node serves from now on, in place of what it served before.
   * @returns models that were left out, because the node's statement does not name their manifest.
   */
  offer(node: FleetNode, models: readonly OfferedModel[]): string[] {
    const leftOut: string[] = [];
    const wanted = new Set<string>();
    for (const model of models) {
      if (node.attested?.models.get(model.manifest) !== model.id) {
        leftOut.push(model.id);
        continue;
      }
      wanted.add(model.id);
      const listed = node.offers.get(model.id);
      if (listed) {
        listed.model = model;
        listed.queue.slots = model.slots;
        continue;
      }
      const offer = new NodeOffer(node, model, this.#options.queue, this.#options.now);
      node.offers.set(model.id, offer);
      const offers = this.#byModel.get(model.id);
      if (offers) offers.push(offer);
      else this.#byModel.set(model.id, [offer]);
    }
    for (const offer of [...node.offers.values()]) {
      if (!wanted.has(offer.model.id)) this.#remove(offer);
    }
    node.offered = true;
    for (const look of this.#awaited.get(node.id) ?? []) look();
    return leftOut;
  }

  /**
   * The offer of a node that is wanted, as soon as the node is linked and makes it; undefined when that takes
   * longer than `withinMs`.
   */
  awaitOffer(
    node: string,
    wanted: (offer: NodeOffer) => boolean,
    withinMs: number,
  ): Promise<NodeOffer | undefined> {
    const find = () => {
      const there = this.#nodes.get(node);
      return there?.link?.open ? there.offers.values().find(wanted) : undefined;
    };
    const there = find();
    if (there) return Promise.resolve(there);
    const { promise, resolve } = Promise.withResolvers<NodeOffer | undefined>();
    const looking = this.#awaited.get(node) ?? new Set();
    this.#awaited.set(node, looking);
    const end = (offer?: NodeOffer) => {
      clearTimeout(timeout);
      looking.delete(look);
      if (looking.size === 0 && this.#awaited.get(node) === looking) this.#awaited.delete(node);
      resolve(offer);
    };
    const look = () => {
      const offer = find();
      if (offer) end(offer);
    };
    looking.add(look);
    const timeout = setTimeout(end, withinMs);
    return promise;
  }

  quarantine(node: FleetNode, reason: string): void {
    node.quarantined = true;
    this.#removals++;
    node.refusal = { code: "QUARANTINED", message: reason };
    node.link?.refuse("QUARANTINED", reason, true);
    this.#options.onChange?.(node, "quarantined");
  }

  /** It was let in, and would not be now. */
  deny(node: FleetNode, code: string, message: string): void {
    this.refused(node, code, message);
    node.link?.refuse(code, message, true);
  }

  /** Its link is being closed for what it said: the owner is told why. */
  refused(node: FleetNode, code: string, message: string): void {
    if (node.quarantined) return;
    node.refusal = { code, message };
    this.#options.onChange?.(node, "refused");
  }

  /** Its owner removed it: its link ends, and what runs there is answered by others. */
  remove(id: string, refusal: { code: string; message: string }): void {
    this.#removals++;
    const node = this.#nodes.get(id);
    if (!node) return;
    this.#nodes.delete(id);
    this.#unlist(node);
    const { link } = node;
    node.link = undefined;
    node.attested = undefined;
    link?.refuse(refusal.code, refusal.message, true);
    this.#options.onChange?.(node, "removed");
  }

  /** Models with at least one node now, and every offer of each. */
  models(): ReadonlyMap<string, readonly NodeOffer[]> {
    return this.#byModel;
  }

  /** Up to five offers of one tier for a model, best first: never a mixture. */
  candidates(model: string, tee: Tee, not?: ReadonlySet<string>): NodeOffer[] {
    const { now, random } = this.#options;
    return pick(ofTier(this.#byModel.get(model) ?? [], tee), { now: now(), random, ...(not && { not }) });
  }

  /** Why {@link candidates} found nobody. */
  shortage(model: string, tee: Tee, not?: ReadonlySet<string>): ReturnType<typeof shortage> {
    const offers = ofTier(this.#byModel.get(model) ?? [], tee);
    return shortage(not ? offers.filter((offer) => !not.has(offer.node)) : offers, this.#options.now());
  }

  /** The node to use in place of `node`, if there is one. */
  instead(node: string, model: string): string | undefined {
    return this.candidates(model, this.teeOf(node), new Set([node]))[0]?.node;
  }

  /** The tier of a node, by what it last published. */
  teeOf(node: string): Tee {
    return this.#nodes.get(node)?.attested?.tee ?? "tdx";
  }

  #unlist(node: FleetNode): void {
    for (const offer of [...node.offers.values()]) this.#remove(offer);
  }

  #remove(offer: NodeOffer): void {
    const model = offer.model.id;
    offer.of.offers.delete(model);
    const offers = this.#byModel.get(model);
    const at = offers?.indexOf(offer) ?? -1;
    if (!offers || at < 0) return;
    const last = offers.pop();
    if (last && last !== offer) offers[at] = last;
    if (offers.length === 0) this.#byModel.delete(model);
  }
}

/** Of a tier: an offer is listed only while its node is attested. */
export const ofTier = <T extends { readonly of: { readonly attested: Attested | undefined } }>(
  offers: readonly T[],
  tee: Tee,
): T[] => offers.filter(({ of }) => of.attested?.tee === tee);

/** A node names itself, and everybody sees it: without control characters, and nothing that turns text around. */
const printable = (name: string, node: string): string =>
  name.replace(/[\p{C}\u2028\u2029]/gu, "").trim() || `node-${node.slice(0, 6)}`;
