import * as z from "zod";
import type { StateDirectory } from "../state/state-directory.ts";
import { type Child, startChild } from "./child.ts";

const entry = new URL("../nodes/simulated-node.ts", import.meta.url);
const readySchema = z.object({ ready: z.literal(true), node: z.string(), model: z.string() });

export function nodeProcess(options: {
  state: StateDirectory;
  name: string;
  gateway: string;
  chainEndpoints: readonly string[];
  worldFile: string;
  /** Once, for a node that the gateway has not seen. */
  pairingCode: string | undefined;
  /** "none" for a node of the open tier. @default "tdx", simulated */
  tee?: "tdx" | "none";
  /** Wallet that is paid; part of the node's id. */
  payout?: string | undefined;
  model: { readonly path: string; readonly id: string };
  slots: number;
  /** Tokens per second and answer; 0 is as fast as the machine can. */
  pace: number;
}): { child: Child; ready: Promise<z.infer<typeof readySchema>> } {
  const flags = {
    "--gateway": options.gateway,
    "--name": options.name,
    "--model": options.model.path,
    "--model-id": options.model.id,
    "--slots": String(options.slots),
    ...(options.tee !== undefined && { "--tee": options.tee }),
    ...(options.payout !== undefined && { "--payout": options.payout }),
    ...(options.pace > 0 && { "--pace": String(options.pace) }),
    "--state": options.state.path("nodes", options.name),
    // Epochs of a devnet are short, and its time is skipped.
    "--watch-seconds": "2",
    // Whoever stops a devnet does not wait for its answers.
    "--drain-seconds": "1",
  };
  return startChild({
    name: options.name,
    entry,
    args: [...Object.entries(flags).flat(), "--json"],
    environment: {
      DEVNET_WORLD: options.worldFile,
      DEVNET_PLATFORM: options.name,
      DEVNET_CHAIN: options.chainEndpoints.join(","),
      // Not among the arguments, which others on the machine can read.
      ...(options.pairingCode !== undefined && { BOMBYX_PAIR: options.pairingCode }),
    },
    logFile: options.state.path("logs", `${options.name}.log`),
    ready: readySchema,
  });
}
