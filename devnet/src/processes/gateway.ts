import * as z from "zod";
import type { StateDirectory } from "../state/state-directory.ts";
import { type Child, startChild } from "./child.ts";

const entry = new URL("../../../gateway/src/cli.ts", import.meta.url);
/** Who the devnet's API key belongs to. */
export const developer = "devnet";

const readySchema = z.object({ ready: z.literal(true), url: z.url(), metrics: z.url() });

export function gatewayProcess(options: {
  state: StateDirectory;
  policyFile: string;
  chainEndpoints: readonly string[];
  port: number;
  metricsPort: number;
  /** Settings beside those of every devnet. */
  environment?: Readonly<Record<string, string>> | undefined;
  nodeFlags?: readonly string[] | undefined;
}): { child: Child; ready: Promise<z.infer<typeof readySchema>> } {
  return startChild({
    name: "The gateway",
    entry,
    args: ["serve", "--json"],
    environment: {
      BOMBYX_DATA_DIR: dataDirectory(options.state),
      BOMBYX_SIMULATION: options.policyFile,
      BOMBYX_CHAIN_ENDPOINTS: options.chainEndpoints.join(","),
      BOMBYX_PORT: String(options.port),
      BOMBYX_METRICS_PORT: String(options.metricsPort),
      // Nobody gets such a node who does not ask for one.
      BOMBYX_OPEN_TIER: "yes",
      // Whoever stops a devnet does not wait for its answers.
      BOMBYX_DRAIN_MS: "1000",
      ...options.environment,
    },
    nodeFlags: options.nodeFlags,
    logFile: options.state.path("logs", "gateway.log"),
    ready: readySchema,
  });
}

/** The API key of this devnet; made at the first start and kept in a file that only its user reads. */
export async function keepApiKey(state: StateDirectory, allowanceNano: string): Promise<string> {
  const kept = await state.readText("api-key");
  if (kept) return kept.trim();
  const { key } = await command(
    state,
    ["keys", "create", "--developer", developer, "--allowance", allowanceNano],
    z.object({ key: z.string().min(1) }),
  );
  await state.write("api-key", `${key}\n`);
  return key;
}

/** A code that pairs the node `name` with an owner of its own, who is a developer and so can have an API key; `undefined` when it was paired by an earlier start. */
export async function pairingCode(state: StateDirectory, name: string): Promise<string | undefined> {
  if ((await state.readText(`nodes/${name}/paired`)) !== undefined) return undefined;
  const { code } = await command(
    state,
    ["pairing", "create", "--owner", `developer:owner-of-${name}`],
    z.object({ code: z.string().min(1) }),
  );
  return code;
}

/** Lets persons of this bot in by their init data. */
export async function registerBot(state: StateDirectory, botId: number): Promise<void> {
  await command(state, ["bots", "register", "--developer", developer, "--bot", String(botId)], z.unknown());
}

/** A key for this bot, under which each of its persons has an account of their own; made once and kept. */
export async function keepBotKey(state: StateDirectory, botId: number): Promise<string> {
  const file = `bot-key-${botId}`;
  const kept = await state.readText(file);
  if (kept) return kept.trim();
  await registerBot(state, botId);
  const { key } = await command(
    state,
    ["keys", "create", "--developer", developer, "--bot", String(botId)],
    z.object({ key: z.string().min(1) }),
  );
  await state.write(file, `${key}\n`);
  return key;
}

const dataDirectory = (state: StateDirectory): string => state.path("gateway");

/** An operator's command, in this process: a first start has no time for one process each. */
async function command<T>(state: StateDirectory, args: readonly string[], answer: z.ZodType<T>): Promise<T> {
  // Only a first start needs the store and all that it loads.
  const { runAdmin } = await import("@bombyx/gateway/accounts");
  let output = "";
  await runAdmin([...args, "--json"], {
    dataDir: dataDirectory(state),
    stdout: {
      write: (text) => {
        output += text;
      },
    },
  });
  return answer.parse(JSON.parse(output));
}
