import type { Address, Transaction } from "@ton/core";
import type { TonClient } from "@ton/ton";
import { ChainError } from "./chain-error.ts";
import { type Place, placeBefore, placeOf, type TonEndpoints } from "./ton-endpoints.ts";

export interface AccountWatcherOptions {
  readonly endpoints: TonEndpoints;
  readonly address: Address;
  /** The last transaction that was dealt with; null begins with the account's first. */
  readonly cursor: Place | null;
  /**
   * Deals with transactions, oldest first, and keeps `cursor` when that is done: what comes after it is told next time,
   * and after a crash in between the same once more. So it must be idempotent, by `lt`.
   */
  readonly onTransactions: (transactions: readonly Transaction[], cursor: Place) => Promise<void>;
  /** Transactions of one question. @default 50 */
  readonly page?: number;
}

/** Of one call of {@link AccountWatcherOptions.onTransactions}. */
const batch = 100;

/**
 * Follows an account's transactions from a cursor, each once and in order, replaying from any cursor the same. An
 * endpoint's list counts only as a chain: each transaction is the cell that hashes to its name and names the one before
 * it, down to the cursor. So order, gaps, repetitions and edits of a list do not matter, and of a chain only that part
 * is told which a second endpoint has, too.
 */
export class AccountWatcher {
  readonly #options: AccountWatcherOptions;
  #cursor: Place | null;
  #polling: Promise<number> | undefined;

  constructor(options: AccountWatcherOptions) {
    this.#options = options;
    this.#cursor = options.cursor;
  }

  get cursor(): Place | null {
    return this.#cursor;
  }

  /**
   * Tells what is new; a second call while one runs joins it.
   * @returns how many transactions
   * @throws ChainError when fewer than two endpoints gave a chain, or two gave different ones; the cursor stays then
   */
  poll(): Promise<number> {
    this.#polling ??= this.#poll().finally(() => {
      this.#polling = undefined;
    });
    return this.#polling;
  }

  async #poll(): Promise<number> {
    const { endpoints, address, onTransactions } = this.#options;
    const answers = await endpoints.each((client) => this.#chain(client));
    const chains = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    const what = `transactions of ${address.toRawString()}`;
    if (chains.length < 2) throw endpoints.error(what, answers, (chain) => `${chain.length} transactions`);
    const agreed = agreedPart(chains);
    if (agreed === undefined) throw new ChainError("disagreement", what, firstsOf(endpoints.urls, answers));
    for (let from = 0; from < agreed.length; from += batch) {
      const part = agreed.slice(from, from + batch);
      const last = part.at(-1) as Transaction;
      const cursor = placeOf(last);
      await onTransactions(part, cursor);
      this.#cursor = cursor;
    }
    return agreed.length;
  }

  /** What one endpoint has after the cursor, oldest first. @throws Error when it is no chain down to the cursor */
  async #chain(client: TonClient): Promise<Transaction[]> {
    const { address, page = 50 } = this.#options;
    const cursor = this.#cursor;
    const { lastTransaction } = await client.getContractState(address);
    let wanted: Place | null = lastTransaction && {
      lt: BigInt(lastTransaction.lt),
      hash: Buffer.from(lastTransaction.hash, "base64").toString("hex"),
    };
    const chain: Transaction[] = [];
    while (wanted !== null && (cursor === null || wanted.lt > cursor.lt)) {
      const listed = await client.getTransactions(address, {
        limit: page,
        lt: String(wanted.lt),
        hash: Buffer.from(wanted.hash, "hex").toString("base64"),
        inclusive: true,
        archival: true,
      });
      const byLt = new Map(listed.map((transaction) => [transaction.lt, transaction]));
      const before = chain.length;
      for (let next = byLt.get(wanted.lt); next !== undefined; ) {
        assertIs(next, wanted, address);
        chain.push(next);
        wanted = placeBefore(next);
        if (wanted === null || (cursor !== null && wanted.lt <= cursor.lt)) break;
        next = byLt.get(wanted.lt);
      }
      if (chain.length === before) throw new Error(`the list lacks the transaction at lt ${wanted?.lt}`);
    }
    // An endpoint that is behind the cursor has nothing new; one that is past it must lead to it.
    const reached = cursor === null ? wanted === null : chain.length === 0 || same(wanted, cursor);
    if (!reached) throw new Error("the list does not lead to what was seen before");
    return chain.reverse();
  }
}

const same = (one: Place | null, other: Place | null): boolean =>
  one?.lt === other?.lt && one?.hash === other?.hash;

function assertIs(transaction: Transaction, place: Place, address: Address): void {
  const own = BigInt(`0x${address.hash.toString("hex")}`);
  if (!same(placeOf(transaction), place) || transaction.address !== own) {
    throw new Error(`the transaction at lt ${place.lt} is not the one that is named`);
  }
}

/** The longest beginning that two chains share; `undefined` when two have something and nothing in common. */
function agreedPart(chains: readonly (readonly Transaction[])[]): readonly Transaction[] | undefined {
  const counted = new Map<string, number>();
  for (const chain of chains) {
    for (const transaction of chain) {
      const { hash } = placeOf(transaction);
      counted.set(hash, (counted.get(hash) ?? 0) + 1);
    }
  }
  let best: readonly Transaction[] = [];
  for (const chain of chains) {
    const length =
      chain.findLastIndex((transaction) => (counted.get(placeOf(transaction).hash) ?? 0) > 1) + 1;
    if (length > best.length) best = chain.slice(0, length);
  }
  const telling = chains.filter((chain) => chain.length > 0);
  return best.length === 0 && telling.length > 1 ? undefined : best;
}

const firstsOf = (
  urls: readonly string[],
  answers: readonly PromiseSettledResult<readonly Transaction[]>[],
) =>
  answers.map((answer, at) => ({
    endpoint: new URL(urls[at] ?? "").origin,
    answer:
      answer.status === "fulfilled"
        ? (answer.value[0]?.hash().toString("hex") ?? "nothing new")
        : String(answer.reason),
  }));
