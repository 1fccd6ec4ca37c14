import { BombyxError } from "./error.ts";

/**
 * The HTTP body of a streamed answer: envelopes `u8 kind ‖ u32be length ‖ payload`.
 * Only `sealed` envelopes can hold an answer; a clear `failure` is a transport error and never content.
 */
export const envelopeKind = {
  /** One sealed answer frame; frames follow each other from the index that was asked for. */
  sealed: 1,
  /** A signed clear receipt (JSON), running or last. */
  receipt: 2,
  /** An {@link ErrorBody} (JSON) from the gateway or the link; ends the stream. */
  failure: 3,
} as const;

export const answerContentType = "application/vnd.bombyx.answer";
const headerBytes = 5;
const maxEnvelopeBytes = 64 * 1024;

export interface Envelope {
  readonly kind: number;
  readonly payload: Uint8Array;
}

/** The five bytes before a payload; written apart from it so that a relay copies nothing. */
export function envelopeHeader(kind: number, length: number): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(headerBytes);
  header[0] = kind;
  new DataView(header.buffer).setUint32(1, length);
  return header;
}

/** Cuts a byte stream into envelopes; feed it chunks of any size. The first failure kills it. */
export class EnvelopeReader {
  #pending: Uint8Array = new Uint8Array(0);

  /**
   * Envelopes that are whole by now; what a caller does not take comes with the next chunk.
   * @throws BombyxError SEALED_STREAM on an unknown kind or an oversized envelope, and ever after.
   */
  *push(chunk: Uint8Array): Generator<Envelope> {
    let bytes = chunk;
    if (this.#pending.length > 0) {
      bytes = new Uint8Array(this.#pending.length + chunk.length);
      bytes.set(this.#pending);
      bytes.set(chunk, this.#pending.length);
    }
    let at = 0;
    try {
      while (bytes.length - at >= headerBytes) {
        const view = new DataView(bytes.buffer, bytes.byteOffset + at, headerBytes);
        const kind = view.getUint8(0);
        const length = view.getUint32(1);
        if (kind < envelopeKind.sealed || kind > envelopeKind.failure || length > maxEnvelopeBytes) {
          throw new BombyxError(
            "SEALED_STREAM",
            "The answer stream is not in Bombyx's format; it was cut here.",
          );
        }
        const start = at + headerBytes;
        if (bytes.length - start < length) break;
        at = start + length;
        yield { kind, payload: bytes.subarray(start, at) };
      }
    } finally {
      // What is not of our format stays in front, so that nothing behind it is ever read.
      this.#pending = bytes.slice(at);
    }
  }

  /** True when no half envelope is waiting. */
  get empty(): boolean {
    return this.#pending.length === 0;
  }
}
