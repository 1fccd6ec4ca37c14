import { BombyxError, type ErrorCode, type ReceiptDetail, type SignedReceipt } from "@bombyx/protocol/wire";
import { receiptFile } from "../receipt/own-file.ts";
import { delay } from "../session/abortable.ts";
import type { Session } from "../session/session.ts";
import type { AnswerSummary, AnswerTools, Question } from "./answer.ts";
import { Attempt } from "./attempt.ts";
import { judgeReceipt, type ReceiptJudgement, unitsOf } from "./audit.ts";
import { Delivered } from "./delivered.ts";
import { brokenOff, cancelled, lossOf } from "./loss.ts";
import { runningReceipt } from "./running-receipt.ts";

const maxLosses = 3;
/** A gateway that was restarted knows neither session nor standby, nor how the attempt before it ended. */
const maxReopens = 4;
const maxWaits = 20;
const waitMs = 200;
/** A channel that much is running on waits for its turn; half a second each. */
const maxPayments = 240;
/** A gateway that was away has its nodes back a moment after itself. */
const comebacks = 20;
const comebackMs = 500;
const comingBack = new Set<ErrorCode>(["GATEWAY_UNREACHABLE", "MODEL_UNKNOWN", "NO_CANDIDATE"]);

/** What one attempt leaves to the next: nodes to avoid, text to go on behind, what is paid. */
export class Walk {
  readonly delivered = new Delivered();
  readonly #question: Question;
  readonly #tools: AnswerTools;
  #idempotencyId: string;
  readonly #not: string[] = [];
  #instead: string | undefined;
  #manifest: string | undefined;
  #prefix: string | undefined;
  #lostAttempt: { session: string; request: number } | undefined;
  #ceilingUnits: number | undefined;
  /** Completion tokens that do not count against the maximum: they were thrown away. */
  #voidTokens = 0;
  #losses = 0;
  #reopens = 0;
  #waits = 0;
  #payments = 0;
  #comebacks = 0;
  /** A lost node's running receipt that the gateway was not there to take. */
  #owed: SignedReceipt | undefined;
  #lastError: BombyxError | undefined;
  #restart = false;
  /** Ended by a final receipt, although nobody here cancelled it. */
  #stopped: Attempt | undefined;

  constructor(question: Question, tools: AnswerTools) {
    this.#question = question;
    this.#tools = tools;
    this.#idempotencyId = tools.newId();
  }

