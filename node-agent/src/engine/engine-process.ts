import { type ChildProcess, fork } from "node:child_process";
import { BombyxError } from "@bombyx/protocol/wire";
import { entryBeside, moduleFlags } from "./entry.ts";
import { withoutNetwork } from "./network-namespace.ts";
import { type EngineStart, type FromEngine, fromEngineSchema, type Loaded, type ToEngine } from "./pipe.ts";
import type { Weights } from "./weights.ts";

/** Descriptor under which the child inherits the nameless copy of the weights. */
const weightsDescriptor = 4;

export interface EngineProcessEvents {
  readonly onMessage: (message: FromEngine) => void;
  /** Once: it died, was killed or broke the pipe's rules. */
  readonly onExit: (error: BombyxError) => void;
}

export interface StartedProcess {
  readonly process: EngineProcess;
  readonly loaded: Loaded;
  /** It has no network, by a namespace of its own. */
  readonly networkless: boolean;
}

/** To load: modules and device files, the native addon, and the trial process that tells which build runs here. */
const permissionFlags = [
  "--permission",
  "--allow-fs-read=*",
  "--allow-addons",
  "--allow-child-process",
  "--disable-warning=SecurityWarning",
];

/** Of the environment only what chooses a GPU and finds its libraries. */
function deviceEnvironment(): NodeJS.ProcessEnv {
  const names = Object.keys(process.env).filter((name) =>
    /^(LD_LIBRARY_PATH|(CUDA|NVIDIA|GGML)_[A-Z_]+)$/.test(name),
  );
  return Object.fromEntries(names.map((name) => [name, process.env[name]]));
}

/**
 * node-llama-cpp samples the sequences of a batch on libuv's threads at once, but llama.cpp sorts the
 * batch's logits when the first of them asks: with two threads one sequence can be given another's
 * logits, and a session a token of another session. One thread makes them take turns.
 */
const oneAtATime = { UV_THREADPOOL_SIZE: "1" };

/** One child process that has loaded the weights; `close` ends it. */
export class EngineProcess {
  readonly #child: ChildProcess;
  #gone = false;
  #closing = false;

  private constructor(child: ChildProcess, events: EngineProcessEvents) {
    this.#child = child;
    const gone = (why: string): void => {
      if (this.#gone) return;
      this.#gone = true;
      child.kill("SIGKILL");
      if (!this.#closing)
        events.onExit(new BombyxError("NODE_FAILED", `The engine stopped (${why}). Try again.`));
    };
    child.on("message", (raw) => {
      const message = fromEngineSchema.safeParse(raw);
      if (message.success) events.onMessage(message.data);
      else gone("it sent a message that is none of the pipe's");
    });
    child.once("error", () => gone("it could not be started"));
    child.once("exit", (code, signal) => gone(signal ?? `exit code ${code}`));
  }

  /**
   * Starts the child with nothing of ours: no environment but the GPU's, no network where the system allows it,
   * and Node's permission model, whose rights the child drops when the weights are loaded.
   */
  static #spawn(
    weights: Weights,
    networkless: readonly string[] | undefined,
    events: EngineProcessEvents,
  ): EngineProcess {
    const node = [...moduleFlags(process.execArgv), ...permissionFlags];
    const [program, ...wrapping] = networkless ?? [];
    const child = fork(entryBeside(import.meta.url, "child/main"), [], {
      serialization: "advanced",
      env: { ...deviceEnvironment(), ...oneAtATime },
      ...(program === undefined
        ? { execArgv: node }
        : { execPath: program, execArgv: [...wrapping, process.execPath, ...node] }),
      stdio: ["ignore", "ignore", "ignore", "ipc", weights.file.fd],
    });
    return new EngineProcess(child, events);
  }

  static async start(
    weights: Weights,
    start: Omit<EngineStart, "weightsPath" | "weightsBytes" | "weightsInMemory">,
    events: EngineProcessEvents & { readonly onProgress: (fraction: number) => void },
  ): Promise<StartedProcess> {
    const networkless = await withoutNetwork();
    return new Promise((resolve, reject) => {
      let ready = false;
      const engine = EngineProcess.#spawn(weights, networkless, {
        onExit: (error) => (ready ? events.onExit(error) : reject(error)),
        onMessage: (message) => {
          if (message.type === "loading") events.onProgress(message.fraction);
          else if (message.type === "ready") {
            ready = true;
            resolve({ process: engine, loaded: message.loaded, networkless: networkless !== undefined });
          } else if (message.type === "refused") {
            void engine.close();
            const { code, message: text, field } = message.error;
            reject(new BombyxError(code, text, field === undefined ? {} : { field }));
          } else events.onMessage(message);
        },
      });
      engine.send({
        type: "start",
        start: {
          ...start,
          weightsPath: weights.path ?? `/proc/self/fd/${weightsDescriptor}`,
          weightsBytes: weights.bytes,
          weightsInMemory: weights.inMemory,
        },
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  send(message: ToEngine): void {
    if (this.#gone || !this.#child.connected) return;
    // A failed write means that the child is gone, which its exit event reports.
    this.#child.send(message, () => undefined);
  }

  close(): Promise<void> {
    this.#closing = true;
    if (this.#gone) return Promise.resolve();
    return new Promise((resolve) => {
      this.#child.once("exit", () => resolve());
      this.#child.kill("SIGKILL");
    });
  }
}
