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
    const length = envelopeHeaderBytes + payload.length;
    const size = this.#socket ? length.toString(16) : "";
    const at = this.#socket ? size.length + 2 : 0;
    const bytes = Buffer.allocUnsafe(at + length + (this.#socket ? 2 : 0));
    bytes[at] = kind;
    bytes.writeUInt32BE(payload.length, at + 1);
    bytes.set(payload, at + envelopeHeaderBytes);
    if (!this.#socket) return this.#response.write(bytes);
    bytes.write(size, "latin1");
    bytes.writeUInt16BE(crlf, size.length);
    bytes.writeUInt16BE(crlf, at + length);
    hold(this.#socket);
    return this.#socket.write(bytes);
  }

  end(): void {
    this.#response.end();
  }
}

const held: Socket[] = [];

/** Frames of one turn of the event loop leave a socket together: when the gateway is late, that is what lets it catch up. */
function hold(socket: Socket): void {
  if (socket.writableCorked > 0) return;
  socket.cork();
  if (held.push(socket) === 1) process.nextTick(letGo);
}

function letGo(): void {
  for (const socket of held.splice(0)) socket.uncork();
}
