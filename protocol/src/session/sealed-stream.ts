import { concat, u64be, utf8 } from "../wire/encoding.ts";
import { BombyxError } from "../wire/error.ts";
import { bucketFor, limits, requestBucketOf } from "../wire/limits.ts";
import type { SessionKeys } from "./handshake.ts";
import {
  OpeningStream,
  SealingStream,
  streamFrameOverheadBytes,
  streamHeaderBytes,
} from "./secret-stream.ts";
import { sodium, zero } from "./sodium.ts";

/**
 * PROTOCOL §6: one secretstream per request and direction, keyed from the session, with the
 * handshake hash, request id and direction as additional data of every frame.
 */
type Direction = "req" | "resp";

function streamKey(session: SessionKeys, request: number, direction: Direction): Uint8Array {
  const key = direction === "req" ? session.clientToNode : session.nodeToClient;
  return sodium.crypto_generichash(32, concat(utf8(`bombyx/1 ${direction}\0`), u64be(request)), key);
}

function additionalData(session: SessionKeys, request: number, direction: Direction): Uint8Array {
  return concat(session.handshakeHash, u64be(request), Uint8Array.of(direction === "req" ? 0 : 1));
}

function assertRequestId(request: number): void {
  if (!Number.isInteger(request) || request < 0 || request >= limits.requestsPerSession) {
    throw new RangeError(`request id ${request} is outside 0..${limits.requestsPerSession - 1}`);
  }
}

/**
 * Seals a request: header, then one frame with TAG_FINAL, padded to the smallest request bucket.
 * @throws BombyxError BODY_TOO_LARGE above the largest bucket.
 */
export function sealRequest(session: SessionKeys, request: number, plaintext: Uint8Array): Uint8Array {
  assertRequestId(request);
  let bucket: number;
  try {
    // One byte more: the padding of a full bucket still needs a place for its mark.
    bucket = bucketFor(plaintext.length + 1, limits.requestBuckets);
  } catch (cause) {
    const most = Math.max(...limits.requestBuckets) - 1;
    throw new BombyxError(
      "BODY_TOO_LARGE",
      `A request holds at most ${most} bytes; this one has ${plaintext.length}. Shorten the conversation.`,
      { cause },
    );
  }
  const stream = new SealingStream(streamKey(session, request, "req"));
  const padded = sodium.pad(plaintext, bucket);
  const frame = stream.seal(padded, additionalData(session, request, "req"), true);
  zero(padded);
  return concat(stream.header, frame);
}

/** @throws BombyxError SEALED_STREAM unless it is one whole authentic frame with TAG_FINAL. */
export function openRequest(session: SessionKeys, request: number, sealed: Uint8Array): Uint8Array {
  assertRequestId(request);
  let stream: OpeningStream | undefined;
  try {
    const bucket = requestBucketOf(sealed.length);
    if (!limits.requestBuckets.includes(bucket)) throw new RangeError("not the length of a request bucket");
    stream = new OpeningStream(sealed.subarray(0, streamHeaderBytes), streamKey(session, request, "req"));
    const { plaintext, final } = stream.open(
      sealed.subarray(streamHeaderBytes),
      additionalData(session, request, "req"),
    );
    if (!final) throw new Error("without TAG_FINAL");
    return sodium.unpad(plaintext, bucket);
  } catch (cause) {
    throw new BombyxError("SEALED_STREAM", "The sealed request does not open under this session.", { cause });
  } finally {
    stream?.erase();
  }
}

/** Parts of one frame: at most {@link answerFrameCapacity} bytes with three of header each. */
export interface AnswerPart {
  /** 0..255, see `answerType`. */
  readonly type: number;
  readonly payload: Uint8Array;
}

/** sodium.pad needs at least one byte. */
export const answerFrameCapacity = limits.answerFrameBytes - 1;
export const answerPartHeaderBytes = 3;

function joinParts(parts: readonly AnswerPart[]): Uint8Array {
  const bytes = parts.reduce((sum, { payload }) => sum + answerPartHeaderBytes + payload.length, 0);
  if (bytes > answerFrameCapacity) {
    throw new RangeError(`a frame holds ${answerFrameCapacity} bytes; these parts make ${bytes}`);
  }
  return concat(
    ...parts.flatMap(({ type, payload }) => [
      Uint8Array.of(type, payload.length >> 8, payload.length & 0xff),
      payload,
    ]),
  );
}

