import { receiptId } from "@bombyx/protocol/receipt";
import type { SignedReceipt } from "@bombyx/protocol/wire";
import type { Outlet, ReceiptSink } from "../enclave/outlet.ts";

/** Stream of receipts whose own stream is gone. */
export const receiptsStream = 0;

/** Final receipts until the gateway has acknowledged each: a node is not at the mercy of one that drops them. */
export class ReceiptOutbox implements ReceiptSink {
  readonly #waiting = new Map<string, SignedReceipt>();
  readonly #onWaiting: (count: number) => void;
  #resend: ((signed: SignedReceipt) => void) | undefined;

  /** @param onWaiting told how many wait, after each change */
  constructor(onWaiting: (count: number) => void = () => {}) {
    this.#onWaiting = onWaiting;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  final(signed: SignedReceipt, outlet: Outlet | undefined): void {
    this.#waiting.set(receiptId(signed.receipt), signed);
    this.#onWaiting(this.#waiting.size);
    if (outlet) outlet.receipt(signed);
    else this.#resend?.(signed);
  }

  /** A gateway is there: what waits goes out again, oldest first, and so does what comes without a stream. */
  connected(send: (signed: SignedReceipt) => void): void {
    this.#resend = send;
    for (const signed of this.#waiting.values()) send(signed);
  }

  disconnected(): void {
    this.#resend = undefined;
  }

  acknowledged(signed: SignedReceipt): void {
    if (this.#waiting.delete(receiptId(signed.receipt))) this.#onWaiting(this.#waiting.size);
  }
}
