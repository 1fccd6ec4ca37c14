import type { OnChain } from "../../network.ts";
import { developer } from "../../processes/gateway.ts";
import { preferredPort } from "../../processes/port.ts";
import type { StateDirectory } from "../../state/state-directory.ts";
import { globalId } from "../chain-server.ts";
import { builtExplorer } from "../explorer/built-explorer.ts";
import type { LazyTon } from "../lazy-ton.ts";
import type { Settlement } from "./deploy.ts";
import type { KeyedWallet } from "./operator-keys.ts";

/** The chain with the contracts on it, and the page that shows it. */
export interface SettledTon {
  readonly settlement: Settlement;
  readonly explorer: { readonly url: string };
  /** Wallets of those who own this devnet's nodes, by the node's name. */
  readonly owners: ReadonlyMap<string, KeyedWallet>;
  /** The developer's allowance was deposited just now: the gateway sees it at one of its next looks. */
  readonly deposited: boolean;
}

/** Brings the contracts onto the chain beside a network that is coming up. */
export interface PreparedSettlement {
  /** @returns what gateway and nodes are told; the contracts arrive meanwhile. */
  begin(
    ton: LazyTon,
    state: StateDirectory,
    network: { readonly endpoints: readonly string[]; readonly names: readonly string[] },
  ): Promise<OnChain>;
  /** @throws Error in the words of what does not come up */
  open(): Promise<SettledTon>;
  stop(): Promise<void>;
}

export interface SettlementOptions {
  readonly blockDelay?: number;
  /** Preferred; a busy one is replaced by a free one, 0 takes any. */
  readonly explorerPort: number;
  /** nanoTON that the operator deposits for this devnet's developer. */
  readonly allowanceNano: string;
  /** From one epoch to the next, at least. @default 10000 */
  readonly epochMs?: number;
  /** How often the gateway looks at the chain. @default 1000 */
  readonly pollMs?: number;
  readonly onReady?: (part: string) => void;
}

/** @param giveUp called when it does not come up: the network need not go on. */
export function prepareSettlement(
  options: SettlementOptions,
  giveUp: (reason: unknown) => void,
): PreparedSettlement {
  let preparing: Promise<SettledTon> | undefined;
  let host: AsyncDisposable | undefined;
  const ended = new AbortController();
  const prepare = async (
    lazy: LazyTon,
    settlement: Settlement,
    owners: SettledTon["owners"],
    port: number,
  ): Promise<SettledTon> => {
    const [
      ton,
      { deploySettlement, depositAllowance },
      { sponsorName },
      { Explorer },
      { startExplorerHost },
    ] = await Promise.all([
      lazy.open(),
      import("./deploy.ts"),
      import("@bombyx/gateway/sponsor-name"),
      import("../explorer/explorer.ts"),
      import("../explorer/explorer-host.ts"),
    ]);
    // What a start does itself, nobody waits for.
    ton.setBlockDelay(0);
    await deploySettlement(ton, settlement.operator);
    const deposited = await depositAllowance(ton, settlement, {
      sponsor: sponsorName(developer),
      nano: BigInt(options.allowanceNano),
    });
    ton.setBlockDelay(options.blockDelay ?? 0);
    // Built beside the start: nobody waits for it but who opens it that soon.
    const page = builtExplorer(ended.signal);
    page.catch(() => undefined);
    const explorer = new Explorer(ton, settlement);
    const opened = await startExplorerHost({ explorer, page, port });
    host = opened;
    return { settlement, explorer: { url: opened.url }, owners, deposited };
  };
  return {
    begin: async (ton, state, { endpoints, names }) => {
      const [{ keepOperator, keepOwnerWallets, writeHotSeeds }, { settlementOf }] = await Promise.all([
        import("./operator-keys.ts"),
        import("./deploy.ts"),
      ]);
      const settlement = settlementOf(await keepOperator(state, globalId));
      const owners = await keepOwnerWallets(state, names, globalId);
      const port = await preferredPort(options.explorerPort);
      preparing = prepare(ton, settlement, owners, port);
      preparing.then(() => options.onReady?.("local TON"), giveUp);
      const file = await state.write(
        "settlement.json",
        JSON.stringify({
          globalId,
          vault: settlement.vault.address.toRawString(),
          registry: settlement.registry.address.toRawString(),
          endpoints,
          ...(await writeHotSeeds(state)),
          epochMs: options.epochMs ?? 10_000,
          heldMs: 0,
          pollMs: options.pollMs ?? 1_000,
          ...(port !== 0 && { explorer: `http://127.0.0.1:${port}/#/account` }),
        }),
      );
      return {
        environment: { BOMBYX_SETTLEMENT: file },
        payoutOf: (name) => owners.get(name)?.wallet.address.toRawString(),
      };
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