  /** The next attempt, on the seat's session or, after a loss, on the standby. */
  async next(signal: AbortSignal): Promise<Attempt> {
    const { gateway, now, payment, tickMs, random } = this.#tools;
    const { endpoint, body, maxCostNano } = this.#question;
    try {
      let session = await this.#session(signal);
      // Of a crowd that waited for the same session, others have taken its last ids.
      while (session.requestsLeft === 0) session = await this.#session(signal);
      if (this.#owed) await this.#present(this.#owed, signal);
      const request = session.begin(now());
      try {
        const attempt = new Attempt(gateway, session, request, {
          endpoint,
          body: endpoint === "embeddings" ? body : { ...body, max_tokens: this.#tokensLeft },
          maxTokens: this.#tokensLeft,
          idempotencyId: this.#idempotencyId,
          tickMs,
          random,
          ...(this.#ceilingUnits !== undefined && {
            ceilingUnits: this.#ceilingUnits - this.delivered.units,
          }),
          ...(maxCostNano !== undefined && { mostNano: maxCostNano - this.delivered.nano }),
          ...(this.#prefix !== undefined && { prefix: this.#prefix }),
          ...(this.#lostAttempt && { lostAttempt: this.#lostAttempt }),
        });
        this.#ceilingUnits ??= attempt.terms.ceilingUnits;
        await payment?.expect(attempt.expected(now()));
        return attempt;
      } catch (error) {
        session.end(now());
        throw error;
      }
    } catch (error) {
      if (signal.aborted) throw cancelled();
      throw error instanceof BombyxError ? this.#giveUp(error) : error;
    }
  }

  /** The seat's session; after the gateway was away, its nodes are waited for. */
  async #session(signal: AbortSignal): Promise<Session> {
    const take = { not: this.#not, instead: this.#instead, manifest: this.#manifest };
    for (;;) {
      try {
        return await this.#tools.pool.take(this.#question.seat, take, signal);
      } catch (error) {
        const wasAway =
          this.#lastError?.code === "GATEWAY_UNREACHABLE" || this.#lastError?.code === "SESSION_UNKNOWN";
        const waits = error instanceof BombyxError && wasAway && comingBack.has(error.code);
        if (!waits || ++this.#comebacks > comebacks) throw error;
        await delay(comebackMs, signal);
      }
    }
  }

  /**
   * The whole answer has arrived.
   * @throws BombyxError when the node stopped because the connection was cut, not because it was done.
   */
  finish(attempt: Attempt): AnswerSummary {
    const { detail } = attempt;
    const { session } = attempt.terms;
    const judgement = judgeReceipt(attempt, detail);
    if (judgement.receipt === "verified") this.#tools.payment?.checked(judgement.signed);
    if (judgement.receipt === "invalid") {
      this.#tools.payment?.unpaid(attempt.name);
      this.#accuse(attempt, judgement.error, judgement.signed, detail);
      this.#tools.pool.drop(session);
    }
    if (detail.finishReason === "cancelled") {
      this.#stopped = attempt;
      throw new BombyxError("GATEWAY_UNREACHABLE", "The connection broke and the node stopped.");
    }
    this.delivered.charge(detail, unitsOf(attempt, detail), session);
    const file =
      judgement.receipt === "verified" ? () => receiptFile(session, judgement.signed, detail) : undefined;
    return this.#summary(attempt, detail.finishReason, judgement.receipt, file);
  }

  /**
   * Takes leave of an attempt that failed, so that {@link next} can go on.
   * @throws BombyxError when there is no going on.
   */
  async lose(attempt: Attempt, error: BombyxError, signal: AbortSignal): Promise<void> {
    const { pool, forget, emit, payment } = this.#tools;
    const { session } = attempt.terms;
    const kind = lossOf(error);
    this.#lastError = error;
    if (error.code === "VOUCHER_REQUIRED" && payment && ++this.#payments <= maxPayments) {
      payment.ended(attempt.name);
      payment.unpaid(attempt.name);
      return await payment.pay(error, signal);
    }
    if (kind === "fatal") throw this.#giveUp(error);
    if (kind === "wait") {
      if (++this.#waits > maxWaits) throw this.#giveUp(error);
      return await delay(error.retryAfterMs ?? waitMs, signal);
    }
    if (error.code === "ALREADY_USED" && error.field === "idempotencyId") {
      // The part that a cut connection left counts as an answer of its own: the rest is a new request.
      this.#idempotencyId = this.#tools.newId();
      this.#lostAttempt = undefined;
      if (++this.#reopens > maxReopens) throw this.#giveUp(error);
      return;
    }
    if (kind === "reopen") {
      pool.drop(session);
      if (error.code === "EPOCH" || error.code === "REATTEST") forget(session);
      if (!attempt.checkpoint) {
        if (++this.#reopens > maxReopens) throw this.#giveUp(error);
        return;
      }
    }
    emit({ type: "lost", node: session.node, error, midAnswer: this.delivered.any });
    await this.#settle(attempt, signal);
    if (++this.#losses >= maxLosses) throw this.#giveUp(error);
    if (kind === "elsewhere") {
      this.#not.push(session.node);
      this.#instead = error.instead;
      if (error.code !== "NODE_BUSY") pool.drop(session);
    }
    this.#continueFrom(attempt, error);
  }

  /** True once after a loss that made the collected part void. */
  takeRestart(): boolean {
    const restart = this.#restart;
    this.#restart = false;
    return restart;
  }

  /** What was delivered by a lost attempt may already be all that was asked for. */
  exhausted(attempt: Attempt): AnswerSummary | undefined {
    const spent = this.delivered.units > 0 && this.delivered.units >= (this.#ceilingUnits ?? Infinity);
    if (this.#question.endpoint === "embeddings" || (this.#tokensLeft > 0 && !spent)) return undefined;
    return this.#summary(attempt, "length", "missing");
  }

  get #tokensLeft(): number {
    const { completionTokens } = this.delivered.counts;
    return this.#question.maxTokens - (completionTokens - this.#voidTokens);
  }

  /** Presents the running receipt of a lost node: what it delivered is paid, once. */
  async #settle(attempt: Attempt, signal: AbortSignal): Promise<void> {
    const { checkpoint, terms } = attempt;
    const { session, request } = terms;
    const id = { session: session.id, request };
    if (this.#stopped === attempt) {
      const units = unitsOf(attempt, attempt.detail);
      this.delivered.charge(attempt.detail, units, session);
      if (units > 0) this.#lostAttempt = id;
      return;
    }
    // Vectors are of use only all together: what a lost node computed of them was not delivered.
    if (!checkpoint || this.#question.endpoint === "embeddings") return;
    this.#lostAttempt = id;
    let signed: SignedReceipt;
    try {
      signed = runningReceipt(terms, checkpoint);
    } catch (error) {
      if (!(error instanceof BombyxError)) throw error;
      return this.#accuse(attempt, error, undefined, undefined);
    }
    this.delivered.charge(checkpoint, signed.receipt.units, session);
    this.#tools.payment?.checked(signed);
    const refused = await this.#present(signed, signal);
    if (refused?.code === "RECEIPT_INVALID") this.#accuse(attempt, refused, undefined, undefined);
  }

  /** @returns why the gateway refused it: then it settles by what the node itself sent it. */
  async #present(signed: SignedReceipt, signal: AbortSignal): Promise<BombyxError | undefined> {
    this.#owed = undefined;
    try {
      await this.#tools.gateway.presentReceipt(signed, signal);
      return undefined;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof BombyxError)) throw error;
      if (error.code === "GATEWAY_UNREACHABLE") this.#owed = signed;
      return error;
    }
  }

  /**
   * Text goes on behind what was delivered; a node replays it through the grammar of a response_format.
   * @throws BombyxError TRUNCATED when what was delivered can neither be continued nor taken back.
   */
  #continueFrom({ terms }: Attempt, error: BombyxError): void {
    const { delivered } = this;
    if (delivered.partOfWhole) {
      if (this.#question.streamed) throw brokenOff(error);
      this.#voidTokens = delivered.counts.completionTokens;
      this.#restart = true;
      delivered.restart();
    }
    if (this.#lostAttempt === undefined && !delivered.any) return;
    if (this.#question.endpoint !== "embeddings") this.#prefix = delivered.text;
    this.#manifest = terms.session.candidate.manifest;
  }

  #summary(
    { terms }: Attempt,
    finishReason: AnswerSummary["finishReason"],
    receipt: ReceiptJudgement["receipt"],
    file?: AnswerSummary["file"],
  ): AnswerSummary {
    const { counts, nano, units } = this.delivered;
    const { node, verdict } = terms.session;
    return { counts, finishReason, costNano: nano, units, node, simulated: verdict.simulated, receipt, file };
  }

  #accuse(
    attempt: Attempt,
    error: BombyxError,
    receipt: SignedReceipt | undefined,
    detail: ReceiptDetail | undefined,
  ): void {
    this.#tools.emit({ type: "evidence", node: attempt.terms.session.node, error, receipt, detail });
  }

  #giveUp(error: BombyxError): BombyxError {
    const cause = error.code === "NO_CANDIDATE" && this.#lastError ? this.#lastError : error;
    return this.#question.streamed && this.delivered.any && cause.code !== "TRUNCATED"
      ? brokenOff(cause)
      : cause;
  }
}
