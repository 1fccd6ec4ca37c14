import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { StateDirectory } from "../state/state-directory.ts";
import { DisputeWallet, disputeFundsNano, disputeLeastNano } from "./dispute-wallet.ts";
import { gramText } from "./gram.ts";
import { keptNodes } from "./kept-evidence.ts";
import { shown } from "./orders.ts";
import { toncenterReader } from "./vault-reader.ts";

/**
 * The wallet that the nodes of a state folder dispute from; undefined when none of them is paid on chain.
 * @param endpoints as `--chain-endpoints` has them
 */
export async function disputePurse(state: string | undefined, endpoints: string | undefined) {
  const folder = state ?? process.env.BOMBYX_STATE ?? join(homedir(), ".bombyx", "node");
  const listed = endpoints ?? process.env.BOMBYX_CHAIN_ENDPOINTS;
  // Who only looks makes no folder.
  if (!existsSync(folder)) return undefined;
  const directory = await StateDirectory.open(folder);
  const [node] = await keptNodes(directory);
  if (!node) return undefined;
  const { globalId } = node.pin;
  const { address } = await DisputeWallet.open(directory, globalId);
  const chain =
    listed === undefined
      ? undefined
      : toncenterReader(
          listed.split(",").map((one) => one.trim()),
          fetch,
          (ms) => sleep(ms).then(() => {}),
        );
  const balanceNano = await chain?.balanceNano(address).catch(() => undefined);
  return {
    address: shown(address, globalId, false),
    balanceGram: balanceNano === undefined ? undefined : gramText(balanceNano),
    shouldHoldGram: gramText(disputeFundsNano),
    enough: balanceNano === undefined ? undefined : balanceNano >= disputeLeastNano,
  };
}
