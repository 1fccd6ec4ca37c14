import type { TokenCounts } from "@bombyx/protocol/receipt";
import {
  type AnswerPart,
  AnswerSealer,
  answerFrameCapacity,
  answerPartHeaderBytes,
  FramesHash,
  randomBytes,
  type SessionKeys,
} from "@bombyx/protocol/session";
import {
  answerType,
  type BombyxError,
  limits,
  type ReceiptDetail,
  type SignedReceipt,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import type { Clock } from "../clock.ts";
import type { EngineCounts, EngineProgress, EngineResult } from "../engine/engine.ts";
import { AnswerPacker } from "./answer-packer.ts";
import { type Budget, completionTokensMax } from "./budget.ts";
import { KeptFrames } from "./kept-frames.ts";
import type { FramesSoFar, Meter } from "./meter.ts";
import type { Attachment, Outlet, ReceiptSink } from "./outlet.ts";
import { clearError } from "./sealed-error.ts";

/** Counts (16 bytes) and signature (64). */
const checkpointBytes = 80;
const deltaCapacity = answerFrameCapacity - 2 * answerPartHeaderBytes - checkpointBytes;
const tailCapacity = answerFrameCapacity - answerPartHeaderBytes;
/** A cancelled engine answers within this; else its last progress counts. */
const cancelMs = 1_000;

const nothing: EngineCounts = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 };

/** These four and nothing else, since they are hashed. */
const countsOf = ({
  promptTokens,
  cachedTokens,
  completionTokens,
  reasoningTokens,
}: EngineCounts): EngineCounts => ({
  promptTokens,
  cachedTokens,
  completionTokens,
  reasoningTokens,
});

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

type Ending =
  | { readonly kind: "detail"; readonly detail: ReceiptDetail }
  | { readonly kind: "error"; readonly error: BombyxError };

/**
 * One answer from acceptance to FINAL (PROTOCOL §6): takes deltas from the engine, seals a frame per
 * tick, stays within the reader's window, keeps frames for resumption, and ends with its receipt.
 */
export class Answer {
  readonly #options: AnswerOptions;
  readonly #sealer: AnswerSealer;
  readonly #hash = new FramesHash();
  readonly #kept = new KeptFrames();
  readonly #packer = new AnswerPacker();
  readonly #generation = new AbortController();
  #outlet: Outlet | undefined;
  /** Next frame for the outlet. */
  #next = 0;
  /** Frames that the relay has written to the client. */
  #written = 0;
  /** Counts behind the last whole line that was sealed: what a lost reader can rely on. */
  #delivered: TokenCounts;
  #generated: EngineCounts = nothing;
  #completionTokensMax: number | undefined;
  #ending: Ending | undefined;
  /** What is left to seal of the ending. */
  #tail: Uint8Array = new Uint8Array(0);
  #stopped: "length" | "cancelled" | undefined;
  /** Nobody reads: frames are sealed for a later resumption only. */
  #abandoned = false;
  #final = false;
  #running: SignedReceipt | undefined;
  #receipt: SignedReceipt | undefined;
  #receiptKept = false;
  #flushing = false;
  readonly #cancelTick: () => void;
  #cancelStall: (() => void) | undefined;
  #cancelDeadline: () => void = () => {};

