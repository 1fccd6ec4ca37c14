import { TonClient } from "@ton/ton";
import type { BlockClock } from "../block-clock.ts";
import { answer } from "../chain-server.ts";
import type { LocalTon } from "./local-ton.ts";
import { call } from "./toncenter/methods.ts";

/** The `TonClient` of @ton/ton for a chain in this process: the same answers as over HTTP, without a socket. */
export function clientInProcess(ton: LocalTon): TonClient {
  const chain: { clock: BlockClock; now: () => number } = { clock: ton.clock, now: () => ton.now() };
  const accounts = async () => (method: string, parameters: unknown) => call(ton, method, parameters);
  return new TonClient({
    endpoint: "http://local-ton/api/v2/jsonRPC",
    httpAdapter: async (config) => {
      const { method, params } = JSON.parse(String(config.data)) as { method: string; params: unknown };
      const { status, body } = await answer(method, params, { ...chain, accounts });
      return { data: body, status, statusText: "", headers: {}, config };
    },
  });
}
