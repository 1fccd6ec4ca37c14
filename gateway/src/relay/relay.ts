import type { ServerResponse } from "node:http";
import { blake2b256, capUnits } from "@bombyx/protocol/receipt";
import {
  BombyxError,
  type ErrorCode,
  encodeRequest,
  type LinkKind,
  linkKind,
  type RequestHead,
  requestBucketOf,
  type SealedHead,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import type { Principal } from "../accounts/accounts.ts";
import type { Purses } from "../credit/purses.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { FleetNode, NodeOffer } from "../fleet/fleet-node.ts";
import type { NodeLink } from "../fleet/node-link.ts";
import type { AttemptId, Ledger } from "../ledger/ledger.ts";
import type { Metrics } from "../metrics.ts";
import type { PriceList } from "../prices.ts";
import type { Lease } from "../scheduler/slot-queue.ts";
import { AnswerRelay } from "./answer-relay.ts";
import type { Attempt } from "./attempt.ts";
import type { Attempts } from "./attempts.ts";
import { type Comebacks, stillOpen } from "./comebacks.ts";
import type { Session, SessionTable } from "./session-table.ts";
import type { StallWatch } from "./stall-watch.ts";

export interface RelayOptions {
  readonly fleet: Fleet;
  readonly ledger: Ledger;
  readonly prices: PriceList;
  readonly purses: Purses;
  readonly sessions: SessionTable;
  readonly attempts: Attempts;
  readonly comebacks: Comebacks;
  readonly stalls: StallWatch;
  readonly metrics: Metrics;
  readonly now: () => number;
}

/** What a node says of an answer that it ended, in place of the sealed reason; anything else refuses a repetition alone. */
const endsAnswer: ReadonlySet<ErrorCode> = new Set(["NODE_FAILED", "EPOCH", "BAD_REQUEST"]);

/** A sealed request as its headers announce it; its body is still to be read. */
export interface SealedQuestion extends AttemptId {
  readonly principal: Principal;
  readonly head: SealedHead;
  /** Length of the sealed body, one of the buckets. */
  readonly sealedBytes: number;
  readonly body: () => Promise<Buffer>;
  readonly response: ServerResponse;
}

/** Takes sealed requests to nodes and sealed answers back, money first (PROTOCOL §6, ARCHITECTURE "How a question travels"). */
export class Relay {
  readonly #options: RelayOptions;
  #streams = 0;

  constructor(options: RelayOptions) {
    this.#options = options;
  }

  /** Answers being relayed now. */
  get streams(): number {
    return this.#streams;
  }

  /**
   * Reserves, reads the body, forwards it and relays the answer; resolves when the response has ended.
   * @throws BombyxError before anything was written to the response.
   */
  async ask(question: SealedQuestion): Promise<void> {
    const arrivedAt = this.#options.now();
    const { sessions, comebacks } = this.#options;
    const session = sessions.use(question.session, question.principal.account);
    const known = await this.#repeated(session, question);
    // Its node was linked to an earlier process: it will be here in a moment.
    if (!known && session.earlier && !this.#options.fleet.get(session.node)?.offered) {
      await comebacks.node(session.node, question.head.priceId);
    }
    const attempt = known ?? (await this.#admit(session, question));
    try {
      if (known && known.idempotencyId !== question.head.idempotencyId) throw alreadyUsed();
      const sealed = await this.#body(question);
      const requestHash = toHex(blake2b256(sealed));
      // What an earlier process forwarded, its node knows, and it refuses other bytes.
      if (known?.requestHash !== undefined && known.requestHash !== requestHash) throw alreadyUsed();
      if (!known) attempt.requestHash = requestHash;
      if (!known) await this.#slot(attempt, question.response);
      const { maxTokens } = question.head;
      const payload = encodeRequest({ ...requestHead(attempt), maxTokens }, sealed);
      await this.#stream(attempt, question.response, { kind: linkKind.request, from: 0, payload, arrivedAt });
    } catch (error) {
      this.#notStreamed(attempt);
      throw error;
    }
  }

  /**
   * Relays the frames of a request from index `from` on again, out of the node's buffer; also of one that an
   * earlier process took (PROTOCOL §6).
   * @throws BombyxError before anything was written to the response.
   */
  async resume(
    principal: Principal,
    { session: id, request }: AttemptId,
    from: number,
    response: ServerResponse,
  ): Promise<void> {
    const session = this.#options.sessions.use(id, principal.account);
    const payload = utf8(JSON.stringify({ session: id, request }));
    const attempt = await this.#options.comebacks.find(session, request);
    try {
      await this.#stream(attempt, response, { kind: linkKind.resume, from, payload, arrivedAt: undefined });
    } catch (error) {
      this.#notStreamed(attempt);
      throw error;
    }
  }

  /** Its node was not even asked, so nothing else will end it. */
  #notStreamed(attempt: Attempt): void {
    const { attempts } = this.#options;
    if (attempt.state === "waiting") attempts.release(attempt);
    else if (attempt.lostAt !== undefined && !attempt.relay) attempts.stillLost(attempt, attempt.lostAt);
  }

  /**
   * The attempt that a request repeats, if it does.
   * @throws BombyxError ALREADY_USED when that one ended unpaid: were it forwarded once more, its answer would be free.
   */
  async #repeated(session: Session, question: SealedQuestion): Promise<Attempt | undefined> {
    const { attempts, comebacks } = this.#options;
    if (!attempts.find(question)) return undefined;
    return await comebacks.find(session, question.request).catch((error: unknown) => {
      throw error instanceof BombyxError && error.code === "REQUEST_UNKNOWN" ? alreadyUsed() : error;
    });
  }

  /** A slot and money wait for the body: who sends it no faster than in `limits.readerStallMs` loses both. */
  async #body({ body, response }: SealedQuestion): Promise<Buffer> {
    const { stalls } = this.#options;
    const slow = { stalled: () => void response.destroy() };
    stalls.add(slow);
    try {
      return await body();
    } finally {
      stalls.delete(slow);
    }
  }

  /** Everything that can refuse a request before its body is read, and its money. */
  async #admit(session: Session, question: SealedQuestion): Promise<Attempt> {
    const { ledger, prices, attempts, now } = this.#options;
    const { head, principal, request } = question;
    const price = prices.byId(head.priceId);
    if (!price) {
      throw new BombyxError("PRICE_UNKNOWN", "This price is not offered any more; ask for candidates again.");
    }
    const { node, offer } = this.#served(session, price.model);
    const lease = this.#enter(offer);
    try {
      const bucketBytes = requestBucketOf(question.sealedBytes);
      const rates = (continuation: boolean) =>
        capUnits({ bucketBytes, maxTokens: head.maxTokens, continuation }, node.coefficient, price);
      const person = this.#options.purses.of(principal);
      const reservation = await ledger.reserve({
        session: session.id,
        request,
        account: principal.account,
        payer: principal.payer,
        ...(person && { person }),
        node: node.id,
        attestationId: session.attestationId,
        idempotencyId: head.idempotencyId,
        priceId: price.id,
        nanoPerUnit: price.nanoPerUnit,
        coefficient: node.coefficient,
        requestBytes: bucketBytes,
        capUnits: rates(false),
        continuationCapUnits: rates(true),
        ...(head.lostAttempt && { lostAttempt: head.lostAttempt }),
        at: now(),
      });
      // The same request came twice before either was reserved.
      if (attempts.find(question)) throw stillOpen();
      // It was reserved at an earlier process, and lost with it.
      if (reservation.repeated) await ledger.reopen({ session: session.id, request }, node.id);
      const attempt: Attempt = {
        session: session.id,
        request,
        of: session,
        node,
        offer,
        lease,
        price,
        coefficient: node.coefficient,
        idempotencyId: head.idempotencyId,
        maxTokens: head.maxTokens,
        capUnits: reservation.capUnits,
        continuation: reservation.continuation,
        requestHash: "",
        state: "waiting",
        relay: undefined,
        delivered: false,
        startedAt: 0,
        endedAt: 0,
      };
      attempts.add(attempt);
      return attempt;
    } catch (error) {
      lease.release();
      throw error;
    }
  }

  #served(session: Session, model: string): { node: FleetNode; offer: NodeOffer } {
    const { fleet } = this.#options;
    const node = fleet.get(session.node);
    const instead = fleet.instead(session.node, model);
    const detail = instead === undefined ? {} : { instead };
    if (!node?.link?.open)
      throw new BombyxError("NODE_OFFLINE", "The node is not connected; use another.", detail);
    if (node.draining) {
      throw new BombyxError("DRAINING", "The node finishes what it has and takes nothing new.", detail);
    }
    const offer = node.offers.get(model);
    if (!offer) throw new BombyxError("MODEL_UNKNOWN", "The node does not serve this model now.", detail);
    return { node, offer };
  }

  /** A place on the node, or whom to ask instead, or when. */
  #enter(offer: NodeOffer): Lease {
    const { fleet } = this.#options;
    const lease = offer.queue.enter();
    if (lease) return lease;
    const model = offer.model.id;
    const instead = fleet.instead(offer.node, model);
    if (instead !== undefined) {
      throw new BombyxError(
        "NODE_BUSY",
        "All slots of this node are taken and its queue is full; use another.",
        {
          instead,
        },
      );
    }
    const shortage = fleet.shortage(model, fleet.teeOf(offer.node));
    throw new BombyxError("QUEUE_FULL", `Every node that serves ${model} is full; try again later.`, {
      retryAfterMs: shortage.reason === "full" ? shortage.retryAfterMs : 1_000,
    });
  }

  /** Waits for the attempt's turn on the node, unless its client goes away first. */
  async #slot(attempt: Attempt, response: ServerResponse): Promise<void> {
    const leave = () => attempt.lease.release();
    if (response.destroyed) leave();
    response.once("close", leave);
    try {
      await attempt.lease.ready;
    } catch (error) {
      if (!(error instanceof BombyxError) || error.code !== "NODE_BUSY") throw error;
      const instead = this.#options.fleet.instead(attempt.node.id, attempt.price.model);
      throw new BombyxError("NODE_BUSY", error.message, instead === undefined ? {} : { instead });
    } finally {
      response.off("close", leave);
    }
  }

  async #stream(
    attempt: Attempt,
    response: ServerResponse,
    open: { kind: LinkKind; from: number; payload: Uint8Array; arrivedAt: number | undefined },
  ): Promise<void> {
    const { attempts, stalls, metrics, now } = this.#options;
    if (response.destroyed) throw new BombyxError("CANCELLED", "The client is gone.");
    const link = this.#link(attempt);
    const first = attempt.state === "waiting";
    const before = attempt.relay;
    before?.replace();
    const relay = new AnswerRelay({
      response,
      from: open.from,
      stalls,
      events: {
        first: () => {
          attempt.delivered = true;
          attempt.lostAt = undefined;
          if (open.arrivedAt !== undefined)
            metrics.timeToFirstFrame.observe((now() - open.arrivedAt) / 1_000);
        },
        cancelled: () => attempts.cancelled(attempt),
        failed: (error) => {
          if (attempt.lostAt !== undefined) {
            attempts.stillLost(attempt, attempt.lostAt);
            return error;
          }
          if (first || endsAnswer.has(error.code)) return attempts.failed(attempt, error);
          // Only the repetition was refused: the node may still answer the stream before it.
          before?.cancelNode();
          attempts.cancelled(attempt);
          return error;
        },
        lost: () => attempts.lost(attempt),
      },
    });
    const stream = link.start(open.kind, open.from, open.payload, relay);
    attempt.relay = relay;
    if (first) {
      attempt.state = "running";
      attempt.startedAt = now();
    }
    this.#streams++;
    try {
      relay.attach(link, stream);
      await relay.done;
    } finally {
      this.#streams--;
    }
  }

  #link(attempt: Attempt): NodeLink {
    const { link } = attempt.node;
    if (link?.open) return link;
    const instead = this.#options.fleet.instead(attempt.node.id, attempt.price.model);
    throw new BombyxError(
      "NODE_OFFLINE",
      "The node is not connected; use another.",
      instead === undefined ? {} : { instead },
    );
  }
}

const alreadyUsed = () =>
  new BombyxError("ALREADY_USED", "This request id was used for another request; take the next one.");

const requestHead = (attempt: Attempt): RequestHead => ({
  session: attempt.session,
  request: attempt.request,
  idempotencyId: attempt.idempotencyId,
  priceId: attempt.price.id,
  maxTokens: attempt.maxTokens,
  capUnits: attempt.capUnits,
  continuation: attempt.continuation,
});
