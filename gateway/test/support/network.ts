import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttestationPolicy } from "@bombyx/protocol/attestation";
import { SimulatedWorld } from "@bombyx/protocol/simulation";
import type { GatewayConfig } from "../../src/config.ts";
import { type Gateway, startGateway } from "../../src/index.ts";
import { sponsorAccount } from "../../src/ledger/index.ts";
import { createLog } from "../../src/log.ts";
import { builtInPrice } from "../../src/prices.ts";
import { startChain } from "./chain.ts";
import { TestClient } from "./client.ts";
import { ScriptedNode, type ScriptedNodeOptions } from "./scripted-node.ts";

export interface TestNetwork {
  readonly gateway: Gateway;
  /** Developer "ann", with an allowance. */
  client: TestClient;
  /** Her API key. */
  key: string;
  world: SimulatedWorld;
  dataDir: string;
  chainEndpoints: readonly string[];
  /** What the gateway logged. */
  log: string[];
  /** Sets the gateway's clock forward. */
  advance(ms: number): void;
  clientOf(developer: string): Promise<TestClient>;
  fund(developer: string, nano: bigint): Promise<void>;
  dial(options?: Partial<ScriptedNodeOptions>): Promise<ScriptedNode>;
  join(options?: Partial<ScriptedNodeOptions>, sessions?: ScriptedNode["sessions"]): Promise<ScriptedNode>;
  killNodes(): void;
  /** Ends the gateway, with `whileGone` before the next one starts on its data and its port. */
  restart(whileGone?: () => void): Promise<void>;
  close(): Promise<void>;
}

export async function startNetwork(
  config: Partial<Omit<GatewayConfig, "policy">> & {
    policy?: (world: SimulatedWorld) => AttestationPolicy;
    now?: () => number;
  } = {},
): Promise<TestNetwork> {
  const dataDir = mkdtempSync(join(tmpdir(), "bombyx-gateway-"));
  const world = await SimulatedWorld.create({ now: Date.now() });
  const simulated = world.policy();
  const { policy, ...rest } = config;
  let aheadMs = 0;
  const chain = await startChain(simulated.chain);
  const log: string[] = [];
  const start = (port: number) =>
    startGateway(
      {
        host: "127.0.0.1",
        metricsHost: "127.0.0.1",
        metricsPort: 0,
        dataDir,
        policy: policy?.(world) ?? simulated,
        chainEndpoints: chain.endpoints,
        prices: [],
        defaultPrice: builtInPrice,
        origins: [],
        feeBps: 1_000,
        queuePerSlot: 1,
        queueDeadlineMs: 10_000,
        drainMs: 5_000,
        lostGraceMs: 60_000,
        logLevel: "trace",
        ...rest,
        port,
      },
      { log: createLog("trace", { write: (line) => void log.push(line) }), now: () => Date.now() + aheadMs },
    );
  let gateway = await start(0);
  const options = async (own: Partial<ScriptedNodeOptions>): Promise<ScriptedNodeOptions> => ({
    world,
    beacon: chain.beacon,
    ...(own.identity === undefined && {
      pairingCode: (await gateway.accounts.createPairingCode({ owner: "developer:owner" })).code,
    }),
    ...own,
  });
  const nodes: ScriptedNode[] = [];
  const fund = (developer: string, nano: bigint) =>
    gateway.ledger.deposit({
      key: `fund-${developer}-${nano}`,
      account: sponsorAccount(developer),
      nano,
      at: Date.now(),
    });
  const clientOf = async (developer: string) => {
    const { key } = await gateway.accounts.createApiKey({ developer });
    return new TestClient(gateway.url, key);
  };
  await fund("ann", 10n ** 12n);
  const { key } = await gateway.accounts.createApiKey({ developer: "ann" });
  const client = new TestClient(gateway.url, key);
  return {
    get gateway() {
      return gateway;
    },
    client,
    key,
    world,
    dataDir,
    chainEndpoints: chain.endpoints,
    log,
    advance: (ms) => {
      aheadMs += ms;
    },
    fund,
    clientOf,
    dial: async (own = {}) => {
      const node = await ScriptedNode.dial(gateway.url, await options(own));
      nodes.push(node);
      return node;
    },
    join: async (own = {}, sessions) => {
      const node = await ScriptedNode.join(gateway.url, await options(own), sessions);
      nodes.push(node);
      return node;
    },
    restart: async (whileGone) => {
      const port = Number(new URL(gateway.url).port);
      await gateway.stop();
      whileGone?.();
      gateway = await start(port);
    },
    killNodes: () => {
      for (const node of nodes.splice(0)) node.kill();
    },
    close: async () => {
      for (const node of nodes) node.kill();
      await gateway.stop();
      chain.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}
