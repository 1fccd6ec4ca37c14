import * as z from "zod";
import { count, fromBase64, toHex } from "../wire/encoding.ts";
import type { Block, ChainView } from "./chain-view.ts";
import { refusal } from "./error.ts";

/** A masterchain block's place in toncenter's API: workchain −1, the one shard. */
const masterchain = { workchain: "-1", shard: "-9223372036854775808" };

const answer = z.union([
  z.object({ ok: z.literal(true), result: z.unknown() }),
  z.object({ ok: z.literal(false), error: z.string() }),
]);
const masterchainInfo = z.object({ last: z.object({ seqno: count }) });
const blockHeader = z.object({
  id: z.object({ workchain: z.literal(-1), seqno: count, root_hash: z.string() }),
  /** Seconds. */
  gen_utime: count,
});

export interface ToncenterOptions {
  /** Base URLs of toncenter-v2 APIs, e.g. https://toncenter.com/api/v2; at least two, of different operators. */
  readonly endpoints: readonly string[];
  /** Name that statements give this chain. */
  readonly chain: string;
  readonly fetch: (url: string, init: { signal: AbortSignal }) => Promise<Response>;
  /** @default 5000 per question */
  readonly timeoutMs?: number;
}

/**
 * The chain as pinned endpoints show it: an answer counts when two of them give the same one.
 * No endpoint that a gateway's operator runs belongs on the list (PROTOCOL §4, ChainView).
 */
export function toncenterChainView(options: ToncenterOptions): ChainView {
  const { chain, fetch, timeoutMs = 5_000 } = options;
  const endpoints = [...new Set(options.endpoints)];

  async function ask(endpoint: string, method: string, query: Record<string, string>): Promise<unknown> {
    const url = `${endpoint}/${method}?${new URLSearchParams(query)}`;
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    const body = answer.parse(await response.json());
    if (body.ok) return body.result;
    if (/not found|not in db/i.test(body.error)) return undefined;
    throw new Error(`${method} of ${endpoint} answered: ${body.error}`);
  }

  async function header(endpoint: string, seqno: number): Promise<Block | undefined> {
    const result = await ask(endpoint, "getBlockHeader", { ...masterchain, seqno: String(seqno) });
    if (result === undefined) return undefined;
    const { id, gen_utime } = blockHeader.parse(result);
    const hash = fromBase64(id.root_hash);
    if (id.seqno !== seqno || hash.length !== 32) throw new Error(`${endpoint} answered with another block`);
    return { chain, seqno, hash: toHex(hash), at: gen_utime * 1_000 };
  }

  const block = (seqno: number): Promise<Block | undefined> =>
    firstAgreement(
      endpoints.map((endpoint) => header(endpoint, seqno)),
      (found) => (found === undefined ? "none" : `${found.hash} ${found.at}`),
    );

  return {
    block,
    async latest() {
      const heights = await Promise.allSettled(
        endpoints.map(
          async (endpoint) => masterchainInfo.parse(await ask(endpoint, "getMasterchainInfo", {})).last.seqno,
        ),
      );
      const reached = heights
        .flatMap((height) => (height.status === "fulfilled" ? [height.value] : []))
        .sort((a, b) => b - a);
      // The endpoints are rarely at the same block: the second highest has been reached by two.
      const [, seqno] = reached;
      const found = seqno === undefined ? undefined : await block(seqno);
      if (found === undefined) throw noAgreement(endpoints.length);
      return found;
    },
  };
}

const noAgreement = (asked: number, cause?: unknown) =>
  refusal(
    "CHAIN_VIEW",
    `No two of the ${asked} chain endpoints gave the same answer, so the age of the quote cannot be judged.`,
    cause,
  );

/** Resolves with the first answer that two give, without waiting for the others. */
function firstAgreement<T>(answers: readonly Promise<T>[], key: (answer: T) => string): Promise<T> {
  return new Promise((resolve, reject) => {
    const seen = new Set<string>();
    const failures: unknown[] = [];
    let open = answers.length;
    const settle = () => {
      open--;
      if (open === 0) reject(noAgreement(answers.length, new AggregateError(failures)));
    };
    if (answers.length === 0) reject(noAgreement(0));
    for (const answer of answers) {
      answer.then(
        (value) => {
          const id = key(value);
          if (seen.has(id)) resolve(value);
          seen.add(id);
          settle();
        },
        (failure: unknown) => {
          failures.push(failure);
          settle();
        },
      );
    }
  });
}
