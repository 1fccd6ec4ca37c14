import { credited } from "./chain/settlement/credited.ts";
import { prepareSettlement, type SettledTon } from "./chain/settlement/prepare.ts";
import { type Network, type NetworkOptions, startNetwork } from "./network.ts";
import { type FaceOptions, type OpenFaces, prepareFaces } from "./playground/faces.ts";

export type DevnetOptions = NetworkOptions &
  FaceOptions & {
    /** Preferred port of the chain's page; @default 0, any. */
    readonly explorerPort?: number;
    /** From one epoch to the next, at least. @default 10000 */
    readonly epochMs?: number;
    /** How often the gateway looks at the chain. @default 1000 */
    readonly pollMs?: number;
  };

/** The network with its contracts and its two faces, bot and Mini App, and the playground page that shows both. */
export interface Devnet extends Network, OpenFaces {
  readonly settled: SettledTon;
}

/**
 * Brings up everything of `npm start`: pages are built and the bot starts while the nodes load their model.
 * Tests that need neither bot nor page start the network alone, with `startNetwork`.
 * @throws Error in a part's own words when it does not come up; nothing is left running then.
 */
export async function startDevnet(options: DevnetOptions): Promise<Devnet> {
  const gaveUp = new AbortController();
  const faces = prepareFaces(options, (reason) => gaveUp.abort(reason));
  const settlement = prepareSettlement({ explorerPort: 0, ...options }, (reason) => gaveUp.abort(reason));
  const network = await startNetwork({
    ...options,
    signal: options.signal ? AbortSignal.any([options.signal, gaveUp.signal]) : gaveUp.signal,
    milestones: {
      ...faces.milestones,
      chain: settlement.begin,
      stopping: async () => {
        await Promise.all([faces.milestones.stopping?.(), settlement.stop()]);
      },
    },
  });
  try {
    const settled = await settlement.open();
    if (settled.deposited) await credited(network.gateway.url, network.apiKey, options.signal);
    const opened = await faces.open(network, settled.explorer.url);
    return { ...network, ...opened, settled };
  } catch (error) {
    await network.stop();
    throw error;
  }
}
