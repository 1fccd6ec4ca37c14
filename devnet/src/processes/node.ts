import * as z from "zod";
import type { StateDirectory } from "../state/state-directory.ts";
import { type Child, startChild } from "./child.ts";

const entry = new URL("../nodes/simulated-node.ts", import.meta.url);
const readySchema = z.object({ ready: z.literal(true), node: z.string(), model: z.string() });

export function nodeProcess(options: {
  state: StateDirectory;
  name: string;
  gateway: string;
  policyFile: string;
  worldFile: string;
  pairingCode: string | undefined;
  modelPath: string;
  slots: number;
  pace: number;
}): { child: Child; ready: Promise<z.infer<typeof readySchema>> } {
  const flags: Record<string, string | undefined> = {
    "--gateway": options.gateway,
    "--name": options.name,
    "--model": options.modelPath,
    "--slots": String(options.slots),
    "--pace": options.pace > 0 ? String(options.pace) : undefined,
    "--pair": options.pairingCode,
    "--simulation": options.policyFile,
    "--data-dir": options.state.path("nodes", options.name),
  };
  const args = Object.entries(flags).flatMap(([flag, value]) => (value === undefined ? [] : [flag, value]));
  return startChild({
    name: `The node ${options.name}`,
    entry,
    args: [...args, "--json"],
    environment: { DEVNET_WORLD: options.worldFile, DEVNET_PLATFORM: options.name },
    logFile: options.state.path("logs", `${options.name}.log`),
    ready: readySchema,
  });
}
