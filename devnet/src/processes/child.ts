import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type * as z from "zod";
import { childEnvironment } from "./child-environment.ts";

/** Workspaces run as TypeScript: this condition picks `src` in their `exports`. */
const nodeFlags = ["-C", "bombyx-source"];
const leash = new URL("./leash.ts", import.meta.url).href;
const keptErrorLines = 12;

export interface ProcessOptions {
  /** For people: "the gateway". */
  readonly name: string;
  readonly entry: URL;
  readonly args: readonly string[];
  /** Its own settings; see {@link childEnvironment} for what comes with them. */
  readonly environment: Readonly<Record<string, string>>;
  /** Options of Node itself, beside those that every process needs. */
  readonly nodeFlags?: readonly string[] | undefined;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A process of the network, from its start to its end. */
export interface Child {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  readonly exited: Promise<ProcessExit>;
  /** SIGTERM, then SIGKILL when it is still there after `deadlineMs`. */
  stop(deadlineMs: number): Promise<void>;
  kill(signal: NodeJS.Signals): void;
}

/** A process that ended before it was ready; the message holds its own last words. */
export class ChildStartError extends Error {
  override readonly name = "ChildStartError";
  readonly child: string;

  constructor(child: string, exit: ProcessExit, lastWords: readonly string[], logFile: string) {
    const how = exit.signal ? `was ended by ${exit.signal}` : `ended with exit code ${exit.code}`;
    const words = lastWords.length > 0 ? `:\n${lastWords.map((line) => `  ${line}`).join("\n")}` : ".";
    super(`${child} ${how} before it was ready${words}\nIts whole log: ${logFile}`);
    this.child = child;
  }
}

/**
 * Starts a process. `ready` resolves with the first JSON line on its standard output that the schema
 * accepts, and rejects with a {@link ChildStartError} when the process ends before it.
 * Both outputs go to `logFile`, which begins anew.
 */
export function startChild<T>(
  options: ProcessOptions & { readonly logFile: string; readonly ready: z.ZodType<T> },
): { child: Child; ready: Promise<T> } {
  const log = createWriteStream(options.logFile, { mode: 0o600 });
  const child = spawn(
    process.execPath,
    [
      ...nodeFlags,
      ...(options.nodeFlags ?? []),
      "--import",
      leash,
      fileURLToPath(options.entry),
      ...options.args,
    ],
    {
      // A group of its own: Ctrl-C reaches the network's first process alone, which then stops the others in order.
      detached: true,
      env: childEnvironment(options.environment),
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    },
  );
  const lastWords: string[] = [];
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  const exited = exitOf(child);
  void exited.then(() => log.end());

  const ready = new Promise<T>((resolve, reject) => {
    if (child.stdout) {
      createInterface({ input: child.stdout }).on("line", (line) => {
        const parsed = options.ready.safeParse(jsonOrUndefined(line));
        if (parsed.success) resolve(parsed.data);
      });
    }
    if (child.stderr) {
      createInterface({ input: child.stderr }).on("line", (line) => {
        lastWords.push(line);
        if (lastWords.length > keptErrorLines) lastWords.shift();
      });
    }
    exited.then(
      (exit) => reject(new ChildStartError(options.name, exit, lastWords, options.logFile)),
      (error: unknown) => reject(error),
    );
  });
  return { child: handle(options.name, options.logFile, child, exited), ready };
}

function handle(name: string, logFile: string, child: ChildProcess, exited: Promise<ProcessExit>): Child {
  const alive = () => child.exitCode === null && child.signalCode === null;
  return {
    name,
    logFile,
    pid: child.pid ?? -1,
    exited,
    kill: (signal) => {
      child.kill(signal);
    },
    stop: async (deadlineMs) => {
      if (!alive()) return;
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), deadlineMs);
      await exited;
      clearTimeout(timer);
    },
  };
}

/** Ends after the process and both its outputs did, so that its last words are complete. */
async function exitOf(child: ChildProcess): Promise<ProcessExit> {
  await once(child, "close");
  return { code: child.exitCode, signal: child.signalCode };
}

function jsonOrUndefined(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
