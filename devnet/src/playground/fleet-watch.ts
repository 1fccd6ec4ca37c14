import { networkSchema } from "@bombyx/protocol/wire";
import type { Network } from "../network.ts";
import type { NodeReport } from "./playground-host.ts";

const lookMs = 700;

/** What is known of the nodes right now: their processes here, and what the gateway publishes of them. */
export interface FleetWatch extends Disposable {
  nodes(): readonly NodeReport[];
  /** A process was started or is gone: look now. */
  look(): void;
}

type Published = Omit<NodeReport, "pid" | "state"> & { readonly state: NodeReport["state"] };

/** @param onChange told when anything of it is different. */
export function watchFleet(
  network: Pick<Network, "gateway" | "nodes">,
  onChange: () => void,
  starting: ReadonlySet<string>,
): FleetWatch {
  let published = new Map<string, Published>();
  let told = "";
  let timer: NodeJS.Timeout | undefined;
  let asking = false;
  const ended = new AbortController();
  const gone = new WeakSet<Network["nodes"][number]>();
  const watched = new WeakSet<Network["nodes"][number]>();

  const nodes = (): NodeReport[] => {
    const own = network.nodes.map((one): NodeReport => {
      const seen = published.get(one.node);
      const state = starting.has(one.name)
        ? "starting"
        : gone.has(one)
          ? "gone"
          : (seen?.state ?? "starting");
      const { name, node, pid } = one;
      return state === "serving" && seen ? { ...seen, name, node, pid, state } : { name, node, pid, state };
    });
    const others = [...published.values()].filter(({ node }) => own.every((one) => one.node !== node));
    return [...own, ...others];
  };
  const compare = () => {
    const now = JSON.stringify(nodes());
    if (now !== told) onChange();
    told = now;
  };
  const look = () => {
    for (const node of network.nodes) {
      if (watched.has(node)) continue;
      watched.add(node);
      void node.exited.then(() => {
        gone.add(node);
        compare();
      });
    }
    compare();
    if (!asking) void ask();
  };
  const ask = async () => {
    asking = true;
    clearTimeout(timer);
    try {
      published = await publishedNodes(network.gateway.url, ended.signal);
      compare();
    } catch {
      // The gateway is stopping or busy; the next look tells.
    } finally {
      asking = false;
      if (!ended.signal.aborted) timer = setTimeout(look, lookMs);
    }
  };
  look();
  return {
    nodes,
    look,
    [Symbol.dispose]: () => {
      ended.abort();
      clearTimeout(timer);
    },
  };
}

async function publishedNodes(gateway: string, signal: AbortSignal): Promise<Map<string, Published>> {
  const response = await fetch(`${gateway}/v1/network`, { signal });
  const { nodes } = networkSchema.parse(await response.json());
  return new Map(
    nodes.map((node) => [
      node.node,
      {
        node: node.node,
        name: node.name,
        state: node.state === "ready" ? "serving" : "starting",
        load: { active: node.running, slots: node.slots },
        tokensPerSecond: node.decodeTokensPerSecond,
      },
    ]),
  );
}
