import type { Network } from "../network.ts";
import { watchFleet } from "./fleet-watch.ts";
import type { PlaygroundParts, Scene } from "./playground-host.ts";

/** What the playground's strip shows and does, for a network that is up. */
export interface Stage
  extends Pick<PlaygroundParts, "scene" | "onScene" | "killNode" | "startNode">,
    Disposable {
  /** Something else than a node changed. */
  changed(): void;
}

/** @param rest all of the scene but its nodes, as it is now. */
export function setStage(network: Network, rest: () => Omit<Scene, "nodes">): Stage {
  const listeners = new Set<(scene: Scene) => void>();
  const starting = new Set<string>();
  const scene = (): Scene => ({ ...rest(), nodes: fleet.nodes() });
  const changed = () => {
    for (const listener of listeners) listener(scene());
  };
  const fleet = watchFleet(network, changed, starting);
  return {
    scene,
    changed,
    onScene: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    killNode: async (name) => {
      const node = network.nodes.find((one) => one.name === name);
      if (!node) throw new Error(`This network has no node ${name} of its own.`);
      node.kill("SIGKILL");
      await node.exited;
    },
    startNode: async (name) => {
      starting.add(name);
      fleet.look();
      try {
        await network.startNode(name);
      } finally {
        starting.delete(name);
        fleet.look();
      }
    },
    [Symbol.dispose]: () => fleet[Symbol.dispose](),
  };
}
