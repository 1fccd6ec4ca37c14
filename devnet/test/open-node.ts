import * as z from "zod";
import { bundledModel } from "../src/config.ts";
import type { Child } from "../src/processes/child.ts";
import { nodeProcess } from "../src/processes/node.ts";
import type { TestNetwork } from "./network.ts";

/** Pairs and starts one more node of a network, without a quote; resolves when its gateway has admitted it. */
export async function startOpenNode(
  network: TestNetwork,
): Promise<{ readonly child: Child; readonly id: string }> {
  const { code } = await network.admin(
    ["pairing", "create", "--owner", "developer:owner-of-the-open-node"],
    z.object({ code: z.string() }),
  );
  const { child, ready } = nodeProcess({
    state: network.state,
    name: "open-node",
    gateway: network.gateway.url,
    chainEndpoints: network.policy.chainEndpoints,
    worldFile: network.state.path("world.json"),
    pairingCode: code,
    model: { path: bundledModel, id: network.model },
    slots: 2,
    pace: 0,
    tee: "none",
  });
  return { child, id: (await ready).node };
}
