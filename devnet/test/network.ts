import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundledModel } from "../src/config.ts";
import { type Network, type NetworkOptions, startNetwork as startDevnet } from "../src/network.ts";

/** A whole network for a test: own state, free ports, and gone when the test is over. */
export interface TestNetwork extends Network, AsyncDisposable {
  /** Ends the process of a node as a power cut would; resolves when it is gone. */
  killNode(node: string): Promise<void>;
  /** The gateway's directory: its database is below it. */
  readonly gatewayData: string;
  readonly logs: string;
}

/**
 * The same composition as `npm start`, with two nodes, the bundled model and its usual pace unless told otherwise.
 * @param options `stateRoot` of an earlier network goes on with its keys and ledger, and stays afterwards.
 */
export async function startNetwork(options: Partial<NetworkOptions> = {}): Promise<TestNetwork> {
  const own = options.stateRoot === undefined;
  const stateRoot = options.stateRoot ?? join(await mkdtemp(join(tmpdir(), "bombyx-network-")), ".devnet");
  const network = await startDevnet({
    nodes: 2,
    slots: 4,
    pace: 25,
    model: { path: bundledModel, id: "spark" },
    ports: { gateway: 0, metrics: 0, chain: [0, 0], proxy: 0 },
    allowanceNano: "100000000000",
    ...options,
    stateRoot,
  });
  return {
    ...network,
    gatewayData: network.state.path("gateway"),
    logs: network.state.path("logs"),
    killNode: async (id) => {
      const node = network.nodes.find((one) => one.node === id);
      if (!node) throw new Error(`this network has no node ${id}`);
      node.kill("SIGKILL");
      await node.exited;
    },
    [Symbol.asyncDispose]: async () => {
      await network.stop();
      if (own) await rm(join(stateRoot, ".."), { recursive: true, force: true });
    },
  };
}
