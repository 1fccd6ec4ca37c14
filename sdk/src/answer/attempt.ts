import {
  AnswerOpener,
  FramesHash,
  requestBucketOf,
  requestHash,
  sealRequest,
} from "@bombyx/protocol/session";
import {
  type AnswerDelta,
  BombyxError,
  bucketFor,
  EnvelopeReader,
  envelopeKind,
  errorBodySchema,
  fromUtf8,
  limits,
  type ReceiptDetail,
  type SealedHead,
  type SealedRequest,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import type { Gateway } from "../gateway/gateway.ts";
import { refusal } from "../gateway/refusal.ts";
import type { ExpectedCharge } from "../payment/signer-state.ts";
import type { ChargeName } from "../payment/voucher-signer.ts";
import { delay } from "../session/abortable.ts";
import type { Session } from "../session/session.ts";
import { PartsReader } from "./parts.ts";
import { type Checkpoint, capOf, type RequestTerms } from "./running-receipt.ts";

export interface AttemptOrder {
  readonly endpoint: SealedRequest["endpoint"];
  readonly body: Readonly<Record<string, unknown>>;
  readonly maxTokens: number;
  readonly idempotencyId: string;
  readonly tickMs: 0 | 80;
  /** Left out: the cap, which is what the request can cost at most. */
  readonly ceilingUnits?: number;
  /** nanoTON that this attempt may cost; the ceiling is never above it. */
  readonly mostNano?: bigint;
  readonly prefix?: string;
  readonly lostAttempt?: { readonly session: string; readonly request: number };
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export type AttemptEvent =
  /** The node has the request and answers. */
  { readonly type: "accepted" } | { readonly type: "delta"; readonly delta: AnswerDelta };

/** Waits before asking a gateway again that does not answer. */
const reconnectMs: readonly number[] = [0, 150, 600, 2_000];
/**
 * The same in the middle of an answer: its node goes on for half a minute without a gateway, and whoever starts
 * the gateway again needs some of it. 28 s in all, as pauses go.
 */
const resumeMs: readonly number[] = [0, 150, 350, 500, ...Array<number>(36).fill(1_000)];
/** Cuts in a row without a new frame in between. */
const fruitlessCuts = 2;
/** A stream without a frame for this long is cut; with tick 0 a long prefill is silent. */
const stallMs = { 80: 15_000, 0: 90_000 } as const;
/** Receipt and end of the body follow the last frame; nobody waits longer for them. */
const endWaitMs = 2_000;

/** One request in one session: seal, post, open frames; ask again for frames when the connection is cut. */
export class Attempt {
  readonly terms: RequestTerms;
  readonly #gateway: Gateway;
  readonly #head: SealedHead;
  readonly #sealed: Uint8Array;
  readonly #stallMs: number;
  readonly #random: () => number;
  readonly #opener: AnswerOpener;
  readonly #parts = new PartsReader();
  readonly #hash = new FramesHash();
  #checkpoint: Checkpoint | undefined;
  #receipt: unknown;
  #detail: ReceiptDetail | undefined;

  constructor(gateway: Gateway, session: Session, request: number, order: AttemptOrder) {
    const { idempotencyId, tickMs } = order;
    const declared = bucketFor(order.maxTokens, limits.maxTokensBuckets);
    const content: SealedRequest = {
      endpoint: order.endpoint,
      body: { ...order.body },
      idempotencyId,
      priceId: session.price.id,
      coefficient: session.candidate.coefficient,
      ceilingUnits: order.ceilingUnits ?? Number.MAX_SAFE_INTEGER,
      tickMs,
      ...(order.prefix !== undefined && { prefix: order.prefix }),
    };
    if (order.ceilingUnits === undefined) content.ceilingUnits = defaultCeiling(content, session, declared);
    if (order.mostNano !== undefined) limitCost(content, order.mostNano, session);
    this.#sealed = sealRequest(session.keys, request, utf8(JSON.stringify(content)));
    this.terms = {
      session,
      request,
      idempotencyId,
      ceilingUnits: content.ceilingUnits,
      bucketBytes: requestBucketOf(this.#sealed.length),
      declaredMaxTokens: declared,
      requestHash: requestHash(this.#sealed),
    };
    this.#head = {
      idempotencyId,
      priceId: session.price.id,
      maxTokens: declared,
      ...(order.lostAttempt && { lostAttempt: { ...order.lostAttempt } }),
    };
    this.#gateway = gateway;
    this.#stallMs = stallMs[tickMs];
    this.#random = order.random;
    this.#opener = new AnswerOpener(session.keys, request);
  }

  /** The last count that the node signed; undefined when it delivered nothing. */
  get checkpoint(): Checkpoint | undefined {
    return this.#checkpoint;
  }

  /** The sealed detail. @throws RangeError before the answer is whole. */
  get detail(): ReceiptDetail {
    if (!this.#detail) throw new RangeError("the answer is not whole yet");
    return this.#detail;
  }

  get name(): ChargeName {
    return { session: this.terms.session.id, request: this.terms.request };
  }

  /** What its receipt must say to be paid. */
  expected(at: number): ExpectedCharge {
    const { session, idempotencyId, ceilingUnits, requestHash: sent } = this.terms;
    const { candidate, price, verdict } = session;
    return {
      ...this.name,
      attestationId: candidate.attestationId,
      sigPk: toHex(verdict.sigPk),
      idempotencyId,
      priceId: price.id,
      nanoPerUnit: price.nanoPerUnit.toString(),
      coefficient: candidate.coefficient,
      ceilingUnits,
      requestHash: toHex(sent),
      at,
    };
  }

  /** The last clear receipt, as it came. */
  get receipt(): unknown {
    return this.#receipt;
  }

  get frames(): number {
    return this.#opener.frames;
  }

  get framesHash(): Uint8Array {
    return this.#hash.digest;
  }

  /**
   * The answer; when it ends, {@link detail} is there. Ending the generator or aborting closes the request, which
   * cancels it at the node.
   * @throws BombyxError: what the gateway or the node refused with; TRUNCATED when the stream is lost.
   */
  async *run(signal: AbortSignal): AsyncGenerator<AttemptEvent> {
    const { session, request } = this.terms;
    let cuts = 0;
    let ask = (connection: AbortSignal) =>
      this.#gateway.ask(session.id, request, this.#head, this.#sealed, connection);
    while (!this.#opener.final) {
      if (cuts > fruitlessCuts) this.#opener.end();
      const before = this.#opener.frames;
      const connection = new Connection(signal, this.#stallMs);
      try {
        const waits = this.#opener.frames > 0 ? resumeMs : reconnectMs;
        yield* this.#read(await this.#reconnecting(() => ask(connection.signal), waits, signal), connection);
      } finally {
        connection.close();
      }
      cuts = this.#opener.frames > before ? 0 : cuts + 1;
      ask = (again) => this.#gateway.resume(session.id, request, this.#opener.frames, again);
    }
    this.#detail = this.#parts.end();
  }

  /** Repeats a lost exchange: the same request id and bytes are answered with the same frames (§6). */
  async #reconnecting<T>(
    exchange: () => Promise<T>,
    waits: readonly number[],
    signal: AbortSignal,
  ): Promise<T> {
    for (const [index, ms] of waits.entries()) {
      // Half of it by chance: a gateway's clients do not come back in step.
      if (ms > 0) await delay(ms * (0.5 + this.#random() / 2), signal);
      try {
        return await exchange();
      } catch (error) {
        signal.throwIfAborted();
        const unreachable = error instanceof BombyxError && error.code === "GATEWAY_UNREACHABLE";
        if (!unreachable || index === waits.length - 1) throw error;
      }
    }
    throw new RangeError("unreachable: the last exchange returns or throws");
  }

  /** Returns when the stream is over or cut. A body that was read to its end leaves the connection for the next. */
  async *#read(body: ReadableStream<Uint8Array>, connection: Connection): AsyncGenerator<AttemptEvent> {
    const envelopes = new EnvelopeReader();
    const reader = body.getReader();
    // Not every fetch ends a body with its signal; this ends the reading with any.
    connection.signal.addEventListener("abort", () => void reader.cancel().catch(() => undefined));
    for (;;) {
      const chunk = await connection.next(reader);
      if (!chunk) return;
      for (const { kind, payload } of envelopes.push(chunk)) {
        if (kind === envelopeKind.sealed) yield* this.#frame(payload, connection);
        else if (kind === envelopeKind.receipt) this.#receipt = parseJson(payload);
        else if (!this.#opener.final) throw failure(payload);
      }
    }
  }

  *#frame(sealed: Uint8Array, connection: Connection): Generator<AttemptEvent> {
    const framesBefore = this.#opener.frames;
    const hashBefore = this.#hash.digest;
    const { parts, final } = this.#opener.open(sealed);
    this.#hash.push(sealed);
    const { deltas, checkpoint } = this.#parts.push(parts);
    if (checkpoint) this.#checkpoint = { ...checkpoint, frames: framesBefore, framesHash: hashBefore };
    if (final) connection.stallMs = endWaitMs;
    if (framesBefore === 0) yield { type: "accepted" };
    for (const delta of deltas) yield { type: "delta", delta };
  }
}

/** One HTTP exchange: closed with its owner, or when nothing arrives for too long. */
class Connection {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  readonly #owner: AbortSignal;
  stallMs: number;

  constructor(owner: AbortSignal, stallMs: number) {
    this.#owner = owner;
    this.signal = AbortSignal.any([owner, this.#controller.signal]);
    this.stallMs = stallMs;
  }

  /** `undefined` when the body is over, cut or stalled. @throws the owner's reason when it aborted. */
  async next(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array | undefined> {
    this.#owner.throwIfAborted();
    const stalled = setTimeout(() => this.close(), this.stallMs);
    const chunk = await reader.read().catch(() => undefined);
    clearTimeout(stalled);
    this.#owner.throwIfAborted();
    return chunk?.value;
  }

  close(): void {
    this.#controller.abort();
  }
}

/** @throws BombyxError CAP when it pays for not one unit */
function limitCost(content: SealedRequest, mostNano: bigint, { price }: Session): void {
  if (price.nanoPerUnit === 0n) return;
  const units = mostNano / price.nanoPerUnit;
  if (units < 1n) {
    throw new BombyxError(
      "CAP",
      `${mostNano} nanoTON pay for no unit of this model, which costs ${price.nanoPerUnit}; raise max_cost_nano.`,
      { field: "max_cost_nano" },
    );
  }
  if (units < BigInt(content.ceilingUnits)) content.ceilingUnits = Number(units);
}

function defaultCeiling(content: SealedRequest, session: Session, declaredMaxTokens: number): number {
  const bytes = utf8(JSON.stringify(content)).length + 1;
  const bucketBytes = bucketFor(
    Math.min(bytes, limits.requestBuckets.at(-1) ?? bytes),
    limits.requestBuckets,
  );
  return capOf({ session, bucketBytes, declaredMaxTokens }, false);
}

function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(fromUtf8(payload));
  } catch {
    return undefined;
  }
}

function failure(payload: Uint8Array): BombyxError {
  const parsed = errorBodySchema.safeParse({ error: parseJson(payload) });
  if (!parsed.success) {
    return new BombyxError("NODE_OFFLINE", "The stream ended with a failure that gives no reason.");
  }
  return refusal(parsed.data.error);
}
