import type { TokenCounts } from "@bombyx/protocol/receipt";
import {
  type AnswerPart,
  AnswerSealer,
  answerFrameCapacity,
  answerPartHeaderBytes,
  FramesHash,
  type SessionKeys,
} from "@bombyx/protocol/session";
import {
  type AnswerDelta,
  answerType,
  type BombyxError,
  limits,
  type ReceiptDetail,
  type SignedReceipt,
  utf8,
} from "@bombyx/protocol/wire";
import type { EngineCounts } from "../engine/engine.ts";
import { AnswerPacker } from "./answer-packer.ts";
import { KeptFrames } from "./kept-frames.ts";
import type { Meter } from "./meter.ts";

/** Counts (16 bytes) and signature (64). */
const checkpointBytes = 80;
const deltaCapacity = answerFrameCapacity - 2 * answerPartHeaderBytes - checkpointBytes;
const tailCapacity = answerFrameCapacity - answerPartHeaderBytes;

/** How an answer ends: with its detail, or with the reason why there is none. */
export type Ending =
  | { readonly kind: "detail"; readonly detail: ReceiptDetail }
  | { readonly kind: "error"; readonly error: BombyxError };

/** The sealed frames of one answer, one after the other, and the receipts over them. */
export class AnswerFrames {
  readonly #sealer: AnswerSealer;
  readonly #meter: Meter | undefined;
  readonly #hash = new FramesHash();
  readonly #packer = new AnswerPacker();
  /** Counts behind the last whole line that was sealed: what a lost reader can rely on. */
  #delivered: TokenCounts;
  #ending: Ending | undefined;
  /** What is left to seal of the ending. */
  #tail: Uint8Array = new Uint8Array(0);
  #running: SignedReceipt | undefined;
  #final = false;
  readonly kept = new KeptFrames();

  /** `meter` is absent for a request that is refused: it costs nothing. */
  constructor(keys: SessionKeys, request: number, meter: Meter | undefined, continuation: boolean) {
    this.#sealer = new AnswerSealer(keys, request);
    this.#meter = meter;
    this.#delivered = {
      promptTokens: 0,
      cachedTokens: 0,
      completionTokens: 0,
      reasoningTokens: 0,
      continuation,
    };
  }

  get ending(): Ending | undefined {
    return this.#ending;
  }

  /** The last frame is sealed. */
  get final(): boolean {
    return this.#final;
  }

  /** Whether deltas wait to be sealed. */
  get hasDeltas(): boolean {
    return !this.#packer.empty;
  }

  get waitingBytes(): number {
    return this.#packer.waitingBytes;
  }

  push(delta: AnswerDelta, counts: EngineCounts): void {
    this.#packer.push(delta, counts);
  }

  /** Nothing comes after what waits but this. */
  end(ending: Ending): void {
    this.#ending = ending;
    this.#tail = utf8(JSON.stringify(ending.kind === "detail" ? ending.detail : ending.error.toJSON()));
  }

  /** Seals one frame: deltas that wait, else the ending, else a ping. */
  seal(): void {
    const parts = this.#deltaParts() ?? [this.#tailPart()];
    this.#final = this.#ending !== undefined && !this.hasDeltas && this.#tail.length === 0;
    const frame = this.#sealer.seal(parts, this.#final);
    this.#hash.push(frame);
    this.kept.push(frame);
    if (this.kept.end % limits.receiptEveryFrames === 0) {
      this.#running = this.#meter?.running(this.#sealed(), this.#delivered);
    }
  }

  /** The running receipt that goes out in the clear behind frame `frames - 1`, if one does. */
  runningReceiptAt(frames: number): SignedReceipt | undefined {
    const due = !this.#final && this.#running?.receipt.frames === frames;
    return due ? this.#running : undefined;
  }

  /** For what was delivered before a failure; `undefined` when that is nothing. */
  deliveredReceipt(): SignedReceipt | undefined {
    return this.#delivered.completionTokens > 0
      ? this.#meter?.running(this.#sealed(), this.#delivered)
      : undefined;
  }

  /** The receipt over the whole answer; `undefined` for one that failed. */
  finalReceipt(finish: "done" | "cancelled"): SignedReceipt | undefined {
    if (this.#ending?.kind !== "detail") return undefined;
    return this.#meter?.final(this.#sealed(), this.#ending.detail, finish);
  }

  #deltaParts(): AnswerPart[] | undefined {
    const piece = this.#meter && this.#packer.take(deltaCapacity);
    if (!this.#meter || !piece) return undefined;
    if (piece.counts) this.#delivered = { ...this.#delivered, ...countsOf(piece.counts) };
    return [
      { type: answerType.delta, payload: piece.bytes },
      { type: answerType.checkpoint, payload: this.#meter.checkpoint(this.#sealed(), this.#delivered) },
    ];
  }

  #tailPart(): AnswerPart {
    if (!this.#ending) return { type: answerType.ping, payload: new Uint8Array(0) };
    const payload = this.#tail.subarray(0, tailCapacity);
    this.#tail = this.#tail.subarray(tailCapacity);
    return { type: this.#ending.kind === "detail" ? answerType.detail : answerType.error, payload };
  }

  #sealed() {
    return { frames: this.kept.end, framesHash: this.#hash.digest };
  }
}

/** These four and nothing else, since they are hashed. */
export const countsOf = (counts: EngineCounts): EngineCounts => ({
  promptTokens: counts.promptTokens,
  cachedTokens: counts.cachedTokens,
  completionTokens: counts.completionTokens,
  reasoningTokens: counts.reasoningTokens,
});
