import { preferredPort } from "../../processes/port.ts";
import type { StateDirectory } from "../../state/state-directory.ts";
import { globalId } from "../chain-server.ts";
import { builtExplorer } from "../explorer/built-explorer.ts";
import type { LazyTon } from "../lazy-ton.ts";
import type { Settlement } from "./deploy.ts";

/** The chain with the contracts on it, and the page that shows it. */
export interface SettledTon {
  readonly settlement: Settlement;
  readonly explorer: { readonly url: string };
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
  options: {
    readonly blockDelay?: number;
    /** Preferred; a busy one is replaced by a free one, 0 takes any. */
    readonly explorerPort: number;
    readonly onReady?: (part: string) => void;
  },
  giveUp: (reason: unknown) => void,
): PreparedSettlement {
  let preparing: Promise<SettledTon> | undefined;
  let host: AsyncDisposable | undefined;
  const ended = new AbortController();
  const prepare = async (lazy: LazyTon, state: StateDirectory): Promise<SettledTon> => {
    const [ton, { keepOperator }, { deploySettlement }, { Explorer }, { startExplorerHost }] =
      await Promise.all([
        lazy.open(),
        import("./operator-keys.ts"),
        import("./deploy.ts"),
        import("../explorer/explorer.ts"),
        import("../explorer/explorer-host.ts"),
      ]);
    // What a start does itself, nobody waits for.
    ton.setBlockDelay(0);
    const settlement = await deploySettlement(ton, await keepOperator(state, globalId));
    ton.setBlockDelay(options.blockDelay ?? 0);
    // Built beside the start: nobody waits for it but who opens it that soon.
    const page = builtExplorer(ended.signal);
    page.catch(() => undefined);
    const explorer = new Explorer(ton, settlement);
    const port = await preferredPort(options.explorerPort);
    const opened = await startExplorerHost({ explorer, page, port });
    host = opened;
    return { settlement, explorer: { url: opened.url } };
  };
  return {
    begin: (ton, state) => {
      preparing = prepare(ton, state);
      preparing.then(() => options.onReady?.("local TON"), giveUp);
    },
    open: async () => {
      if (!preparing) throw new Error("A network's contracts are there after it has come up.");
      return preparing;
    },
    stop: async () => {
      ended.abort();
      await preparing?.catch(() => undefined);
      await host?.[Symbol.asyncDispose]();
    },
  };
}
