import type { ServerResponse } from "node:http";
import type { Socket } from "node:net";

const envelopeHeaderBytes = 5;
const crlf = 0x0d0a;

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

  /** @returns false when the reader is behind. */
  write(kind: number, payload: Uint8Array): boolean {
    if (!this.#socket) return this.#response.write(envelope(kind, payload));
    const bytes = chunk(kind, payload);
    if (this.#turn) {
      this.#turn = Buffer.concat([this.#turn, bytes]);
    } else {
      this.#turn = bytes;
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

function envelope(kind: number, payload: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(envelopeHeaderBytes + payload.length);
  putEnvelope(bytes, 0, kind, payload);
  return bytes;
}

/** An envelope as one HTTP chunk (RFC 9112 §7.1). */
function chunk(kind: number, payload: Uint8Array): Buffer {
  const length = envelopeHeaderBytes + payload.length;
  const size = length.toString(16);
  const at = size.length + 2;
  const bytes = Buffer.allocUnsafe(at + length + 2);
  bytes.write(size, "latin1");
  bytes.writeUInt16BE(crlf, size.length);
  putEnvelope(bytes, at, kind, payload);
  bytes.writeUInt16BE(crlf, at + length);
  return bytes;
}

function putEnvelope(bytes: Buffer, at: number, kind: number, payload: Uint8Array): void {
  bytes[at] = kind;
  bytes.writeUInt32BE(payload.length, at + 1);
  bytes.set(payload, at + envelopeHeaderBytes);
}
