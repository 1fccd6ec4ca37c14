/**
 * `npm run node -- --pair CODE`: one more node on the devnet that runs on this machine, as an owner starts one.
 * `bombyx-node` as shipped, but for hardware and chain, like the devnet's own nodes; where network, model and
 * chain are comes from what the running devnet wrote, all else from the command's own flags.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { runCli } from "@bombyx/node-agent";
import { readEnvironment } from "../config.ts";
import { SimulatedQuoteProvider } from "../simulation/simulated-quote-provider.ts";
import { readWorld, worldFile } from "../simulation/world-file.ts";
import { type Joinable, joinFile, joinSchema } from "./joinable.ts";

const wrongUsage = 2;

async function main(argv: readonly string[]): Promise<number> {
  const { DEVNET_DIR: root } = readEnvironment(process.env);
  const network = await runningNetwork(root);
  if (!network) return refuse(`No network runs in ${root}. Start it in another terminal: npm start`);
  const code = pairingCode(argv);
  const asksHelp = argv.includes("--help") || argv.includes("-h");
  if (code === undefined && !asksHelp) {
    return refuse("Give the pairing code that the Mini App shows: npm run -s node -- --pair CODE");
  }
  // A node per code: the same line again is the same node, and needs no new code.
  const id = createHash("sha256")
    .update((code ?? "").replace(/[^0-9A-Za-z]/g, "").toUpperCase())
    .digest("hex")
    .slice(0, 12);
  const flags = {
    "--gateway": network.gateway,
    "--model": network.model.path,
    "--model-id": network.model.id,
    "--slots": String(network.slots),
    ...(network.pace > 0 && { "--pace": String(network.pace) }),
    "--state": join(root, "joined", id),
    "--drain-seconds": "1",
  };
  const world = await readWorld(join(root, worldFile));
  // The command line's own flags come last, and win.
  return await runCli([...Object.entries(flags).flat(), ...argv], {
    quoteProvider: new SimulatedQuoteProvider(world, `joined-${id}`, Date.now),
    chain: { name: world.policy().chain, endpoints: network.chainEndpoints },
  });
}

async function runningNetwork(root: string): Promise<Joinable | undefined> {
  const text = await readFile(join(root, joinFile), "utf8").catch(() => undefined);
  return text === undefined ? undefined : joinSchema.parse(JSON.parse(text));
}

function pairingCode(argv: readonly string[]): string | undefined {
  const at = argv.findIndex((word) => word === "--pair" || word.startsWith("--pair="));
  const given = argv[at]?.startsWith("--pair=") ? argv[at].slice("--pair=".length) : argv[at + 1];
  return (at < 0 ? process.env.BOMBYX_PAIR : given) || undefined;
}

function refuse(words: string): number {
  process.stderr.write(`${words}\n`);
  return wrongUsage;
}

process.exitCode = await main(process.argv.slice(2));