/** @throws RangeError when a part's header or payload is cut off. */
function splitParts(plaintext: Uint8Array): AnswerPart[] {
  const view = new DataView(plaintext.buffer, plaintext.byteOffset, plaintext.byteLength);
  const parts: AnswerPart[] = [];
  let at = 0;
  while (at < plaintext.length) {
    const start = at + answerPartHeaderBytes;
    const end = start + view.getUint16(at + 1);
    if (end > plaintext.length) throw new RangeError("a part is longer than its frame");
    parts.push({ type: view.getUint8(at), payload: plaintext.slice(start, end) });
    at = end;
  }
  return parts;
}

/** Node side of one answer: frames 0, 1, 2 … of equal length on the wire. */
export class AnswerSealer {
  readonly #stream: SealingStream;
  readonly #additionalData: Uint8Array;
  #frames = 0;
  #ended = false;

  constructor(session: SessionKeys, request: number) {
    assertRequestId(request);
    this.#stream = new SealingStream(streamKey(session, request, "resp"));
    this.#additionalData = additionalData(session, request, "resp");
  }

  get frames(): number {
    return this.#frames;
  }

  /**
   * Seals the next frame. Frame 0 carries the stream's header in front.
   * @throws RangeError when the parts exceed a frame, or after the final one.
   */
  seal(parts: readonly AnswerPart[], final = false): Uint8Array {
    if (this.#ended) throw new RangeError("the answer has ended");
    const padded = sodium.pad(joinParts(parts), limits.answerFrameBytes);
    const frame = this.#stream.seal(padded, this.#additionalData, final);
    zero(padded);
    this.#ended = final;
    return this.#frames++ === 0 ? concat(this.#stream.header, frame) : frame;
  }

  /** Forgets the key of an answer that will have no final frame. Sealing is over then. */
  erase(): void {
    this.#ended = true;
    this.#stream.erase();
  }
}

/** Client side of one answer. The first failure kills it: nothing later is accepted. */
export class AnswerOpener {
  #stream: OpeningStream | undefined;
  readonly #key: Uint8Array;
  readonly #additionalData: Uint8Array;
  #frames = 0;
  #ended: "open" | "final" | "dead" = "open";

  constructor(session: SessionKeys, request: number) {
    assertRequestId(request);
    this.#key = streamKey(session, request, "resp");
    this.#additionalData = additionalData(session, request, "resp");
  }

  /** Frames opened so far: the index to resume from. */
  get frames(): number {
    return this.#frames;
  }

  get final(): boolean {
    return this.#ended === "final";
  }

  /** @throws BombyxError SEALED_STREAM on a frame that is not the authentic next one. */
  open(sealed: Uint8Array): { parts: AnswerPart[]; final: boolean } {
    if (this.#ended !== "open") throw this.#dead(new Error(`a frame after the stream was ${this.#ended}`));
    try {
      const headerBytes = this.#stream ? 0 : streamHeaderBytes;
      if (sealed.length !== headerBytes + limits.answerFrameBytes + streamFrameOverheadBytes) {
        throw new RangeError(`a frame of ${sealed.length} bytes`);
      }
      this.#stream ??= new OpeningStream(sealed.subarray(0, headerBytes), this.#key);
      const { plaintext, final } = this.#stream.open(sealed.subarray(headerBytes), this.#additionalData);
      const parts = splitParts(sodium.unpad(plaintext, limits.answerFrameBytes));
      this.#frames++;
      if (final) this.#ended = "final";
      return { parts, final };
    } catch (cause) {
      throw this.#dead(cause);
    }
  }

  /** @throws BombyxError TRUNCATED when the stream ended without TAG_FINAL. */
  end(): void {
    if (this.#ended === "final") return;
    this.erase();
    throw new BombyxError("TRUNCATED", "The answer ended before its last frame; it is incomplete.");
  }

  /** Forgets the key of an answer that nobody waits for any more. */
  erase(): void {
    if (this.#ended === "open") this.#ended = "dead";
    zero(this.#key);
    this.#stream?.erase();
  }

  #dead(cause: unknown): BombyxError {
    this.#ended = "dead";
    this.erase();
    return new BombyxError(
      "SEALED_STREAM",
      "A frame of the answer is not authentic; the answer was cut here.",
      { cause },
    );
  }
}
