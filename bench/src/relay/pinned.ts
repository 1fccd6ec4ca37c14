import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** The relay has a core of its own; sources and clients share the other. */
export const relayCore = "0";
export const loadCore = "1";

/** Moves this process to the load's core. @returns false where taskset is missing or there is one core. */
export const pinSelf = (): boolean =>
  spawnSync("taskset", ["-cp", loadCore, String(process.pid)]).status === 0;

/** A source makes and drops a buffer for every token: with more room, its collector leaves the core to it. */
export const sourceFlags = ["--max-semi-space-size=64"];

export interface Running {
  readonly pid: number;
  /** First line of stdout, parsed. */
  readonly ready: Record<string, unknown>;
  stop(): Promise<void>;
}

/** Starts a program on one core and waits for its first line of JSON. @throws Error with its stderr when it dies first. */
export async function startPinned(
  core: string,
  argv: readonly string[],
  env: Record<string, string> = {},
): Promise<Running> {
  const child = spawn("taskset", ["-c", core, ...argv], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    env: { PATH: process.env.PATH ?? "", HOME: process.env.HOME ?? "/tmp", ...env },
  });
  let errors = "";
  child.stderr?.on("data", (text: Buffer) => {
    errors = (errors + text.toString()).slice(-4_000);
  });
  const ready = await firstJson(child, () => errors);
  return { pid: child.pid ?? 0, ready, stop: () => stop(child) };
}

function firstJson(child: ChildProcess, errors: () => string): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () =>
      reject(new Error(`${child.spawnargs.slice(3).join(" ")} ended before it was ready: ${errors()}`)),
    );
    if (!child.stdout) return;
    // Reading goes on behind the first line: a closed pipe would end the child at its next write.
    createInterface({ input: child.stdout }).on("line", (line) => {
      if (line.startsWith("{")) resolve(JSON.parse(line) as Record<string, unknown>);
    });
  });
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGTERM");
  const deadline = setTimeout(() => child.kill("SIGKILL"), 5_000);
  await exited;
  clearTimeout(deadline);
}
