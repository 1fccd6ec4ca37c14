import { firstReceiptsHash, nextReceiptsHash } from "@bombyx/protocol/receipt";
import { verifySignature } from "@bombyx/protocol/session";
import { type Ack, fromHex, type Receipt } from "@bombyx/protocol/wire";
import { ackCell } from "../settlement/ack-cell.ts";

/** Why an Ack was not taken. */
export type AckRefusal = "signature" | "network" | "vault" | "account" | "index" | "receipts" | "amount";

/** What every Ack of this link must name: this node's own account at the pinned vault. */
export interface AckTerms {
  readonly globalId: number;
  /** Address hash, hex; zeros when nothing is settled on chain. */
  readonly vault: string;
  /** Address hash of this node's NodeAccount, hex; zeros without a payout wallet. */
  readonly account: string;
  /** Hex. */
  readonly ackPk: string;
}

/**
 * The gateway's word on what it owes: each Ack must be signed as the vault would check it, count on from the one before
 * and chain its receipts. The last one is the owner's proof, so a worse one never replaces it.
 */
export class AckBook {
  readonly #terms: AckTerms;
  readonly #ackPk: Uint8Array;
  #last: Ack | undefined;

  constructor(terms: AckTerms, last?: Ack) {
    this.#terms = terms;
    this.#ackPk = fromHex(terms.ackPk);
    // What was acknowledged under other terms proves nothing under these; it stays on disk until one of these comes.
    const ours = last && last.vault === terms.vault && last.account === terms.account;
    this.#last = ours && last.globalId === terms.globalId ? last : undefined;
  }

  get last(): Ack | undefined {
    return this.#last;
  }

  /**
   * Takes the Ack for `receipt`. Acks may be lost on the way, and a lost answer's running receipt is
   * settled without one, so a gap in the count is no refusal; without a gap the chain must be exact.
   * @param resent the receipt came back after its link was lost: its answer may have been settled by
   * the running receipt that the client brought, and then the chain holds that one in its place.
   * @returns why it was not taken
   */
  take(receipt: Receipt, ack: Ack, signature: string, resent = false): AckRefusal | undefined {
    const { globalId, vault, account } = this.#terms;
    // Compared first: they are cheap, and an honest gateway of another network should hear what differs.
    if (ack.globalId !== globalId) return "network";
    if (ack.vault !== vault) return "vault";
    if (ack.account !== account) return "account";
    if (BigInt(ack.heldNano) > BigInt(ack.cumulativeNano)) return "amount";
    if (!verifySignature(fromHex(signature), ackCell(ack).hash(), this.#ackPk)) return "signature";
    const last = this.#last;
    if (last && ack.index !== last.index) return "index";
    // A receipt sent twice is answered with what stands; what proves less never replaces the last.
    if (last && ack.n <= last.n) return undefined;
    if (last && BigInt(ack.cumulativeNano) < BigInt(last.cumulativeNano)) return "amount";
    const previous = ack.n === 1 ? firstReceiptsHash : ack.n - 1 === last?.n ? last.receiptsHash : undefined;
    const chained = previous === undefined || nextReceiptsHash(previous, receipt) === ack.receiptsHash;
    if (!chained && !resent) return "receipts";
    this.#last = ack;
    return undefined;
  }
}
