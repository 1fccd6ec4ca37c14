import { Cell } from "@ton/core";
import { configParse18, configParseGasLimitsPrices, configParseMsgPrices, TonClient } from "@ton/ton";
import * as z from "zod";
import { CommandError } from "./command-error.ts";
import type { Prices } from "./prices.ts";

/** A toncenter-v2 API, and what its network asks for. */
export interface Endpoint {
  readonly client: TonClient;
  readonly url: string;
  /** -239 mainnet, -3 testnet, -2026 a devnet. */
  readonly globalId: number;
  readonly prices: Prices;
}

const answer = z.object({ ok: z.boolean(), result: z.unknown().optional(), error: z.unknown().optional() });
const masterchainInfo = z.object({
  last: z.object({ workchain: z.number(), shard: z.string(), seqno: z.number() }),
});
const header = z.object({ global_id: z.number() });
const parameter = z.object({ config: z.object({ bytes: z.string() }) });

const basechain = { gas: 21, messages: 25, storage: 18 } as const;

/**
 * @param base of the API, with or without /jsonRPC
 * @throws {CommandError} ENDPOINT_FAILED
 */
export async function openEndpoint(base: string, apiKey: string | undefined): Promise<Endpoint> {
  const url = /\/jsonRPC\/?$/.test(base) ? base : `${base.replace(/\/$/, "")}/jsonRPC`;
  const ask = async <T extends z.ZodType>(
    method: string,
    params: object,
    schema: T,
  ): Promise<z.output<T>> => {
    try {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": "application/json", ...(apiKey !== undefined && { "x-api-key": apiKey }) },
        body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
        signal: AbortSignal.timeout(20_000),
      });
      const { ok, result, error } = answer.parse(await response.json());
      if (!ok) throw new Error(`${method}: ${String(error)}`);
      return schema.parse(result);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      throw new CommandError(
        "ENDPOINT_FAILED",
        `${url} does not answer as a toncenter-v2 API: ${words}`,
        error,
      );
    }
  };
  const { last } = await ask("getMasterchainInfo", {}, masterchainInfo);
  const { global_id: globalId } = await ask("getBlockHeader", last, header);
  const read = async (id: number): Promise<Cell> => {
    const { config } = await ask("getConfigParam", { config_id: id }, parameter);
    return Cell.fromBase64(config.bytes);
  };
  const [gas, messages, storage] = await Promise.all(
    [basechain.gas, basechain.messages, basechain.storage].map(read),
  );
  return {
    client: new TonClient({ endpoint: url, ...(apiKey !== undefined && { apiKey }) }),
    url,
    globalId,
    prices: {
      gas: configParseGasLimitsPrices(gas?.beginParse()),
      messages: configParseMsgPrices(messages?.beginParse()),
      storage: configParse18(storage?.beginParse()),
    },
  };
}
