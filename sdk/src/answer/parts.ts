import type { AnswerPart } from "@bombyx/protocol/session";
import {
  type AnswerDelta,
  answerDeltaSchema,
  answerType,
  BombyxError,
  concat,
  fromUtf8,
  type ReceiptDetail,
  receiptDetailSchema,
  sealedErrorSchema,
} from "@bombyx/protocol/wire";

const newline = 0x0a;
/** A line is one delta; embeddings are the longest (64 inputs arrive as 64 lines). */
const maxPendingBytes = 1024 * 1024;
const checkpointBytes = 16 + 64;

/** What the node counted so far and its signature for it; see `answerType.checkpoint`. */
export interface CheckpointPart {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
  readonly signature: Uint8Array;
}

export interface FrameContent {
  readonly deltas: readonly AnswerDelta[];
  readonly checkpoint: CheckpointPart | undefined;
}

/** Puts the parts of opened frames together again: lines of deltas, the error, the detail. */
export class PartsReader {
  #line: Uint8Array[] = [];
  readonly #error: Uint8Array[] = [];
  readonly #detail: Uint8Array[] = [];
  #pendingBytes = 0;

  /** @throws BombyxError SEALED_STREAM when the node sent what is no delta. */
  push(parts: readonly AnswerPart[]): FrameContent {
    const deltas: AnswerDelta[] = [];
    let checkpoint: CheckpointPart | undefined;
    for (const { type, payload } of parts) {
      if (type === answerType.delta) deltas.push(...this.#lines(payload));
      else if (type === answerType.checkpoint) checkpoint = readCheckpoint(payload);
      else if (type === answerType.error) this.#keep(this.#error, payload);
      else if (type === answerType.detail) this.#keep(this.#detail, payload);
      else if (type !== answerType.ping) throw malformed(`a part of unknown type ${type}`);
    }
    return { deltas, checkpoint };
  }

  /**
   * After the final frame.
   * @throws BombyxError: the node's own sealed error, or SEALED_STREAM when neither error nor detail parse.
   */
  end(): ReceiptDetail {
    if (this.#error.length > 0) throw this.#sealedError();
    try {
      return receiptDetailSchema.parse(JSON.parse(fromUtf8(concat(...this.#detail))));
    } catch (cause) {
      throw malformed("no receipt detail", cause);
    }
  }

  #sealedError(): BombyxError {
    try {
      const { code, message, field } = sealedErrorSchema.parse(JSON.parse(fromUtf8(concat(...this.#error))));
      return new BombyxError(code, message, field === undefined ? {} : { field });
    } catch (cause) {
      return malformed("an error that does not parse", cause);
    }
  }

  *#lines(payload: Uint8Array): Generator<AnswerDelta> {
    let rest = payload;
    for (let end = rest.indexOf(newline); end >= 0; end = rest.indexOf(newline)) {
      const line = concat(...this.#line, rest.subarray(0, end));
      this.#line = [];
      this.#pendingBytes = 0;
      rest = rest.subarray(end + 1);
      yield readDelta(line);
    }
    if (rest.length > 0) this.#keep(this.#line, rest);
  }

  #keep(pieces: Uint8Array[], piece: Uint8Array): void {
    this.#pendingBytes += piece.length;
    if (this.#pendingBytes > maxPendingBytes) throw malformed("a line without an end");
    pieces.push(piece);
  }
}

function readDelta(line: Uint8Array): AnswerDelta {
  try {
    return answerDeltaSchema.parse(JSON.parse(fromUtf8(line)));
  } catch (cause) {
    throw malformed("a delta that does not parse", cause);
  }
}

function readCheckpoint(payload: Uint8Array): CheckpointPart {
  if (payload.length !== checkpointBytes) throw malformed("a checkpoint of the wrong length");
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  return {
    promptTokens: view.getUint32(0),
    cachedTokens: view.getUint32(4),
    completionTokens: view.getUint32(8),
    reasoningTokens: view.getUint32(12),
    signature: payload.slice(16),
  };
}

const malformed = (what: string, cause?: unknown): BombyxError =>
  new BombyxError(
    "SEALED_STREAM",
    `The node sent ${what}; the answer was cut here.`,
    cause === undefined ? {} : { cause },
  );
