import { BombyxError } from "@bombyx/protocol/wire";
import type { Fleet } from "../fleet/fleet.ts";
import type { NodeOffer } from "../fleet/fleet-node.ts";
import type { AttemptRecord, Ledger } from "../ledger/ledger.ts";
import type { PriceList } from "../prices.ts";
import type { Attempt } from "./attempt.ts";
import type { Attempts } from "./attempts.ts";
import type { Session } from "./session-table.ts";

/** A gateway that was started anew has its nodes back a moment later; a client waits for its node so long. */
const comebackMs = 10_000;

export interface ComebacksOptions {
  readonly fleet: Fleet;
  readonly ledger: Pick<Ledger, "attemptOf" | "receiptOf" | "reopen">;
  readonly prices: PriceList;
  readonly attempts: Attempts;
}

/**
 * Attempts that go on after they were lost to a gateway: their node kept the frames (PROTOCOL §6), the ledger
 * their terms and their money. What was already paid for is only shown again.
 */
export class Comebacks {
  readonly #options: ComebacksOptions;

  constructor(options: ComebacksOptions) {
    this.#options = options;
  }

  /**
   * The attempt whose frames are asked for again.
   * @throws BombyxError REQUEST_UNKNOWN (never made, or ended unpaid), FORBIDDEN, ATTEMPT_OPEN (its body is still
   * being read), NODE_OFFLINE (its node is not back in time).
   */
  async find(session: Session, request: number): Promise<Attempt> {
    const { ledger, attempts } = this.#options;
    const id = { session: session.id, request };
    const here = attempts.find(id);
    if (here?.state === "waiting") throw stillOpen();
    if (here && here.state !== "ended") return here;

    const record = await ledger.attemptOf(id);
    if (!record || record.state === "released") throw unknown();
    if (record.state === "open") {
      const running = attempts.find(id);
      if (running && running.state !== "ended") return running;
      throw stillOpen();
    }
    if (record.account !== session.account || record.node !== session.node) {
      throw new BombyxError("FORBIDDEN", "An answer is shown to the account that asked.");
    }
    // Settled by a running receipt, it was paid for a part: the frames behind it would be free.
    if (record.state === "settled" && (await ledger.receiptOf(id))?.receipt.finish === "running")
      throw unknown();
    const offer = await this.node(session.node, record.priceId);
    const lostAt = record.state === "settled" ? undefined : await ledger.reopen(id, session.node);

    // Another connection of the same client may have been quicker.
    const now = attempts.find(id);
    if (now && now.state !== "ended") return now;
    if (record.state === "settled") {
      if (now) return now;
      const past = this.#from(record, session, offer, "ended");
      attempts.addEnded(past);
      return past;
    }
    // A receipt, or the sweep, ended it meanwhile.
    if (lostAt === undefined) return await this.find(session, request);
    const attempt = this.#from(record, session, offer, "running");
    attempt.requestHash = now?.requestHash;
    attempt.lostAt = lostAt;
    attempts.add(attempt);
    return attempt;
  }

  /** The node's offer at this price; waited for. @throws BombyxError NODE_OFFLINE. */
  async node(node: string, priceId: string): Promise<NodeOffer> {
    const { fleet, prices } = this.#options;
    const atPrice = ({ model }: NodeOffer) => prices.for(model.id).id === priceId;
    const offer = await fleet.awaitOffer(node, atPrice, comebackMs);
    if (offer) return offer;
    const model = prices.byId(priceId)?.model;
    const instead = model === undefined ? undefined : fleet.instead(node, model);
    throw new BombyxError(
      "NODE_OFFLINE",
      "The node is not connected; use another.",
      instead === undefined ? {} : { instead },
    );
  }

  #from(record: AttemptRecord, session: Session, offer: NodeOffer, state: "running" | "ended"): Attempt {
    const { session: id, request, idempotencyId, coefficient, continuation, at } = record;
    return {
      session: id,
      request,
      of: session,
      node: offer.of,
      offer,
      lease: state === "running" ? offer.queue.hold() : { ready: Promise.resolve(), release: () => {} },
      price: this.#options.prices.for(offer.model.id),
      coefficient,
      idempotencyId,
      // Known to the node, which got them once.
      maxTokens: 0,
      requestHash: undefined,
      capUnits: continuation ? record.continuationCapUnits : record.capUnits,
      continuation,
      state,
      relay: undefined,
      // An earlier process may have delivered any part of it: it is never let go unpaid.
      delivered: true,
      startedAt: at,
      endedAt: 0,
    };
  }
}

export const stillOpen = () =>
  new BombyxError("ATTEMPT_OPEN", "This request is on its way already; wait for its answer.", {
    retryAfterMs: 1_000,
  });

const unknown = () => new BombyxError("REQUEST_UNKNOWN", "Nothing is kept of this request; ask anew.");