  constructor(options: AnswerOptions) {
    this.#options = options;
    this.#sealer = new AnswerSealer(options.keys, options.request);
    this.#delivered = { ...nothing, continuation: options.billing?.budget.continuation ?? false };
    this.#cancelTick =
      options.tickMs > 0 ? options.clock.every(options.tickMs, () => this.#tick()) : () => {};
  }

  /** Aborted when generation is to stop. */
  get signal(): AbortSignal {
    return this.#generation.signal;
  }

  get final(): boolean {
    return this.#final;
  }

  get frames(): number {
    return this.#kept.end;
  }

  /** Why it failed, if it did. */
  get error(): BombyxError | undefined {
    return this.#ending?.kind === "error" ? this.#ending.error : undefined;
  }

  /** The last receipt, once the answer is final; an answer that failed has none. */
  get receipt(): SignedReceipt["receipt"] | undefined {
    return this.#receipt?.receipt;
  }

  /**
   * Sends the frames from `from` on to this outlet, and no longer to an earlier one.
   * @returns `undefined` when those frames are not kept any more, or were never sealed.
   */
  attach(outlet: Outlet, from: number): Attachment | undefined {
    if (from < this.#kept.first || from > this.#kept.end) return undefined;
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
          this.#advance();
        }),
    };
  }

  progress({ delta, counts }: EngineProgress): void {
    const { billing } = this.#options;
    if (this.#ending || this.#stopped || !billing) return;
    this.#completionTokensMax ??= completionTokensMax(billing.budget, counts);
    if (counts.completionTokens <= this.#completionTokensMax) {
      this.#generated = counts;
      if (delta) this.#packer.push(delta, counts);
    }
    if (this.#packer.waitingBytes > limits.replayBytes) {
      this.cancel();
      return;
    }
    if (counts.completionTokens >= this.#completionTokensMax && counts.completionTokens > 0) {
      this.#stopped = "length";
      this.#generation.abort();
    }
    if (this.#options.tickMs === 0) this.#flushSoon();
  }

  /** Nobody reads any more. Generation stops; what was generated is billed and kept for a resumption. */
  cancel(): void {
    if (this.#abandoned) return;
    this.#abandoned = true;
    this.#disarmStall();
    if (this.#ending) {
      this.#advance();
      return;
    }
    this.#stopped = "cancelled";
    this.#generation.abort();
    this.#cancelDeadline = this.#options.clock.after(cancelMs, () => this.endNow());
  }

  /** Ends with what is there, without waiting for the engine: it does not answer, or keys are to be zeroed. */
  endNow(): void {
    this.#abandoned = true;
    this.#generation.abort();
    if (this.#ending) {
      this.#advance();
      return;
    }
    this.#stopped = "cancelled";
    this.finish({
      counts: this.#generated,
      finishReason: "cancelled",
      seed: 0,
      sampler: { temperature: 0, topP: 0, topK: 0 },
    });
  }

  /** The engine is done; its finish reason yields to ours when we stopped it. */
  finish(result: EngineResult): void {
    if (this.#ending) return;
    // Tokens behind the one that spent the budget were generated in vain: neither sent nor counted.
    const counts = this.#stopped === "length" ? this.#generated : result.counts;
    this.#end({
      kind: "detail",
      detail: {
        ...countsOf(counts),
        continuation: this.#delivered.continuation,
        finishReason: this.#stopped ?? result.finishReason,
        seed: result.seed,
        sampler: result.sampler,
        salt: toHex(randomBytes(32)),
      },
    });
  }

  /** A refusal or failure, sealed; only what was delivered before it is billed. */
  fail(error: BombyxError): void {
    if (!this.#ending) this.#end({ kind: "error", error });
  }

  #end(ending: Ending): void {
    this.#ending = ending;
    this.#cancelDeadline();
    this.#tail = utf8(JSON.stringify(ending.kind === "detail" ? ending.detail : ending.error.toJSON()));
    this.#advance();
  }

  #wrote(frames: number): void {
    if (frames <= this.#written || frames > this.#next) return;
    this.#written = frames;
    this.#disarmStall();
    this.#advance();
  }

  #tick(): void {
    if (!this.#ending && this.#hasRoom()) this.#seal();
    this.#advance();
  }

  /** Tick 0: what is ready in one turn of the event loop goes together. */
  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#options.clock.after(0, () => {
      this.#flushing = false;
      while (!this.#ending && !this.#packer.empty && this.#hasRoom()) this.#seal();
      this.#advance();
    });
  }

  #hasRoom(): boolean {
    return this.#abandoned || this.#kept.end - this.#written < limits.windowFrames;
  }

  /** Seals what an ended answer still holds, sends what the window admits, and waits for the reader. */
  #advance(): void {
    while (this.#ending && !this.#final && this.#hasRoom()) this.#seal();
    this.#send();
    const allSent = this.#outlet === undefined || this.#next === this.#kept.end;
    if (this.#final && (allSent || this.#abandoned)) {
      this.#conclude();
      return;
    }
    if (this.#abandoned) return;
    if (!this.#outlet || !allSent || !this.#hasRoom()) this.#armStall();
    else if (this.#options.tickMs === 0 && !this.#packer.empty) this.#flushSoon();
  }

  #send(): void {
    const outlet = this.#outlet;
    if (!outlet || this.#abandoned) return;
    while (this.#next < this.#kept.end && this.#next - this.#written < limits.windowFrames) {
      if (!outlet.writable) {
        this.#options.clock.after(limits.tickMs, () => this.#advance());
        return;
      }
      const frame = this.#kept.get(this.#next);
      if (!frame) return;
      outlet.frame(this.#next++, frame);
      if (this.#running?.receipt.frames === this.#next) outlet.receipt(this.#running);
    }
  }

  #seal(): void {
    const meter = this.#options.billing?.meter;
    const piece = meter && this.#packer.take(deltaCapacity);
    let parts: AnswerPart[];
    let final = false;
    if (piece) {
      if (piece.counts) this.#delivered = { ...this.#delivered, ...countsOf(piece.counts) };
      const checkpoint = meter.checkpoint(this.#sealed(), this.#delivered);
      parts = [
        { type: answerType.delta, payload: piece.bytes },
        { type: answerType.checkpoint, payload: checkpoint },
      ];
    } else if (this.#ending) {
      const type = this.#ending.kind === "detail" ? answerType.detail : answerType.error;
      parts = [{ type, payload: this.#tail.subarray(0, tailCapacity) }];
      this.#tail = this.#tail.subarray(tailCapacity);
      final = this.#tail.length === 0;
    } else {
      parts = [{ type: answerType.ping, payload: new Uint8Array(0) }];
    }
    const frame = this.#sealer.seal(parts, final);
    this.#hash.push(frame);
    this.#kept.push(frame);
    this.#kept.trim(this.#written);
    if (final) this.#becomeFinal();
    else if (this.#kept.end % limits.receiptEveryFrames === 0) {
      this.#running = meter?.running(this.#sealed(), this.#delivered);
    }
  }

  #sealed(): FramesSoFar {
    return { frames: this.#kept.end, framesHash: this.#hash.digest };
  }

  #becomeFinal(): void {
    this.#final = true;
    this.#cancelTick();
    if (this.#ending?.kind === "detail") {
      const finish = this.#abandoned || this.#stopped === "cancelled" ? "cancelled" : "done";
      this.#receipt = this.#options.billing?.meter.final(this.#sealed(), this.#ending.detail, finish);
    }
    this.#options.onFinal(this);
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
    } else if (outlet && this.#ending?.kind === "error") {
      const meter = this.#options.billing?.meter;
      if (meter && this.#delivered.completionTokens > 0) {
        outlet.receipt(meter.running(this.#sealed(), this.#delivered));
      }
      outlet.failed(clearError(this.#ending.error));
    }
  }

  #armStall(): void {
    this.#cancelStall ??= this.#options.clock.after(limits.readerStallMs, () => {
      this.#cancelStall = undefined;
      this.cancel();
    });
  }

  #disarmStall(): void {
    this.#cancelStall?.();
    this.#cancelStall = undefined;
  }
}
