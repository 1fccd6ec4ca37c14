import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AttestationPolicy, Block, ChainView } from "@bombyx/protocol/attestation";
import { ready } from "@bombyx/protocol/session";
import { SimulatedWorld } from "@bombyx/protocol/simulation";
import type { Engine } from "../src/engine/engine.ts";
import {
  type NodeOptions,
  type NodeStatus,
  type QuoteProvider,
  type RunningNode,
  startNode,
} from "../src/index.ts";
import { Client } from "./client.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { Queue } from "./queue.ts";
import { ScriptedEngine } from "./scripted-engine.ts";

export const block: Block = { chain: "test", seqno: 7, hash: "33".repeat(32), at: 1_700_000_000_000 };

export const chain: ChainView = {
  latest: async () => block,
  block: async (seqno) => (seqno === block.seqno ? block : undefined),
};

let simulated: Promise<SimulatedWorld> | undefined;

const simulatedWorld = (): Promise<SimulatedWorld> => {
  simulated ??= SimulatedWorld.create({ now: block.at });
  return simulated;
};

/** What a client of this simulated network trusts. */
export const simulatedPolicy = async (): Promise<AttestationPolicy> =>
  (await simulatedWorld()).policy({ chain: block.chain });

/** Quotes of a synthetic machine, as a devnet's. */
export async function simulatedQuotes(): Promise<QuoteProvider> {
  const world = await simulatedWorld();
  return { quote: (reportData) => world.quote(reportData), collateral: () => world.collateral(block.at) };
}

/** A node, with a scripted engine unless told otherwise, linked to a fake gateway, on a clock that the test moves. */
export class World<E extends Engine = ScriptedEngine> {
  readonly gateway: FakeGateway;
  readonly engine: E;
  readonly clock: FakeClock;
  readonly node: RunningNode;
  readonly statuses: Queue<NodeStatus>;
  readonly stateDir: string;
  /** False when a test removes the folder itself. */
  ownsState = true;
  admission: Awaited<ReturnType<FakeGateway["admissions"]["next"]>>;

  private constructor(
    parts: Pick<World<E>, "gateway" | "engine" | "clock" | "node" | "statuses" | "stateDir" | "admission">,
  ) {
    this.gateway = parts.gateway;
    this.engine = parts.engine;
    this.clock = parts.clock;
    this.node = parts.node;
    this.statuses = parts.statuses;
    this.stateDir = parts.stateDir;
    this.admission = parts.admission;
  }

  static start(options: Partial<NodeOptions> = {}): Promise<World> {
    return World.serve(new ScriptedEngine(), options);
  }

  static async serve<E extends Engine>(engine: E, options: Partial<NodeOptions> = {}): Promise<World<E>> {
    await ready;
    const gateway = await FakeGateway.start();
    const clock = new FakeClock();
    const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), "bombyx-node-")));
    const statuses = new Queue<NodeStatus>();
    const node = await startNode({
      gateway: gateway.url,
      stateDir,
      name: "test node",
      quotes: await simulatedQuotes(),
      chain,
      clock,
      random: () => 0.5,
      onStatus: (status) => statuses.push(status),
      ...options,
      engine,
    });
    const admission = await gateway.admissions.next();
    return new World({ gateway, engine, clock, node, statuses, stateDir, admission });
  }

  /** Cuts the link, and waits until the node is back. @returns ms of the clock that it took. */
  reconnect(): Promise<number> {
    this.gateway.cut();
    return this.readmission();
  }

  /** The link is gone or going: the node is back when this resolves. */
  async readmission(): Promise<number> {
    const { waitMs } = await this.statuses.nextWhere((status) => status.state === "waiting");
    this.clock.advance(waitMs);
    await this.statuses.nextWhere(({ state }) => state === "admitted");
    this.admission = await this.gateway.admissions.next();
    return waitMs;
  }

  /** Lets time pass in steps in which the link shows that it lives. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 10_000) {
      this.clock.advance(Math.min(left, 10_000));
      await this.gateway.roundTrip();
    }
  }

  client(suite: 1 | 2 = 2): Promise<Client> {
    return Client.connect(this.gateway, this.admission, suite);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.node.close();
    await this.gateway.close();
    if (this.ownsState) await rm(this.stateDir, { recursive: true });
  }
}
