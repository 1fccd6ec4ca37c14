import { homedir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { BombyxError, limits } from "@bombyx/protocol/wire";
import * as z from "zod";
import { assertGatewayUrl } from "./link/gateway-url.ts";
import { gramPattern, parseGram } from "./settlement/gram.ts";
import { payoutWallet } from "./settlement/payout-account.ts";

const whole = (min: number, max: number) => z.coerce.number().int().min(min).max(max);
const list = z
  .string()
  .transform((text) => text.split(",").map((item) => item.trim()))
  .pipe(z.array(z.url()).min(2, "expected two or more URLs, separated by commas"));

interface Setting {
  readonly schema: z.ZodType;
  /** What the value is, for the help text. */
  readonly value: string;
  readonly help: string;
}

/** Every setting of `bombyx-node`: flag `--name` and variable `BOMBYX_NAME` are the same. */
const settings = {
  gateway: { schema: z.url({ protocol: /^https?$/ }), value: "URL", help: "the gateway to serve" },
  model: {
    schema: z.string().min(1),
    value: "MODEL",
    help: 'a GGUF file: path, "https://…#sha256=HEX" or "hf:owner/repo/file.gguf"',
  },
  pair: {
    schema: z.string().min(1).max(64).optional(),
    value: "CODE",
    help: "pairing code of your gateway account; once, for a new node",
  },
  "model-id": {
    schema: z.string().min(1).max(128).optional(),
    value: "NAME",
    help: "name that clients ask for (default: that of the file)",
  },
  name: {
    schema: z.string().min(1).max(64).optional(),
    value: "NAME",
    help: "how everybody sees this node (default: node- and the begin of its id)",
  },
  slots: { schema: whole(1, 256).default(4), value: "N", help: "answers generated at once (default 4)" },
  threads: {
    schema: whole(1, 1_024).optional(),
    value: "N",
    help: "CPU threads of the engine (default: 1 below 200 MB of model, else cores − 1)",
  },
  context: {
    schema: whole(256, 1_048_576).optional(),
    value: "TOKENS",
    help: "context of one answer (default: what the model was trained on and memory holds)",
  },
  pace: {
    schema: z.coerce.number().positive().max(100_000).optional(),
    value: "TOKENS_PER_S",
    help: "generate no faster than this, per answer",
  },
  coefficient: {
    schema: whole(1, limits.coefficient).default(1_000),
    value: "N",
    help: "your price, in 1/1000 of the gateway's (default 1000)",
  },
  payout: {
    schema: z
      .string()
      .max(128)
      .refine(
        (text) => text === "unset" || payoutWallet(text) !== undefined,
        "expected a wallet's address on TON",
      )
      .default("unset"),
    value: "ADDRESS",
    help: "your wallet on TON, which is paid; part of the node's id (default unset: nothing can be claimed on chain)",
  },
  vault: {
    schema: z.string().min(1).max(128).optional(),
    value: "ADDRESS",
    help: "contract that pays you, as the operator publishes it (default: what the gateway names at first, then fixed)",
  },
  "max-unpaid": {
    schema: z
      .string()
      .regex(gramPattern, "expected an amount of GRAM, as 0.25")
      .transform(parseGram)
      .optional(),
    value: "GRAM",
    help: "stop serving when so much is earned and not final on chain: the most that you can lose (default 10)",
  },
  "watch-seconds": {
    schema: whole(1, 3_600).default(60),
    value: "N",
    help: "how often the node looks at the contract, to dispute a root that takes its earnings away (default 60)",
  },
  state: {
    schema: z
      .string()
      .min(1)
      .default(join(homedir(), ".bombyx", "node")),
    value: "FOLDER",
    help: "link key, wallet for disputes, and the proofs of what you earned (default ~/.bombyx/node)",
  },
  "model-cache": {
    schema: z
      .string()
      .min(1)
      .default(join(homedir(), ".bombyx", "models")),
    value: "FOLDER",
    help: "downloaded models (default ~/.bombyx/models)",
  },
  "chain-endpoints": {
    schema: list.optional(),
    value: "URL,URL",
    help: "two or more toncenter APIs of different operators, for the beacon in each statement",
  },
  "allow-http": {
    schema: z.enum(["yes", "no"]).default("no"),
    value: "yes|no",
    help: "take an http gateway on another machine: the network reads the pairing code and may act as this node (default no)",
  },
  tee: {
    schema: z.enum(["tdx", "none"]).default("tdx"),
    value: "tdx|none",
    help: "none serves the open tier: you can read what people send, clients are told so, and only those get this node that ask for its tier (default tdx)",
  },
  gpu: {
    schema: z.enum(["none", "cc", "plain"]).default("none"),
    value: "none|cc|plain",
    help: "put the model on a GPU: cc only with NVIDIA's evidence of confidential mode, plain on any, which clients are told and most refuse (default none)",
  },
  pccs: {
    schema: z.url({ protocol: /^https?$/ }).default("https://api.trustedservices.intel.com"),
    value: "URL",
    help: "where collateral for quotes comes from (default: Intel)",
  },
  "drain-seconds": {
    schema: whole(0, 3_600).default(30),
    value: "N",
    help: "at SIGTERM or Ctrl-C, how long answers may still run (default 30)",
  },
  "log-level": {
    schema: z.enum(["debug", "info", "warn", "error", "silent"]).optional(),
    value: "LEVEL",
    help: "of the JSON log on standard error (default warn; with --json info)",
  },
} as const satisfies Record<string, Setting>;

export type Settings = {
  readonly [Name in keyof typeof settings]: z.output<(typeof settings)[Name]["schema"]>;
};
type Name = keyof Settings;
const names = Object.keys(settings) as Name[];
const variableOf = (name: string): string => `BOMBYX_${name.replaceAll("-", "_").toUpperCase()}`;

export interface CommandLine {
  readonly settings: Settings;
  readonly json: boolean;
}

/**
 * Reads flags, then environment variables, then defaults.
 * @param options.chainGiven the chain's endpoints come from elsewhere
 * @returns "help" when that was asked for
 * @throws BombyxError BAD_REQUEST that names the flag, what it got and what it takes.
 */
export function readSettings(
  argv: readonly string[],
  environment: NodeJS.ProcessEnv,
  { chainGiven = false }: { chainGiven?: boolean } = {},
): CommandLine | "help" {
  const flags = parseFlags(argv);
  if (flags.help === true) return "help";
  const missing: Name[] = [];
  const read = names.map((name) => {
    const flag = flags[name];
    const given = typeof flag === "string" ? flag : environment[variableOf(name)];
    const parsed = settings[name].schema.safeParse(given);
    if (given === undefined && (!parsed.success || (name === "chain-endpoints" && !chainGiven))) {
      missing.push(name);
      return [name, undefined] as const;
    }
    if (parsed.success) return [name, parsed.data] as const;
    const why = parsed.error.issues[0]?.message ?? "not valid";
    throw bad(name, `--${name} (or ${variableOf(name)}) is "${given}": ${why}.`);
  });
  if (missing[0] !== undefined) throw bad(missing[0], missingText(missing));
  const found = Object.fromEntries(read) as Settings;
  assertGatewayUrl(found.gateway, found["allow-http"] === "yes");
  if (found.tee === "none" && found.gpu === "cc") {
    throw bad(
      "gpu",
      "--gpu cc needs --tee tdx: without a quote nobody believes a GPU's mode. Give --gpu plain.",
    );
  }
  return { settings: found, json: flags.json === true };
}

/** All that is missing at once, and a whole line: nobody should have to find out one by one. */
const missingText = (missing: readonly Name[]): string =>
  [
    ...missing.map((name) => `--${name} ${settings[name].value} is missing: ${settings[name].help}.`),
    "A whole line: bombyx-node --gateway https://gateway.example --pair CODE --model hf:owner/repo/file.gguf --chain-endpoints https://one.example/api/v2,https://two.example/api/v2",
  ].join("\n  ");

const bad = (field: string, message: string): BombyxError =>
  new BombyxError("BAD_REQUEST", message, { field });

function parseFlags(argv: readonly string[]): Record<string, string | boolean | undefined> {
  const text = Object.fromEntries(names.map((name) => [name, { type: "string" as const }]));
  try {
    return parseArgs({
      args: [...argv],
      options: { ...text, json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new BombyxError("BAD_REQUEST", `${message} See bombyx-node --help.`, { cause: error });
  }
}

/** The page of `--help`. */
export function helpText(): string {
  const rows: (readonly [string, string])[] = names.map((name) => [
    `--${name} ${settings[name].value}`,
    settings[name].help,
  ]);
  rows.push(["--json", "one JSON line on standard output when the gateway has admitted the node"]);
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    "bombyx-node --gateway URL --model MODEL [--pair CODE] [options]",
    "bombyx-node earnings              what you earned, what is final and paid, and what to do next",
    "bombyx-node claim                 what is final, as a message that any wallet can send; needs no gateway",
    "bombyx-node doctor                what this machine lacks for TDX and for a confidential GPU",
    "",
    "Serves a model from this confidential virtual machine to a gateway's users.",
    "Each option can be given as a variable too: --chain-endpoints is BOMBYX_CHAIN_ENDPOINTS.",
    "",
    ...rows.map(([flag, help]) => `  ${flag.padEnd(width)}  ${help}`),
    "",
  ].join("\n");
}
