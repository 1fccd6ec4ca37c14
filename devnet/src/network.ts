import { mkdir } from "node:fs/promises";
import type { AttestationPolicy } from "@bombyx/protocol/attestation";
import { BlockClock, blockClockStateSchema } from "./chain/block-clock.ts";
import { type ChainServer, startChainServer } from "./chain/chain-server.ts";
import { type LazyTon, lazyTon } from "./chain/lazy-ton.ts";
import { type Joinable, joinFile } from "./nodes/joinable.ts";
import type { Child, ProcessExit } from "./processes/child.ts";
import { gatewayProcess, keepApiKey, pairingCode } from "./processes/gateway.ts";
import { nodeProcess } from "./processes/node.ts";
import { preferredPort } from "./processes/port.ts";
import { proxyProcess } from "./processes/proxy.ts";
import { keepWorld, worldFile } from "./simulation/world-file.ts";
import { StateDirectory } from "./state/state-directory.ts";

const nodeNames = ["alder", "birch", "cedar", "elm", "hazel", "juniper", "larch", "maple"] as const;
const stopMs = 3_500;

export interface NetworkOptions {
  /** Directory that holds everything of this network. */
  readonly stateRoot: string;
  readonly nodes: number;
  /** Sequences per node that can generate at once. */
  readonly slots: number;
  /** Tokens per second and sequence at most; 0 is as fast as the machine can. */
  readonly pace: number;
  /** A GGUF file, and the name that clients ask for. */
  readonly model: { readonly path: string; readonly id: string };
  /** Preferred ports; a busy one is replaced by a free one, 0 takes any. */
  readonly ports: {
    readonly gateway: number;
    readonly metrics: number;
    readonly chain: readonly [number, number];
    readonly proxy: number;
  };
  /** nanoTON that the sponsor gives to this devnet's developer at the first start. */
  readonly allowanceNano: string;
  /** Gives up a start that is still under way; {@link Network.stop} ends one that is up. */
  readonly signal?: AbortSignal;
  /** Blocks that a message waits before it arrives; @default 0, at once. */
  readonly blockDelay?: number;
  /** Told as each part becomes ready. */
  readonly onReady?: (part: string) => void;
  /** Told when a node is gone that nobody stopped. */
  readonly onNodeLost?: (node: NetworkNode, exit: ProcessExit) => void;
  /** What others may begin before all of the network is up. */
  readonly milestones?: Milestones;
  readonly instruments?: Instruments;
}

/** Told in this order: those who stand beside the network begin their own work while it goes on. */
export interface Milestones {
  /** The state belongs to this process. @returns settings for the gateway. */
  opened?(state: StateDirectory): Promise<Readonly<Record<string, string>>>;
  /**
   * The chain answers; its accounts are opened by whoever asks for them.
   * @returns what the network is told when money moves on it; without that it is settled nowhere.
   */
  chain?(
    ton: LazyTon,
    state: StateDirectory,
    network: { readonly endpoints: readonly string[]; readonly names: readonly string[] },
  ): Promise<OnChain>;
  /** @param file `policy.js`: what a build of the Mini App for this network takes. */
  policy?(file: string, policy: DevnetPolicy): void;
  /** The gateway answers at this address. */
  gateway?(url: string): void;
  /** The network stops, or does not come up; awaited before the state is given back. */
  stopping?(): Promise<void>;
}

/** A network whose money is on the chain. */
export interface OnChain {
  /** Settings of the gateway. */
  readonly environment: Readonly<Record<string, string>>;
  /** Address of the wallet that owns the node of this name. */
  payoutOf(name: string): string | undefined;
}

/** What those who look into a network add to it; nobody else needs any of it. */
export interface Instruments {
  /** Settings of the gateway beside a devnet's own. */
  readonly gatewayEnvironment?: Readonly<Record<string, string>>;
  /** Options of Node itself, for the gateway and the proxy. */
  readonly nodeFlags?: readonly string[];
  /** Where a part ("proxy" or a node's name) finds the gateway: a relay that stands between the two. */
  readonly reach?: (part: string, gateway: string) => Promise<string>;
}

