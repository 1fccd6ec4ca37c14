import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runAdmin } from "@bombyx/gateway/accounts";
import { expect } from "vitest";
import * as z from "zod";
import { bundledModel } from "../src/config.ts";
import { type Network, type NetworkOptions, startNetwork as startDevnet } from "../src/network.ts";
import { gatewayProcess } from "../src/processes/gateway.ts";

/** A whole network for a test: own state, free ports, and gone when the test is over. */
export interface TestNetwork extends Network, AsyncDisposable {
  /** Ends the process of a node as a power cut would; resolves when it is gone. */
  killNode(node: string): Promise<void>;
  /** Ends the gateway's process as a power cut would; resolves when it is gone. */
  killGateway(): Promise<void>;
  /** Starts a killed gateway again, on its state and its port; resolves when it listens. */
  restartGateway(): Promise<void>;
  /** An operator's command on this network's accounts. */
  admin<T>(args: readonly string[], answer: z.ZodType<T>): Promise<T>;
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
  const { state } = network;
  const gatewayData = state.path("gateway");
  let gateway = network.gateway as Pick<Network["gateway"], "kill" | "exited" | "stop">;
  return {
    ...network,
    gatewayData,
    logs: state.path("logs"),
    killNode: async (id) => {
      const node = network.nodes.find((one) => one.node === id);
      if (!node) throw new Error(`this network has no node ${id}`);
      node.kill("SIGKILL");
      await node.exited;
    },
    killGateway: async () => {
      gateway.kill("SIGKILL");
      await gateway.exited;
    },
    restartGateway: async () => {
      const again = gatewayProcess({
        state,
        policyFile: state.path("policy.json"),
        chainEndpoints: network.policy.chainEndpoints,
        port: Number(new URL(network.gateway.url).port),
        metricsPort: Number(new URL(network.gateway.metrics).port),
        environment: network.gatewayEnvironment,
        nodeFlags: options.instruments?.nodeFlags,
      });
      gateway = again.child;
      await again.ready;
    },
    admin: async (args, answer) => {
      let output = "";
      await runAdmin([...args, "--json"], {
        dataDir: gatewayData,
        stdout: {
          write: (text) => {
            output += text;
          },
        },
      });
      return answer.parse(JSON.parse(output));
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([network.stop(), gateway.stop(1_000)]);
      if (own) await rm(join(stateRoot, ".."), { recursive: true, force: true });
    },
  };
}

/** The bot of {@link botKey}. */
export const botId = 777_001;

/** A key for the devnet's developer's bot: with `telegramUser`, a client is a person with an account of its own. */
export async function botKey(network: TestNetwork): Promise<string> {
  await network.admin(["bots", "register", "--developer", "devnet", "--bot", `${botId}`], z.unknown());
  const made = await network.admin(
    ["keys", "create", "--developer", "devnet", "--bot", `${botId}`],
    z.object({ key: z.string() }),
  );
  return made.key;
}

/** Every node is linked and offered: one that lost its gateway comes back after a random pause of up to half a minute. */
export async function everyNodeServes({ gateway, model, apiKey, nodes }: TestNetwork): Promise<void> {
  await expect
    .poll(
      async () => {
        const response = await fetch(`${gateway.url}/v1/candidates?model=${model}`, {
          headers: { authorization: `Bearer ${apiKey}` },
        });
        return response.ok ? (await response.json()).candidates.length : 0;
      },
      { timeout: 40_000, interval: 50 },
    )
    .toBe(nodes.length);
}
