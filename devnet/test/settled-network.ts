import { credited } from "../src/chain/settlement/credited.ts";
import {
  prepareSettlement,
  type SettledTon,
  type SettlementOptions,
} from "../src/chain/settlement/prepare.ts";
import { clientInProcess } from "../src/chain/ton/client.ts";
import type { LocalTon } from "../src/chain/ton/local-ton.ts";
import type { NetworkOptions } from "../src/network.ts";
import { startNetwork, type TestNetwork } from "./network.ts";

/** A test's network whose money is on the chain, as `npm start` has it. */
export interface SettledNetwork extends TestNetwork {
  readonly settled: SettledTon;
  readonly chainOfMoney: LocalTon;
  readonly client: ReturnType<typeof clientInProcess>;
}

const allowanceNano = "100000000000";

export async function startSettledNetwork(
  options: Partial<NetworkOptions> & Partial<SettlementOptions> = {},
): Promise<SettledNetwork> {
  const gaveUp = new AbortController();
  const settlement = prepareSettlement(
    { explorerPort: 0, allowanceNano, epochMs: 1_000, pollMs: 200, ...options },
    (reason) => gaveUp.abort(reason),
  );
  const network = await startNetwork({
    ...options,
    signal: gaveUp.signal,
    milestones: { chain: settlement.begin, stopping: settlement.stop },
  });
  const settled = await settlement.open();
  if (settled.deposited) await credited(network.gateway.url, network.apiKey);
  const chainOfMoney = await network.ton.open();
  return { ...network, settled, chainOfMoney, client: clientInProcess(chainOfMoney) };
}
