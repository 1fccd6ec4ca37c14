import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { ready } from "@bombyx/protocol/session";
import { BombyxError } from "@bombyx/protocol/wire";
import type { Output } from "../../screen.ts";
import { StateDirectory } from "../../state/state-directory.ts";
import { type KeptEvidence, keptNodes } from "../kept-evidence.ts";
import type { PinnedNode } from "../vault-pin.ts";
import { type ChainReader, toncenterReader } from "../vault-reader.ts";

/** What `earnings` and `claim` run in; tests and a devnet pass their own. */
export interface MoneyEnvironment {
  readonly stdout: Output;
  readonly stderr: Output;
  /** @default `--chain-endpoints` */
  readonly endpoints: readonly string[] | undefined;
  readonly fetch: typeof fetch;
}

export interface MoneyFlags {
  readonly json: boolean;
  readonly out: string | undefined;
  readonly send: boolean;
}

/** What both commands work on. */
export interface Money {
  readonly flags: MoneyFlags;
  readonly state: StateDirectory;
  readonly nodes: readonly { pin: PinnedNode; evidence: KeptEvidence }[];
  /** Undefined without endpoints: then only what is kept is known. */
  readonly chain: ChainReader | undefined;
  readonly gateway: string | undefined;
}

const usage = 2;
const failed = 1;

/**
 * Runs a command on what a node's state folder keeps. Nothing of it needs the gateway.
 * @returns what `run` returns; 1 with a sentence on the error stream when it throws, 2 on wrong usage
 */
export async function moneyCommand(
  name: string,
  help: string,
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  { stdout, stderr, endpoints, fetch }: MoneyEnvironment,
  run: (money: Money) => Promise<number>,
): Promise<number> {
  let flags: ReturnType<typeof parse>;
  try {
    flags = parse(argv);
  } catch (error) {
    stderr.write(`bombyx-node ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return usage;
  }
  if (flags.help) {
    stdout.write(help);
    return 0;
  }
  try {
    await ready;
    const folder = flags.state ?? environment.BOMBYX_STATE ?? join(homedir(), ".bombyx", "node");
    if (!existsSync(folder)) {
      throw new BombyxError(
        "NOT_FOUND",
        `There is no folder ${folder}; give the one of your node: --state FOLDER.`,
      );
    }
    const state = await StateDirectory.open(folder);
    const listed = flags["chain-endpoints"] ?? environment.BOMBYX_CHAIN_ENDPOINTS;
    const bases = endpoints ?? listed?.split(",").map((one) => one.trim());
    const all = await keptNodes(state);
    const nodes = all.filter(({ pin }) => pin.node.startsWith(flags.node ?? ""));
    if (nodes.length === 0) {
      throw new BombyxError(
        "NOT_FOUND",
        all.length > 0
          ? `No node of ${folder} begins with ${flags.node}.`
          : `${folder} keeps no node that is paid on chain. Give the folder of a node that has served a gateway with settlement: --state FOLDER.`,
      );
    }
    const chain =
      bases === undefined ? undefined : toncenterReader(bases, fetch, (ms) => sleep(ms).then(() => {}));
    return await run({
      flags: { json: flags.json ?? false, out: flags.out, send: flags.send ?? false },
      state,
      nodes,
      chain,
      gateway: flags.gateway ?? environment.BOMBYX_GATEWAY,
    });
  } catch (error) {
    stderr.write(`bombyx-node ${name}: ${error instanceof Error ? error.message : String(error)}\n`);
    return failed;
  }
}

const parse = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    options: {
      state: { type: "string" },
      "chain-endpoints": { type: "string" },
      gateway: { type: "string" },
      node: { type: "string" },
      out: { type: "string" },
      send: { type: "boolean" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  }).values;

export const moneyFlagsHelp = `  --state FOLDER             of the node (default ~/.bombyx/node)
  --chain-endpoints URL,URL  two or more toncenter APIs of different operators; without them only what is kept is shown
  --gateway URL              asked for published leaves when a proof is missing
  --node BEGIN               of the node's id, when the folder has several
  --json                     one JSON line
`;
