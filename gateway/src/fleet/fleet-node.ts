import type { OfferedModel } from "@bombyx/protocol/wire";
import { expectedServiceMs, nextPenalty, nextServiceMs, type Offer, remembered } from "../scheduler/offer.ts";
import { SlotQueue } from "../scheduler/slot-queue.ts";
import type { Attested } from "./attestation-intake.ts";
import type { NodeLink } from "./node-link.ts";
import type { TokenBucket } from "./token-bucket.ts";

export interface QueueLimits {
  /** Requests that may wait per slot. */
  readonly perSlot: number;
  readonly deadlineMs: number;
}

/** A paired node, linked or not; lives as long as the process, so that its record survives a reconnection. */
export class FleetNode {
  readonly id: string;
  /** The owner's account. */
  readonly owner: string;
  /** Opaque tag of the owner. */
  readonly ownerTag: string;
  readonly offers = new Map<string, NodeOffer>();
  readonly handshakes: TokenBucket;
  name = "";
  /** Ed25519 key (hex) that it proved to hold. */
  linkPk = "";
  /** The owner's machine that it is; "" for one that was removed. */
  machine = "";
  /** As it said with its id, which holds it. */
  payout = "";
  /** Price coefficient in 1/1000. */
  coefficient = 1_000;
  link: NodeLink | undefined;
  attested: Attested | undefined;
  draining = false;
  /** It was here and served in this process. */
  offered = false;
  quarantined = false;
  /** The last refusal of what it said, until it is attested: why it is quarantined, or not attested. */
  refusal: { readonly code: string; readonly message: string } | undefined;
  /** Since when it is linked, or not. */
  linkChangedAt: number;
  attestedAt = 0;
  readonly #now: () => number;
  #penalty = 1;
  #judgedAt = 0;
  /** As the node last said; more than this gateway's own share when it serves others, too. */
  load = { running: 0, queued: 0, sessions: 0 };

  constructor(
    id: string,
    owner: { account: string; tag: string },
    handshakes: TokenBucket,
    now: () => number,
  ) {
    this.#now = now;
    this.linkChangedAt = now();
    this.id = id;
    this.owner = owner.account;
    this.ownerTag = owner.tag;
    this.handshakes = handshakes;
  }

  get available(): boolean {
    return this.link?.open === true && !this.draining && !this.quarantined && this.attested !== undefined;
  }

  /** Remembers how an attempt went, for the scheduler. */
  judge(failed: boolean): void {
    this.#penalty = nextPenalty(this.penalty, failed);
    this.#judgedAt = this.#now();
  }

  /** At least 1; what failures added is forgotten with time. */
  get penalty(): number {
    return remembered(this.#penalty, 1, this.#now() - this.#judgedAt);
  }
}

/** One model on one node: the scheduler's view, and the queue for its sequences. */
export class NodeOffer implements Offer {
  readonly of: FleetNode;
  readonly queue: SlotQueue;
  model: OfferedModel;
  readonly #now: () => number;
  #serviceMs: number;
  #observedAt = 0;

  constructor(of: FleetNode, model: OfferedModel, limits: QueueLimits, now: () => number) {
    this.of = of;
    this.model = model;
    this.#now = now;
    this.#serviceMs = expectedServiceMs(model);
    this.queue = new SlotQueue({
      slots: model.slots,
      limit: model.slots * limits.perSlot,
      deadlineMs: limits.deadlineMs,
    });
  }

  get node(): string {
    return this.of.id;
  }
  get owner(): string {
    return this.of.ownerTag;
  }
  get available(): boolean {
    return this.of.available;
  }
  get validUntil(): number {
    return this.of.attested?.validUntil ?? 0;
  }
  get slots(): number {
    return this.queue.slots;
  }
  get inFlight(): number {
    return this.queue.inFlight;
  }
  get queued(): number {
    return Math.max(this.queue.queued, this.of.load.queued);
  }
  get queueLimit(): number {
    return this.queue.limit;
  }
  get serviceMs(): number {
    return remembered(this.#serviceMs, expectedServiceMs(this.model), this.#now() - this.#observedAt);
  }
  get penalty(): number {
    return this.of.penalty;
  }

  /** A request held its slot for so long. */
  observe(serviceMs: number): void {
    this.#serviceMs = nextServiceMs(this.serviceMs, serviceMs);
    this.#observedAt = this.#now();
  }
}
