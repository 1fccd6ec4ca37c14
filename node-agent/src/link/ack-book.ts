import { firstReceiptsHash, nextReceiptsHash } from "@bombyx/protocol/receipt";
import { verifySignature } from "@bombyx/protocol/session";
import { type Ack, fromHex, type Receipt } from "@bombyx/protocol/wire";
import type { OwnAccount } from "../settlement/own-account.ts";
import { ackHash } from "../settlement/signed-ack.ts";

/** Why an Ack was not taken. */
export type AckRefusal = "signature" | "account" | "chain" | "amount";

/**
 * The gateway's word on what it owes: each Ack must be signed, count on from the one before and chain
 * its receipts. The last one is the owner's proof, so a worse one never replaces it.
 */
export class AckBook {
  readonly #account: OwnAccount;
  #ackPk: Uint8Array;
  #last: Ack | undefined;

  constructor(account: OwnAccount, ackPk: string, last?: Ack) {
    this.#account = account;
    this.#ackPk = fromHex(ackPk);
    this.#last = last;
  }

  get last(): Ack | undefined {
    return this.#last;
  }

  /** The gateway's key after a reconnect. */
  rotate(ackPk: string): void {
    this.#ackPk = fromHex(ackPk);
  }

  /**
   * Takes the Ack for `receipt`. Acks may be lost on the way, and a lost answer's running receipt is
   * settled without one, so a gap in the count is no refusal; without a gap the chain must be exact.
   * @param resent the receipt came back after its link was lost: its answer may have been settled by
   * the running receipt that the client brought, and then the chain holds that one in its place.
   * @returns why it was not taken
   */
  take(receipt: Receipt, ack: Ack, signature: string, resent = false): AckRefusal | undefined {
    if (!verifySignature(fromHex(signature), ackHash(ack), this.#ackPk)) return "signature";
    if (ack.account !== this.#account.hashAt(ack.vault)) return "account";
    const last = this.#last;
    // A receipt sent twice is answered with what stands; what proves less never replaces the last.
    if (last && ack.n <= last.n) return undefined;
    if (last && BigInt(ack.cumulativeNano) < BigInt(last.cumulativeNano)) return "amount";
    const previous = ack.n === 1 ? firstReceiptsHash : ack.n - 1 === last?.n ? last.receiptsHash : undefined;
    const chained = previous === undefined || nextReceiptsHash(previous, receipt) === ack.receiptsHash;
    if (!chained && !resent) return "chain";
    this.#last = ack;
    return undefined;
  }
}
