import { randomBytes, type SessionKeys } from "@bombyx/protocol/session";
import { type BombyxError, limits, type Receipt, type SignedReceipt, toHex } from "@bombyx/protocol/wire";
import type { Clock } from "../clock.ts";
import type { EngineCounts, EngineProgress, EngineResult } from "../engine/engine.ts";
import { AnswerFrames, countsOf, type Ending } from "./answer-frames.ts";
import { type Budget, completionTokensMax } from "./budget.ts";
import type { Meter } from "./meter.ts";
import type { Attachment, Outlet, ReceiptSink } from "./outlet.ts";
import { clearError } from "./sealed-error.ts";

/** A cancelled engine answers within this; else its last progress counts. */
const cancelMs = 1_000;

export interface AnswerOptions {
  readonly keys: SessionKeys;
  readonly request: number;
  readonly tickMs: 0 | 80;
  /** Absent for a request that is refused: it costs nothing. */
  readonly billing: { readonly meter: Meter; readonly budget: Budget } | undefined;
  readonly clock: Clock;
  readonly receipts: ReceiptSink;
  /** Once, when the last frame is sealed. */
  readonly onFinal: (answer: Answer) => void;
}

/**
 * One answer from acceptance to FINAL (PROTOCOL §6): takes deltas from the engine, seals a frame per
 * tick, stays within the reader's window, keeps frames for resumption, and ends with its receipt.
 */
export class Answer {
  readonly #options: AnswerOptions;
  readonly #frames: AnswerFrames;
  readonly #generation = new AbortController();
  #outlet: Outlet | undefined;
  /** Next frame for the outlet. */
  #next = 0;
  /** Frames that the relay has written to the client. */
  #written = 0;
  #generated: EngineCounts = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 };
  #completionTokensMax: number | undefined;
  /** Why we stopped the engine. */
  #stopped: "length" | "cancelled" | undefined;
  /** Nobody reads: frames are sealed for a later resumption only. */
  #abandoned = false;
  #receipt: SignedReceipt | undefined;
  #receiptKept = false;
  #flushing = false;
  readonly #cancelTick: () => void;
  #cancelStall: (() => void) | undefined;
  #cancelDeadline: () => void = () => {};

  constructor(options: AnswerOptions) {
    const { keys, request, billing, tickMs, clock } = options;
    this.#options = options;
    this.#frames = new AnswerFrames(keys, request, billing?.meter, billing?.budget.continuation ?? false);
    this.#cancelTick = tickMs > 0 ? clock.every(tickMs, () => this.#tick()) : () => {};
  }

  /** Aborted when generation is to stop. */
  get signal(): AbortSignal {
    return this.#generation.signal;
  }

  get frames(): number {
    return this.#frames.kept.end;
  }

  /** Why it failed, if it did. */
  get error(): BombyxError | undefined {
    const { ending } = this.#frames;
    return ending?.kind === "error" ? ending.error : undefined;
  }

  /** The last receipt, once the answer is final; an answer that failed has none. */
  get receipt(): Receipt | undefined {
    return this.#receipt?.receipt;
  }

