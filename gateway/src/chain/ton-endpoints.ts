import type { Address, Contract, OpenedContract, Transaction } from "@ton/core";
import { TonClient } from "@ton/ton";
import { boundedFetch } from "./bounded-fetch.ts";
import { ChainError, type EndpointAnswer } from "./chain-error.ts";

export interface TonEndpointsOptions {
  /** Base URLs of toncenter-v2 APIs (`…/api/v2`), at least two, of different operators. */
  readonly urls: readonly string[];
  /** Resolves after so many ms. */
  readonly wait: (ms: number) => Promise<void>;
  /** @default fetch */
  readonly fetch?: typeof fetch;
  /** Of one question. @default 10000 */
  readonly timeoutMs?: number;
  /** Endpoints are rarely at the same block: they are asked this often, @default 4 */
  readonly attempts?: number;
  /** and so far apart. @default 700 */
  readonly apartMs?: number;
}

/** An account as two endpoints show it. */
export interface AccountState {
  readonly state: "active" | "uninitialized" | "frozen";
  readonly balanceNano: bigint;
  /** Bags of cells; null for an account without a contract. */
  readonly code: Buffer | null;
  readonly data: Buffer | null;
  /** Its last transaction; null for an account that has none. `hash` is hex. */
  readonly last: { readonly lt: bigint; readonly hash: string } | null;
}

/**
 * The chain as pinned endpoints show it (SETTLEMENT "Off chain"): an answer counts when two of them give the same one.
 * What endpoints do wrong (lag, lie, fail, repeat) ends in an answer that two gave, or in a {@link ChainError}.
 */
export class TonEndpoints {
  readonly urls: readonly string[];
  readonly #clients: readonly TonClient[];
  readonly #wait: (ms: number) => Promise<void>;
  readonly #attempts: number;
  readonly #apartMs: number;

  /** @throws RangeError for fewer than two different URLs */
  constructor(options: TonEndpointsOptions) {
    this.urls = [...new Set(options.urls)];
    if (this.urls.length < 2) throw new RangeError("a chain is read from two different endpoints at least");
    const timeout = options.timeoutMs ?? 10_000;
    const httpAdapter = boundedFetch(options.fetch ?? fetch, timeout);
    this.#clients = this.urls.map(
      (url) => new TonClient({ endpoint: `${url}/jsonRPC`, timeout, httpAdapter }),
    );
    this.#wait = options.wait;
    this.#attempts = options.attempts ?? 4;
    this.#apartMs = options.apartMs ?? 700;
  }

  /**
   * The first answer that two endpoints give.
   * @param what for the error: "the vault", "transactions of …"
   * @param key two answers with the same key are the same
   * @throws ChainError
   */
  async agree<T>(
    what: string,
    read: (client: TonClient) => Promise<T>,
    key: (value: T) => string,
  ): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const answers = await this.each(read);
      const seen = new Set<string>();
      for (const answer of answers) {
        if (answer.status === "rejected") continue;
        const id = key(answer.value);
        if (seen.has(id)) return answer.value;
        seen.add(id);
      }
      if (attempt >= this.#attempts) throw this.error(what, answers, key);
      await this.#wait(this.#apartMs);
    }
  }

  /**
   * A get-method of a contract's wrapper, as two endpoints answer it.
   * @throws ChainError
   */
  read<C extends Contract, T>(
    what: string,
    contract: C,
    read: (opened: OpenedContract<C>) => Promise<T>,
    key: (value: T) => string = keyOf,
  ): Promise<T> {
    return this.agree(what, (client) => read(client.open(contract)), key);
  }

  /** @throws ChainError */
  account(address: Address): Promise<AccountState> {
    return this.agree(
      `account ${address.toRawString()}`,
      async (client) => {
        const { state, balance, code, data, lastTransaction } = await client.getContractState(address);
        return {
          state,
          balanceNano: balance,
          code,
          data,
          last: lastTransaction && {
            lt: BigInt(lastTransaction.lt),
            hash: Buffer.from(lastTransaction.hash, "base64").toString("hex"),
          },
        };
      },
      keyOf,
    );
  }

  /** What each endpoint answers, unjudged and in the order of {@link urls}. */
  each<T>(read: (client: TonClient) => Promise<T>): Promise<PromiseSettledResult<T>[]> {
    return Promise.allSettled(this.#clients.map(read));
  }

  /**
   * Hands a message from outside to every endpoint; one that takes it suffices. A message that was applied already is
   * refused by all: whoever follows it looks at the chain.
   * @throws ChainError when none takes it
   */
  async send(boc: Uint8Array): Promise<void> {
    const answers = await this.each((client) => client.sendFile(Buffer.from(boc)));
    if (answers.some(({ status }) => status === "fulfilled")) return;
    throw this.error("a message", answers, () => "taken");
  }

  error<T>(what: string, answers: readonly PromiseSettledResult<T>[], key: (value: T) => string): ChainError {
    const told = answers.map(
      (answer, at): EndpointAnswer => ({
        endpoint: new URL(this.urls[at] ?? "").origin,
        answer: (answer.status === "fulfilled" ? key(answer.value) : wordsOf(answer.reason)).slice(0, 200),
      }),
    );
    const answered = answers.filter(({ status }) => status === "fulfilled").length;
    return new ChainError(answered < 2 ? "unreachable" : "disagreement", what, told);
  }
}

const wordsOf = (reason: unknown): string => (reason instanceof Error ? reason.message : String(reason));

/** Two values with the same content have the same key: bigint, bytes, cells and addresses included. */
export function keyOf(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === "bigint") return `${part}n`;
    // Cells, and addresses, say all that they are.
    if (typeof part === "object" && part !== null && "toBoc" in part) return String(part);
    if (part instanceof Map || part instanceof Set) return [...part];
    return part;
  });
}

/** Where a transaction stands in its account's chain. `hash` is hex. */
export interface Place {
  readonly lt: bigint;
  readonly hash: string;
}

export const placeOf = (transaction: Transaction): Place => ({
  lt: transaction.lt,
  hash: transaction.hash().toString("hex"),
});

/** Of the transaction before it; null for an account's first. */
export const placeBefore = ({ prevTransactionLt, prevTransactionHash }: Transaction): Place | null =>
  prevTransactionLt === 0n
    ? null
    : { lt: prevTransactionLt, hash: prevTransactionHash.toString(16).padStart(64, "0") };