/** What `policy.js` and `policy.json` hold: the sdk's policy, which comes from code and never from the gateway. */
export interface DevnetPolicy {
  readonly attestation: AttestationPolicy;
  readonly chainEndpoints: readonly string[];
}

export interface NetworkNode extends Child {
  /** Node id, hex. */
  readonly node: string;
}

/** A running network; {@link stop} ends all of it. */
export interface Network {
  readonly state: StateDirectory;
  readonly policy: DevnetPolicy;
  readonly apiKey: string;
  readonly apiKeyFile: string;
  readonly model: string;
  readonly chain: readonly ChainServer[];
  /** Accounts of the same chain. */
  readonly ton: LazyTon;
  readonly gateway: Child & { readonly url: string; readonly metrics: string };
  /** Settings that the gateway was started with, beside those of every devnet. */
  readonly gatewayEnvironment: Readonly<Record<string, string>>;
  readonly proxy: Child & { readonly url: string };
  /** One per name, the latest that was started; it may be gone. */
  readonly nodes: readonly NetworkNode[];
  /**
   * Starts a node that is gone again, on its state: same keys, same owner.
   * @throws Error when this network has no such node, or when it is still there.
   */
  startNode(name: string): Promise<NetworkNode>;
  /** Under five seconds; nothing of it is left. */
  stop(): Promise<void>;
}

/**
 * Brings up chain, gateway, nodes and proxy, in this order and in parallel where nothing is waited for.
 * The same for `npm start` and for tests.
 * @throws ChildStartError with a process's own words when it does not come up; nothing is left running then.
 */
