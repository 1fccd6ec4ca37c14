import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

const envelopeHeaderBytes = 5;
const crlf = Buffer.from("\r\n");

/**
 * Writes envelopes (`u8 kind ‖ u32be length ‖ payload`, answer-stream.ts) as the body of a response.
 * Each leaves as one HTTP chunk in one buffer: `ServerResponse.write` would hand its four pieces to
 * the kernel apart, and for a frame of 273 bytes that costs more than copying them together.
 */
export class EnvelopeWriter {
  readonly #response: ServerResponse;
  /** The socket, when the response owns it and is chunked; a pipelined or HTTP/1.0 response goes the long way. */
  readonly #socket: Socket | undefined;
  /** What was written in this turn. */
  #turn: Buffer | undefined;

  /** Sends the head of `response`, which must be set. */
  constructor(response: ServerResponse) {
    this.#response = response;
    response.flushHeaders();
    this.#socket = (response.chunkedEncoding && response.socket) || undefined;
  }

  /** Where `drain` is told when {@link write} has answered false. */
  get drains(): Socket | ServerResponse {
    return this.#socket ?? this.#response;
  }

  /**
   * Writes what `bytes` holds from `from` on.
   * @returns false when the reader is behind.
   */
  write(kind: number, bytes: Buffer, from = 0): boolean {
    const made = envelope(kind, bytes, from, this.#socket !== undefined);
    if (!this.#socket) return this.#response.write(made);
    if (this.#turn) {
      this.#turn = Buffer.concat([this.#turn, made]);
    } else {
      this.#turn = made;
      if (written.push(this) === 1) process.nextTick(flushAll);
    }
    return !this.#socket.writableNeedDrain;
  }

  end(): void {
    this.flush();
    this.#response.end();
  }

  /** Envelopes of one turn of the event loop leave together: when the gateway is late, that is what lets it catch up. */
  flush(): void {
    const bytes = this.#turn;
    this.#turn = undefined;
    if (bytes) this.#socket?.write(bytes);
  }
}

/** Who wrote in this turn. */
const written: EnvelopeWriter[] = [];

function flushAll(): void {
  for (const writer of written.splice(0)) writer.flush();
}

/** An envelope, as one HTTP chunk if asked for (RFC 9112 §7.1). */
function envelope(kind: number, bytes: Buffer, from: number, chunked: boolean): Buffer {
  const length = bytes.length - from;
  const head = headOf(kind, length, chunked);
  const tail = chunked ? crlf.length : 0;
  const made = Buffer.allocUnsafe(head.length + length + tail);
  made.set(head);
  bytes.copy(made, head.length, from);
  if (chunked) made.set(crlf, head.length + length);
  return made;
}

/** Heads by length: nearly all frames have the same, and receipts few. */
const heads = { chunk: new Map<number, Buffer>(), plain: new Map<number, Buffer>() };
const headsMost = 1_024;

function headOf(kind: number, length: number, chunked: boolean): Buffer {
  const known = chunked ? heads.chunk : heads.plain;
  const key = length * 256 + kind;
  let head = known.get(key);
  if (!head) {
    const size = chunked ? `${(envelopeHeaderBytes + length).toString(16)}\r\n` : "";
    head = Buffer.alloc(size.length + envelopeHeaderBytes);
    head.write(size, "latin1");
    head[size.length] = kind;
    head.writeUInt32BE(length, size.length + 1);
    if (known.size < headsMost) known.set(key, head);
  }
  return head;
}
