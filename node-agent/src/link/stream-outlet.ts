import {
  type ErrorBody,
  encodeLinkMessage,
  type LinkKind,
  linkKind,
  type SignedReceipt,
  utf8,
} from "@bombyx/protocol/wire";
import type { Outlet } from "../enclave/outlet.ts";

/** Above this many bytes in the socket's buffer, answers wait. */
const bufferedBytesMax = 4 * 1024 * 1024;

/** What a stream needs of its connection. */
export interface Wire {
  send(message: Uint8Array): void;
  readonly bufferedBytes: number;
  /** A final receipt is on its way; its Ack comes back on this stream. */
  expectAck(stream: number, signed: SignedReceipt): void;
  /** Nothing more is sent on this stream. */
  ended(stream: number): void;
}

/** One gateway stream as binary messages. */
export class StreamOutlet implements Outlet {
  readonly #wire: Wire;
  readonly #stream: number;

  constructor(wire: Wire, stream: number) {
    this.#wire = wire;
    this.#stream = stream;
  }

  get writable(): boolean {
    return this.#wire.bufferedBytes < bufferedBytesMax;
  }

  frame(index: number, sealed: Uint8Array): void {
    this.#send(linkKind.frame, index, sealed);
  }

  receipt(signed: SignedReceipt): void {
    this.#send(linkKind.receipt, signed.receipt.frames, utf8(JSON.stringify(signed)));
    if (signed.receipt.finish === "running") return;
    this.#wire.expectAck(this.#stream, signed);
    this.#wire.ended(this.#stream);
  }

  failed(error: ErrorBody): void {
    this.#send(linkKind.failed, 0, utf8(JSON.stringify(error)));
    this.#wire.ended(this.#stream);
  }

  handshakeDone(answer: Uint8Array): void {
    this.#send(linkKind.handshakeDone, 0, answer);
    this.#wire.ended(this.#stream);
  }

  #send(kind: LinkKind, index: number, payload: Uint8Array): void {
    this.#wire.send(encodeLinkMessage(kind, this.#stream, index, payload));
  }
}
