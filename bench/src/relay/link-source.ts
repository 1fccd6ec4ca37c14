import { readFileSync } from "node:fs";
import type { Block } from "@bombyx/protocol/attestation";
import { ready } from "@bombyx/protocol/session";
import { SimulatedWorld } from "@bombyx/protocol/simulation";
import { Pacer } from "./pace.ts";
import { PacedNode } from "./paced-node.ts";

/** The engines behind our gateway: as many paced nodes as there are PAIRING_CODES, in one process. */
const env = (name: string): string => {
  const value = process.env[name];
  if (value === undefined) throw new Error(`link-source needs ${name}`);
  return value;
};

await ready;
const nodes: PacedNode[] = [];
const pacer = new Pacer((step) => {
  for (const node of nodes) node.cork();
  step();
  for (const node of nodes) node.uncork();
});
const world = await SimulatedWorld.load(JSON.parse(readFileSync(env("WORLD"), "utf8")));
for (const pairingCode of env("PAIRING_CODES").split(",")) {
  const node = await PacedNode.start({
    world,
    beacon: JSON.parse(env("BEACON")) as Block,
    linkUrl: env("LINK_URL"),
    pairingCode,
    sealed: env("SEALED") === "1",
    pace: { tokens: Number(env("FRAMES")), gapMs: Number(env("GAP_MS")) },
    pacer,
  });
  nodes.push(node);
}
process.stdout.write(`${JSON.stringify({ ready: true })}\n`);
process.on("disconnect", () => process.exit(0));
