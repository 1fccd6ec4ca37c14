import type { StateDirectory } from "../../state/state-directory.ts";
import { globalId } from "../chain-server.ts";
import type { LazyTon } from "../lazy-ton.ts";
import type { Settlement } from "./deploy.ts";

/** The chain with the contracts on it, and the page that shows it. */
export interface SettledTon {
  readonly settlement: Settlement;
}

/** Brings the contracts onto the chain beside a network that is coming up. */
export interface PreparedSettlement {
  begin(ton: LazyTon, state: StateDirectory): void;
  /** @throws Error in the words of what does not come up */
  open(): Promise<SettledTon>;
  stop(): Promise<void>;
}

/** @param giveUp called when it does not come up: the network need not go on. */
export function prepareSettlement(
  options: { readonly blockDelay?: number; readonly onReady?: (part: string) => void },
  giveUp: (reason: unknown) => void,
): PreparedSettlement {
  let preparing: Promise<SettledTon> | undefined;
  const prepare = async (lazy: LazyTon, state: StateDirectory): Promise<SettledTon> => {
    const [ton, { keepOperator }, { deploySettlement }] = await Promise.all([
      lazy.open(),
      import("./operator-keys.ts"),
      import("./deploy.ts"),
    ]);
    // What a start does itself, nobody waits for.
    ton.setBlockDelay(0);
    const settlement = await deploySettlement(ton, await keepOperator(state, globalId));
    ton.setBlockDelay(options.blockDelay ?? 0);
    return { settlement };
  };
  return {
    begin: (ton, state) => {
      preparing = prepare(ton, state);
      preparing.then(() => options.onReady?.("contracts"), giveUp);
    },
    open: async () => {
      if (!preparing) throw new Error("A network's contracts are there after it has come up.");
      return preparing;
    },
    stop: async () => {
      await preparing?.catch(() => undefined);
    },
  };
}
