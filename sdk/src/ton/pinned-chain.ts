import { BombyxError } from "@bombyx/protocol/wire";
import { Cell, loadTransaction, type Transaction } from "@ton/core";
import * as z from "zod";

/** What of `fetch` is used. */
export type ChainFetch = (url: string, init: { signal: AbortSignal }) => Promise<Response>;

export interface AccountState {
  readonly state: "active" | "uninitialized" | "frozen";
  readonly balanceNano: bigint;
  /** Its contract's storage, a bag of cells in base64; null for an account without a contract. */
  readonly data: string | null;
}

const answerSchema = z.object({
  ok: z.boolean(),
  result: z.unknown().optional(),
  error: z.string().optional(),
});
const accountSchema = z.object({
  balance: z.union([z.string(), z.number()]).transform((nano) => BigInt(nano)),
  state: z.enum(["active", "uninitialized", "frozen"]),
  data: z.string().default(""),
});
const transactionsSchema = z.array(
  z.object({ data: z.string(), transaction_id: z.object({ hash: z.string() }) }),
);

const timeoutMs = 8_000;
const seenAtOnce = 20;

/**
 * Accounts of the chain as pinned endpoints show them (SETTLEMENT "TON Connect"): something happened when two of them
 * say so. No endpoint that a gateway's operator runs belongs among them.
 */
export class PinnedChain {
  readonly #endpoints: readonly string[];
  readonly #fetch: ChainFetch;

  /** @param endpoints base URLs of toncenter-v2 APIs of different operators. */
  constructor(endpoints: readonly string[], fetch: ChainFetch = (url, init) => globalThis.fetch(url, init)) {
    this.#endpoints = [...new Set(endpoints)];
    this.#fetch = fetch;
  }

  /** @throws BombyxError CHAIN_UNAVAILABLE when no two endpoints agree. */
  async account(address: string, signal: AbortSignal): Promise<AccountState> {
    const answers = await this.#ask("getAddressInformation", { address }, accountSchema, signal);
    const counted = new Map<string, AccountState>();
    for (const { state, balance, data } of answers) {
      const key = `${state} ${balance} ${data}`;
      const before = counted.get(key);
      if (before) return before;
      counted.set(key, { state, balanceNano: balance, data: data === "" ? null : data });
    }
    throw noAgreement();
  }

  /**
   * Latest transactions of an account that two endpoints know, newest first. Each is hashed here: an endpoint can
   * leave one out, and not make one up.
   * @throws BombyxError CHAIN_UNAVAILABLE when fewer than two endpoints answer.
   */
  async transactions(address: string, signal: AbortSignal): Promise<readonly Transaction[]> {
    const limit = String(seenAtOnce);
    const answers = await this.#ask(
      "getTransactions",
      { address, limit, archival: "true" },
      transactionsSchema,
      signal,
    );
    const seen = new Map<string, { transaction: Transaction; voices: number }>();
    for (const answer of answers) {
      for (const hash of new Set(answer.map(({ transaction_id }) => transaction_id.hash))) {
        const known = seen.get(hash);
        if (known) {
          known.voices++;
          continue;
        }
        const data = answer.find(({ transaction_id }) => transaction_id.hash === hash)?.data ?? "";
        const cell = Cell.fromBase64(data);
        if (cell.hash().toString("base64") !== hash) continue;
        seen.set(hash, { transaction: loadTransaction(cell.beginParse()), voices: 1 });
      }
    }
    return [...seen.values()]
      .filter(({ voices }) => voices >= 2)
      .map(({ transaction }) => transaction)
      .sort((one, other) => Number(other.lt - one.lt));
  }

  /** Answers of all endpoints that gave one. @throws BombyxError CHAIN_UNAVAILABLE when fewer than two did. */
  async #ask<T extends z.ZodType>(
    method: string,
    query: Record<string, string>,
    schema: T,
    signal: AbortSignal,
  ): Promise<z.output<T>[]> {
    const answers = await Promise.allSettled(
      this.#endpoints.map(async (endpoint) => {
        const url = `${endpoint}/${method}?${new URLSearchParams(query)}`;
        const within = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]);
        const body = answerSchema.parse(await (await this.#fetch(url, { signal: within })).json());
        if (!body.ok) throw new Error(body.error);
        return schema.parse(body.result);
      }),
    );
    signal.throwIfAborted();
    const given = answers.flatMap((answer) => (answer.status === "fulfilled" ? [answer.value] : []));
    if (given.length < 2) throw noAgreement();
    return given;
  }
}

const noAgreement = (): BombyxError =>
  new BombyxError(
    "CHAIN_UNAVAILABLE",
    "Two endpoints of the chain must agree, and they do not answer or differ; try again.",
  );