  /**
   * Sends the frames from `from` on to this outlet, and no longer to an earlier one.
   * @returns `undefined` when those frames are not kept any more, or were never sealed.
   */
  attach(outlet: Outlet, from: number): Attachment | undefined {
    const { kept } = this.#frames;
    if (from < kept.first || from > kept.end) return undefined;
    this.#outlet = outlet;
    this.#next = from;
    this.#written = from;
    this.#abandoned = false;
    this.#disarmStall();
    this.#advance();
    const current = () => this.#outlet === outlet;
    const ifCurrent = (act: () => void) => {
      if (current()) act();
    };
    return {
      get attached() {
        return current();
      },
      wrote: (frames) => ifCurrent(() => this.#wrote(frames)),
      cancel: () => ifCurrent(() => this.cancel()),
      lost: () =>
        ifCurrent(() => {
          this.#outlet = undefined;
          this.#disarmStall();
          this.#advance();
        }),
    };
  }

  progress({ delta, counts }: EngineProgress): void {
    const { billing, tickMs } = this.#options;
    if (this.#frames.ending || this.#stopped || !billing) return;
    this.#completionTokensMax ??= completionTokensMax(billing.budget, counts);
    if (counts.completionTokens <= this.#completionTokensMax) {
      this.#generated = counts;
      if (delta) this.#frames.push(delta, counts);
    }
    if (this.#frames.waitingBytes > limits.replayBytes) {
      this.cancel();
      return;
    }
    if (counts.completionTokens >= this.#completionTokensMax && counts.completionTokens > 0) {
      this.#stopped = "length";
      this.#generation.abort();
    }
    if (tickMs === 0) this.#flushSoon();
  }

  /** Nobody reads any more. Generation stops; what was generated is billed and kept for a resumption. */
  cancel(): void {
    if (this.#abandoned) return;
    this.#abandoned = true;
    this.#disarmStall();
    if (this.#frames.ending) {
      this.#advance();
      return;
    }
    this.#stopped = "cancelled";
    this.#generation.abort();
    this.#cancelDeadline = this.#options.clock.after(cancelMs, () => this.#finishWithoutEngine());
  }

  /** Ends with what is there, at once: the keys are about to be zeroed. */
  endNow(): void {
    this.#abandoned = true;
    this.#generation.abort();
    if (this.#frames.ending) {
      this.#advance();
      return;
    }
    this.#stopped = "cancelled";
    this.#finishWithoutEngine();
  }

  /** The engine is done; its finish reason yields to ours when we stopped it. */
  finish(result: EngineResult): void {
    if (this.#frames.ending) return;
    // Tokens behind the one that spent the budget were generated in vain: neither sent nor counted.
    const counts = this.#stopped === "length" ? this.#generated : result.counts;
    this.#end({
      kind: "detail",
      detail: {
        ...countsOf(counts),
        continuation: this.#options.billing?.budget.continuation ?? false,
        finishReason: this.#stopped ?? result.finishReason,
        seed: result.seed,
        sampler: result.sampler,
        salt: toHex(randomBytes(32)),
      },
    });
  }

  /** A refusal or failure, sealed; only what was delivered before it is billed. */
  fail(error: BombyxError): void {
    if (!this.#frames.ending) this.#end({ kind: "error", error });
  }

  #finishWithoutEngine(): void {
    this.finish({
      counts: this.#generated,
      finishReason: "cancelled",
      seed: 0,
      sampler: { temperature: 0, topP: 0, topK: 0 },
    });
  }

  #end(ending: Ending): void {
    this.#cancelDeadline();
    this.#frames.end(ending);
    this.#advance();
  }

  #wrote(frames: number): void {
    if (frames <= this.#written || frames > this.#next) return;
    this.#written = frames;
    this.#disarmStall();
    this.#advance();
  }

  #tick(): void {
    if (!this.#frames.ending && this.#hasRoom()) this.#seal();
    this.#advance();
  }

  /** Tick 0: what is ready in one turn of the event loop goes together. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.clock.after(0, () => {
      this.#flushing = false;
      while (!this.#frames.ending && this.#frames.hasDeltas && this.#hasRoom()) this.#seal();
      this.#advance();
    });
  }

  #hasRoom(): boolean {
    return this.#abandoned || this.#frames.kept.end - this.#written < limits.windowFrames;
  }

  #seal(): void {
    this.#frames.seal();
    this.#frames.kept.trim(this.#written);
    if (!this.#frames.final) return;
    this.#cancelTick();
    const cancelled = this.#abandoned || this.#stopped === "cancelled";
    this.#receipt = this.#frames.finalReceipt(cancelled ? "cancelled" : "done");
    this.#options.onFinal(this);
  }

  /** Seals what an ended answer still holds, sends what the window admits, and waits for the reader. */
  #advance(): void {
    const frames = this.#frames;
    while (frames.ending && !frames.final && this.#hasRoom()) this.#seal();
    this.#send();
    const allSent = this.#outlet === undefined || this.#next === frames.kept.end;
    if (frames.final && (allSent || this.#abandoned)) this.#conclude();
    else if (this.#abandoned) return;
    else if (!this.#outlet || !allSent || !this.#hasRoom()) this.#armStall();
    else if (this.#options.tickMs === 0 && frames.hasDeltas) this.#flushSoon();
  }

  #send(): void {
    const outlet = this.#outlet;
    if (!outlet || this.#abandoned) return;
    while (this.#next < this.#frames.kept.end && this.#next - this.#written < limits.windowFrames) {
      if (!outlet.writable) {
        this.#options.clock.after(limits.tickMs, () => this.#advance());
        return;
      }
      const frame = this.#frames.kept.get(this.#next);
      if (!frame) return;
      outlet.frame(this.#next++, frame);
      const running = this.#frames.runningReceiptAt(this.#next);
      if (running) outlet.receipt(running);
    }
  }

  /** Every frame is on its way, or nobody wants them: the receipt ends the stream. */
  #conclude(): void {
    this.#disarmStall();
    const outlet = this.#outlet;
    this.#outlet = undefined;
    if (this.#receipt) {
      if (this.#receiptKept) outlet?.receipt(this.#receipt);
      else this.#options.receipts.final(this.#receipt, outlet);
      this.#receiptKept = true;
      return;
    }
    if (!outlet || !this.error) return;
    const delivered = this.#frames.deliveredReceipt();
    if (delivered) outlet.receipt(delivered);
    outlet.failed(clearError(this.error));
  }

  #armStall(): void {
    // Without a link it is no reader who stalls: the gateway, or its successor, will be back.
    const patienceMs = this.#outlet ? limits.readerStallMs : limits.lostLinkMs;
    this.#cancelStall ??= this.#options.clock.after(patienceMs, () => {
      this.#cancelStall = undefined;
      this.cancel();
    });
  }

  #disarmStall(): void {
    this.#cancelStall?.();
    this.#cancelStall = undefined;
  }
}
