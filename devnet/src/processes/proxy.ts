import * as z from "zod";
import type { StateDirectory } from "../state/state-directory.ts";
import { type Child, startChild } from "./child.ts";

const entry = new URL("../../../sdk/src/cli.ts", import.meta.url);
const readySchema = z.object({ ready: z.literal(true), url: z.url() });

/** The key goes to this process alone, through its environment: arguments can be read by others on the machine. */
export function proxyProcess(options: {
  state: StateDirectory;
  gateway: string;
  policyFile: string;
  port: number;
  apiKey: string;
  nodeFlags?: readonly string[] | undefined;
}): { child: Child; ready: Promise<z.infer<typeof readySchema>> } {
  return startChild({
    name: "The proxy",
    entry,
    args: [
      "proxy",
      "--gateway",
      options.gateway,
      "--policy",
      options.policyFile,
      "--port",
      String(options.port),
      "--json",
    ],
    environment: { BOMBYX_API_KEY: options.apiKey },
    nodeFlags: options.nodeFlags,
    logFile: options.state.path("logs", "proxy.log"),
    ready: readySchema,
  });
}
