import type { ErrorBody, SignedReceipt } from "@bombyx/protocol/wire";

/** One stream of a gateway's connection, as the enclave sees it: ciphertext and clear receipts go out. */
export interface Outlet {
  frame(index: number, sealed: Uint8Array): void;
  /** A receipt whose finish is not `running` ends the stream. */
  receipt(signed: SignedReceipt): void;
  /** Ends the stream. */
  failed(error: ErrorBody): void;
  /** False while the socket holds more than it should; asked again at the next tick. */
  readonly writable: boolean;
}

/** What a connection may tell the answer that it was given. Of an answer taken over since, nothing happens. */
export interface Attachment {
  /** False once the answer has ended the outlet's stream, or another outlet has taken over. */
  readonly attached: boolean;
  /** The relay has written `frames` frames to the client. */
  wrote(frames: number): void;
  /** The client has gone: generation stops. */
  cancel(): void;
  /** The connection is gone; the client may come back through another. */
  lost(): void;
}

/** Takes final receipts, which are kept until the gateway acknowledges them. */
export interface ReceiptSink {
  /** `outlet`: the stream that the receipt ends, when it still has one. */
  final(signed: SignedReceipt, outlet: Outlet | undefined): void;
  /** Receipts without an acknowledgement. */
  readonly waiting: number;
}
