import { BombyxError } from "@bombyx/protocol/wire";
import type { EngineError, FromEngine, ToEngine } from "../pipe.ts";
import { Runner } from "./runner.ts";

/**
 * The engine process: no keys, no network, no files but the weights (PROTOCOL §10). It ends with its
 * parent, and crashes rather than go on after an error that it does not understand.
 */
const running = new Map<number, AbortController>();
let runner: Runner | undefined;

const send = (message: FromEngine): void => {
  process.send?.(message);
};

/** Foreign errors may quote a prompt: of them only the kind leaves this process. */
const told = (error: unknown): EngineError =>
  error instanceof BombyxError
    ? { code: error.code, message: error.message, ...(error.field !== undefined && { field: error.field }) }
    : {
        code: "NODE_FAILED",
        message: `The engine failed (${error instanceof Error ? error.name : "unknown"}). Try again.`,
      };

/** Loading needed modules, device files and a trial process; from here on, where prompts come, nothing does. */
function dropPermissions(): void {
  const permission: (typeof process.permission & DroppablePermission) | undefined = process.permission;
  for (const scope of ["fs.read", "fs.write", "child", "addon", "worker"]) permission?.drop?.(scope);
}

/** Node 24.21 can give rights back; the type definitions do not say so yet. */
interface DroppablePermission {
  drop?(scope: string): void;
}

async function start(message: Extract<ToEngine, { type: "start" }>): Promise<void> {
  let lastPercent = -1;
  try {
    runner = await Runner.load(message.start, (fraction) => {
      const percent = Math.floor(fraction * 100);
      if (percent !== lastPercent) send({ type: "loading", fraction: Math.min(1, fraction) });
      lastPercent = percent;
    });
    dropPermissions();
    send({ type: "ready", loaded: runner.loaded });
  } catch (error) {
    send({ type: "refused", error: told(error) });
  }
}

async function run({ id, job, grammars }: Extract<ToEngine, { type: "run" }>): Promise<void> {
  const abort = new AbortController();
  running.set(id, abort);
  let counts = { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 };
  try {
    if (runner === undefined)
      throw new BombyxError("NODE_FAILED", "The engine is not loaded yet. Try again.");
    const result = await runner.run(
      job,
      grammars,
      () => send({ type: "started", id }),
      (progress) => {
        counts = progress.counts;
        send({ type: "progress", id, progress });
      },
      abort.signal,
    );
    send({ type: "done", id, result });
  } catch (error) {
    if (abort.signal.aborted) {
      const sampler = { temperature: 0, topP: 1, topK: 0 };
      send({ type: "done", id, result: { counts, finishReason: "cancelled", seed: 0, sampler } });
    } else {
      send({ type: "failed", id, error: told(error) });
    }
  } finally {
    running.delete(id);
  }
}

process.on("message", (message: ToEngine) => {
  switch (message.type) {
    case "start":
      void start(message);
      break;
    case "run":
      void run(message);
      break;
    case "cancel":
      running.get(message.id)?.abort();
      break;
    case "forget":
      runner?.forget(message.session);
      break;
  }
});
process.on("disconnect", () => process.exit(0));
// A terminal's Ctrl-C reaches the whole group: the parent drains first and then ends this process.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
