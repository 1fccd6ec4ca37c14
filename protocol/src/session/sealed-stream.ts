import { concat, u64be, utf8 } from "../wire/encoding.ts";
import { BombyxError } from "../wire/error.ts";
import { bucketFor, limits } from "../wire/limits.ts";
import type { SessionKeys } from "./handshake.ts";
import { blake2b256, sodium } from "./sodium.ts";

/**
 * PROTOCOL §6: one secretstream per request and direction, keyed from the session, with the
 * handshake hash, request id and direction as additional data of every frame.
 */
type Direction = "req" | "resp";
const headerBytes = 24;
const tagBytes = 17;

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
    bucket = bucketFor(plaintext.length + 1, limits.requestBuckets);
  } catch (cause) {
    throw new BombyxError(
      "BODY_TOO_LARGE",
      `A request holds at most ${limits.requestBuckets.at(-1)} bytes; this one has ${plaintext.length}. Shorten the conversation.`,
      { cause },
    );
  }
  const key = streamKey(session, request, "req");
  const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
  sodium.memzero(key);
  const frame = sodium.crypto_secretstream_xchacha20poly1305_push(
    state,
    sodium.pad(plaintext, bucket),
    additionalData(session, request, "req"),
    sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL,
  );
  return concat(header, frame);
}

/** The padded size that a sealed request's length shows to everybody. */
export const requestBucketOf = (sealedBytes: number): number => sealedBytes - headerBytes - tagBytes;

/** @throws BombyxError SEALED_STREAM unless it is one whole authentic frame with TAG_FINAL. */
export function openRequest(session: SessionKeys, request: number, sealed: Uint8Array): Uint8Array {
  assertRequestId(request);
  const key = streamKey(session, request, "req");
  try {
    const bucket = requestBucketOf(sealed.length);
    if (!limits.requestBuckets.includes(bucket)) throw new RangeError("not the length of a request bucket");
    const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(
      sealed.subarray(0, headerBytes),
      key,
    );
    const opened = sodium.crypto_secretstream_xchacha20poly1305_pull(
      state,
      sealed.subarray(headerBytes),
      additionalData(session, request, "req"),
    );
    if (!opened || opened.tag !== sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL) {
      throw new Error("not authentic, or without TAG_FINAL");
    }
    return sodium.unpad(opened.message, bucket);
  } catch (cause) {
    throw new BombyxError("SEALED_STREAM", "The sealed request does not open under this session.", { cause });
  } finally {
    sodium.memzero(key);
  }
}

/** Parts of one frame: at most {@link answerFrameCapacity} bytes with three of header each. */
export interface AnswerPart {
  readonly type: number;
  readonly payload: Uint8Array;
}

/** sodium.pad needs at least one byte. */
export const answerFrameCapacity = limits.answerFrameBytes - 1;
export const answerPartHeaderBytes = 3;

/** Node side of one answer: frames 0, 1, 2 … of equal length on the wire. */
export class AnswerSealer {
  readonly #state: ReturnType<typeof sodium.crypto_secretstream_xchacha20poly1305_init_push>["state"];
  readonly #additionalData: Uint8Array;
  readonly #header: Uint8Array;
  #frames = 0;
  #final = false;

  constructor(session: SessionKeys, request: number) {
    assertRequestId(request);
    const key = streamKey(session, request, "resp");
    const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
    sodium.memzero(key);
    this.#state = state;
    this.#header = header;
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
    if (this.#final) throw new RangeError("the answer is already final");
    const plaintext = concat(
      ...parts.flatMap(({ type, payload }) => [
        Uint8Array.of(type, payload.length >> 8, payload.length & 0xff),
        payload,
      ]),
    );
    if (plaintext.length > answerFrameCapacity)
      throw new RangeError(`a frame holds ${answerFrameCapacity} bytes`);
    const tag = final
      ? sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL
      : sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE;
    const frame = sodium.crypto_secretstream_xchacha20poly1305_push(
      this.#state,
      sodium.pad(plaintext, limits.answerFrameBytes),
      this.#additionalData,
      tag,
    );
    this.#final = final;
    return this.#frames++ === 0 ? concat(this.#header, frame) : frame;
  }
}

/** Client side of one answer. The first failure kills it: nothing later is accepted. */
export class AnswerOpener {
  #state: ReturnType<typeof sodium.crypto_secretstream_xchacha20poly1305_init_pull> | undefined;
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
    if (this.#ended !== "open") throw this.#dead(`a frame came after the stream was ${this.#ended}`);
    try {
      let frame = sealed;
      if (!this.#state) {
        this.#state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(
          sealed.subarray(0, headerBytes),
          this.#key,
        );
        frame = sealed.subarray(headerBytes);
      }
      if (frame.length !== limits.answerFrameBytes + tagBytes) throw new RangeError("wrong frame length");
      const opened = sodium.crypto_secretstream_xchacha20poly1305_pull(
        this.#state,
        frame,
        this.#additionalData,
      );
      if (!opened) throw new Error("not authentic");
      const parts = splitParts(sodium.unpad(opened.message, limits.answerFrameBytes));
      this.#frames++;
      if (opened.tag === sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL) this.#ended = "final";
      return { parts, final: this.final };
    } catch (cause) {
      throw this.#dead(cause);
    }
  }

  /** @throws BombyxError TRUNCATED when the stream ended without TAG_FINAL. */
  end(): void {
    if (this.#ended === "final") return;
    this.#ended = "dead";
    throw new BombyxError("TRUNCATED", "The answer ended before its last frame; it is incomplete.");
  }

  #dead(cause: unknown): BombyxError {
    this.#ended = "dead";
    sodium.memzero(this.#key);
    return new BombyxError(
      "SEALED_STREAM",
      "A frame of the answer is not authentic; the answer was cut here.",
      { cause },
    );
  }
}

function splitParts(plaintext: Uint8Array): AnswerPart[] {
  const parts: AnswerPart[] = [];
  let at = 0;
  while (at < plaintext.length) {
    const [type = 0, high = 0, low = 0] = plaintext.subarray(at, at + answerPartHeaderBytes);
    const end = at + answerPartHeaderBytes + (high << 8) + low;
    if (end > plaintext.length) throw new RangeError("a part is longer than its frame");
    parts.push({ type, payload: plaintext.slice(at + answerPartHeaderBytes, end) });
    at = end;
  }
  return parts;
}

/** Hash of a sealed request, for receipts. */
export const requestHash = (sealed: Uint8Array): Uint8Array => blake2b256(sealed);

/** Running hash over sealed answer frames, each preceded by its u64be length. */
export class FramesHash {
  #digest: Uint8Array = blake2b256(utf8("bombyx/frames/v1\0"));

  /** A chain, so that the hash after any frame is at hand: H(previous ‖ u64be(length) ‖ frame). */
  push(frame: Uint8Array): void {
    this.#digest = blake2b256(this.#digest, u64be(frame.length), frame);
  }

  get digest(): Uint8Array {
    return this.#digest;
  }
}