export async function startNetwork(options: NetworkOptions): Promise<Network> {
  const state = await StateDirectory.open(options.stateRoot);
  const children: Child[] = [];
  const chain: ChainServer[] = [];
  let ton: LazyTon | undefined;
  let stopped: Promise<void> | undefined;
  const stopAll = async () => {
    const stopping = options.milestones?.stopping?.();
    await Promise.all([stopping, ...children.map((child) => child.stop(stopMs))]);
    await Promise.all(chain.map((server) => server.close()));
    await ton?.close();
    await state.remove("network.json");
    await state.remove(joinFile);
    state.close();
  };
  const stop = () => {
    stopped ??= stopAll();
    return stopped;
  };
  const begun = <T extends { child: Child }>(part: T): T => {
    children.push(part.child);
    options.signal?.throwIfAborted();
    return part;
  };
  const ready = (part: string) => options.onReady?.(part);
  const { instruments = {} } = options;
  const reach = instruments.reach ?? (async (_, gateway) => gateway);

  const giveUp = () => void stop();
  options.signal?.addEventListener("abort", giveUp);
  try {
    options.signal?.throwIfAborted();
    const beside = await options.milestones?.opened?.(state);
    const now = Date.now();
    const [world, clockState] = await Promise.all([
      keepWorld(state, now),
      state.keep("chain.json", blockClockStateSchema, () => BlockClock.genesis(now)),
    ]);
    const clock = new BlockClock(clockState);
    const opened = lazyTon({ clock, file: state.path("ton.sqlite"), blockDelay: options.blockDelay ?? 0 });
    ton = opened;
    for (const preferred of options.ports.chain) {
      const port = await preferredPort(preferred);
      chain.push(await startChainServer({ clock, port, now: Date.now, accounts: opened.accounts }));
    }
    const names = nodeNames.slice(0, options.nodes);
    const endpoints = chain.map((server) => server.url);
    const onChain = await options.milestones?.chain?.(opened, state, { endpoints, names });
    const policy: DevnetPolicy = {
      attestation: world.policy(),
      chainEndpoints: endpoints,
    };
    const policyFiles = await writePolicy(state, policy);
    options.milestones?.policy?.(policyFiles.js, policy);

    // On chain it is the operator who deposits.
    const apiKey = await keepApiKey(state, onChain ? "0" : options.allowanceNano);
    const codes: (string | undefined)[] = [];
    for (const name of names) codes.push(await pairingCode(state, name));

    const gatewayEnvironment = { ...beside, ...onChain?.environment, ...instruments.gatewayEnvironment };
    const gateway = begun(
      gatewayProcess({
        state,
        policyFile: policyFiles.json,
        chainEndpoints: policy.chainEndpoints,
        port: await preferredPort(options.ports.gateway),
        metricsPort: await preferredPort(options.ports.metrics),
        environment: gatewayEnvironment,
        nodeFlags: instruments.nodeFlags,
      }),
    );
    const gatewayReady = await gateway.ready;
    ready("gateway");
    options.milestones?.gateway?.(gatewayReady.url);

    const proxy = begun(
      proxyProcess({
        state,
        gateway: await reach("proxy", gatewayReady.url),
        policyFile: policyFiles.js,
        port: await preferredPort(options.ports.proxy),
        apiKey,
        nodeFlags: instruments.nodeFlags,
      }),
    );
    const nodes: NetworkNode[] = [];
    const gone = new Set<NetworkNode>();
    const startNode = async (name: string, code?: string): Promise<NetworkNode> => {
      await mkdir(state.path("nodes", name), { recursive: true });
      const part = begun(
        nodeProcess({
          state,
          name,
          gateway: await reach(name, gatewayReady.url),
          chainEndpoints: policy.chainEndpoints,
          worldFile: state.path(worldFile),
          pairingCode: code,
          payout: onChain?.payoutOf(name),
          model: options.model,
          slots: options.slots,
          pace: options.pace,
        }),
      );
      const admitted = await part.ready;
      await state.write(`nodes/${name}/paired`, "");
      ready(name);
      const node = { ...part.child, node: admitted.node };
      nodes[names.indexOf(name as (typeof names)[number])] = node;
      void node.exited.then((exit) => {
        gone.add(node);
        if (stopped === undefined) options.onNodeLost?.(node, exit);
      });
      return node;
    };
    await Promise.all(names.map((name, i) => startNode(name, codes[i])));
    const proxyReady = await proxy.ready;
    ready("proxy");

    const model = options.model.id;
    await state.write(
      "network.json",
      JSON.stringify({ pid: process.pid, gateway: gatewayReady.url, proxy: proxyReady.url, model }),
    );
    const { slots, pace } = options;
    const { path, id } = options.model;
    const joinable: Joinable = {
      gateway: gatewayReady.url,
      chainEndpoints: [...policy.chainEndpoints],
      model: { path, id },
      slots,
      pace,
    };
    await state.write(joinFile, JSON.stringify(joinable));
    return {
      state,
      policy,
      apiKey,
      apiKeyFile: state.path("api-key"),
      model,
      chain,
      ton: opened,
      gateway: { ...gateway.child, url: gatewayReady.url, metrics: gatewayReady.metrics },
      gatewayEnvironment,
      proxy: { ...proxy.child, url: proxyReady.url },
      nodes,
      startNode: async (name) => {
        const last = nodes.find((node) => node.name === name);
        if (!last) throw new Error(`This network has no node ${name}.`);
        if (stopped !== undefined) throw new Error("This network is stopping.");
        // Taken out at once: of two who ask at the same time, one starts it.
        if (!gone.delete(last)) throw new Error(`${name} is there already (process ${last.pid}).`);
        return startNode(name).catch((error: unknown) => {
          gone.add(last);
          throw error;
        });
      },
      stop,
    };
  } catch (error) {
    await stop();
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    options.signal?.removeEventListener("abort", giveUp);
  }
}

/** As an ES module for clients, because a policy is code; as JSON for the gateway and the nodes. */
async function writePolicy(
  state: StateDirectory,
  policy: DevnetPolicy,
): Promise<{ js: string; json: string }> {
  const json = JSON.stringify(policy, undefined, 2);
  return {
    js: await state.write("policy.js", `export default ${json};\n`),
    json: await state.write("policy.json", `${json}\n`),
  };
}
