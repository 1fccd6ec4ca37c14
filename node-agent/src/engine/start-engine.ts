import { setTimeout as delay } from "node:timers/promises";
import type { ModelManifest } from "@bombyx/protocol/attestation";
import { BombyxError } from "@bombyx/protocol/wire";
import type {
  Engine,
  EngineJob,
  EngineOptions,
  EngineProgress,
  EngineResult,
  LoadedModel,
} from "./engine.ts";
import { EngineProcess } from "./engine-process.ts";
import { compileGrammars } from "./job-grammars.ts";
import { type Capacity, type FromEngine, type JobGrammars, type Loaded, manifestOf } from "./pipe.ts";
import { SchemaGuard } from "./schema-guard.ts";
import { engineThreads, physicalCores, smallModelBytes } from "./threads.ts";
import { takeWeights, type Weights } from "./weights.ts";

/** The engine of this machine. */
export interface RunningEngine extends Engine {
  /** Of the child process; undefined while it is restarted. For those who watch its memory. */
  readonly pid: number | undefined;
  /** The process has no network; where false, only the machine's own rules keep it off. */
  readonly networkless: boolean;
}

interface Running {
  readonly job: EngineJob;
  readonly grammars: JobGrammars;
  readonly onProgress: (progress: EngineProgress) => void;
  readonly resolve: (result: EngineResult) => void;
  readonly reject: (error: Error) => void;
  readonly signal: AbortSignal;
  readonly onAbort: () => void;
  started: boolean;
}

const restartDelaysMs = [0, 500, 2_000, 10_000, 30_000];
/** A child that lived this long has earned a quick restart again. */
const steadyMs = 60_000;

/**
 * Copies and hashes the weights, starts the engine process, waits until it has loaded and measured.
 * @throws BombyxError with the fix in its message: no such model, corrupt file, too little memory.
 */
export async function startEngine(options: EngineOptions): Promise<RunningEngine> {
  const weights = await takeWeights(options.modelPath, (fraction) => options.onLoadProgress?.(fraction / 2));
  try {
    return await ChildEngine.start(options, weights);
  } catch (error) {
    await weights.release();
    throw error;
  }
}

class ChildEngine implements RunningEngine {
  readonly model: LoadedModel;
  readonly networkless: boolean;
  readonly #options: EngineOptions;
  readonly #weights: Weights;
  readonly #jobs = new Map<number, Running>();
  readonly #crashListeners: ((error: Error) => void)[] = [];
  readonly #brief: boolean;
  readonly #schemas: SchemaGuard;
  readonly #closing = new AbortController();
  #process: EngineProcess | undefined;
  #startedAt = performance.now();
  #crashes = 0;
  #nextId = 0;
  /** Why no engine comes back any more. */
  #lost: BombyxError | undefined;

  private constructor(options: EngineOptions, weights: Weights, loaded: Loaded, networkless: boolean) {
    this.#options = options;
    this.networkless = networkless;
    this.#weights = weights;
    this.#brief = weights.bytes < smallModelBytes;
    this.#schemas = new SchemaGuard(this.#brief);
    const { contextTokens, slots, prefillTokensPerSecond, decodeTokensPerSecond, embeddings } = loaded;
    const manifest: ModelManifest = manifestOf(options.modelId, weights.sha256, loaded);
    this.model = {
      manifest,
      contextTokens,
      slots,
      prefillTokensPerSecond,
      decodeTokensPerSecond,
      embeddings,
    };
  }

  static async start(options: EngineOptions, weights: Weights): Promise<ChildEngine> {
    let engine: ChildEngine | undefined;
    const { process, loaded, networkless } = await startProcess(options, weights, {
      onMessage: (message) => {
        if (engine !== undefined) engine.#receive(message);
      },
      onExit: (error) => {
        if (engine !== undefined) engine.#crashed(error);
      },
      onProgress: (fraction) => options.onLoadProgress?.(0.5 + fraction / 2),
    });
    engine = new ChildEngine(options, weights, loaded, networkless);
    engine.#process = process;
    return engine;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  async run(
    job: EngineJob,
    onProgress: (progress: EngineProgress) => void,
    signal: AbortSignal,
  ): Promise<EngineResult> {
    const grammars = await compileGrammars(job, this.#schemas, this.#brief);
    if (this.#closing.signal.aborted) throw new BombyxError("NODE_FAILED", "The engine is closed.");
    if (this.#lost !== undefined) throw this.#lost;
    if (signal.aborted) return cancelledUnstarted;
    return new Promise((resolve, reject) => {
      const id = this.#nextId++;
      const onAbort = (): void => {
        // A job that no process has yet ends here; the others end when the engine says how far they came.
        if (this.#process !== undefined) this.#process.send({ type: "cancel", id });
        else this.#finish(id)?.resolve(cancelledUnstarted);
      };
      this.#jobs.set(id, { job, grammars, onProgress, resolve, reject, signal, onAbort, started: false });
      signal.addEventListener("abort", onAbort, { once: true });
      this.#process?.send({ type: "run", id, job, grammars });
    });
  }

  forget(session: string): void {
    this.#process?.send({ type: "forget", session });
  }

  load(): { running: number; queued: number } {
    let running = 0;
    for (const { started } of this.#jobs.values()) if (started) running += 1;
    return { running, queued: this.#jobs.size - running };
  }

  onCrash(listener: (error: Error) => void): void {
    this.#crashListeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort();
    this.#failAll(new BombyxError("NODE_FAILED", "The engine is closed."));
    this.#schemas.close();
    await this.#process?.close();
    await this.#weights.release();
  }

  #receive(message: FromEngine): void {
    if (message.type === "progress") {
      this.#jobs.get(message.id)?.onProgress(message.progress as EngineProgress);
    } else if (message.type === "started") {
      const job = this.#jobs.get(message.id);
      if (job !== undefined) job.started = true;
    } else if (message.type === "done") {
      this.#finish(message.id)?.resolve(message.result);
    } else if (message.type === "failed") {
      const { code, message: text, field } = message.error;
      this.#finish(message.id)?.reject(new BombyxError(code, text, field === undefined ? {} : { field }));
    }
  }

  #finish(id: number): Running | undefined {
    const job = this.#jobs.get(id);
    if (job === undefined) return undefined;
    this.#jobs.delete(id);
    job.signal.removeEventListener("abort", job.onAbort);
    return job;
  }

  #failAll(error: BombyxError): void {
    for (const id of [...this.#jobs.keys()]) this.#finish(id)?.reject(error);
  }

  #crashed(error: BombyxError): void {
    this.#process = undefined;
    this.#failAll(error);
    this.#crashes = performance.now() - this.#startedAt > steadyMs ? 1 : this.#crashes + 1;
    for (const listener of this.#crashListeners) listener(error);
    void this.#restart();
  }

  async #restart(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const waitMs = restartDelaysMs[Math.min(this.#crashes, restartDelaysMs.length) - 1] ?? 0;
      await delay(waitMs, undefined, { signal: this.#closing.signal }).catch(() => undefined);
      if (this.#closing.signal.aborted) return;
      try {
        const { process, loaded } = await startProcess(this.#options, this.#weights, {
          onMessage: (message) => this.#receive(message),
          onExit: (error) => this.#crashed(error),
          onProgress: () => undefined,
          capacity: this.model,
        });
        return this.#resume(process, loaded);
      } catch {
        // Nobody waits for more than one attempt.
        this.#failAll(
          new BombyxError("NODE_FAILED", "The engine does not come back at the moment. Try again later."),
        );
        this.#crashes += 1;
      }
    }
  }

  /** Jobs that came meanwhile waited here. */
  #resume(process: EngineProcess, loaded: Loaded): void {
    if (this.#closing.signal.aborted) {
      void process.close();
      return;
    }
    if (
      JSON.stringify(manifestOf(this.#options.modelId, this.#weights.sha256, loaded)) !==
      JSON.stringify(this.model.manifest)
    ) {
      // The statement names the first manifest: answers of another engine must not go out under it.
      void process.close();
      this.#lost = new BombyxError(
        "NODE_FAILED",
        "The engine came back with another build or device. Restart the node.",
      );
      this.#failAll(this.#lost);
      return;
    }
    this.#startedAt = performance.now();
    this.#process = process;
    for (const [id, { job, grammars }] of this.#jobs) process.send({ type: "run", id, job, grammars });
  }
}

async function startProcess(
  options: EngineOptions,
  weights: Weights,
  { capacity, ...events }: Parameters<typeof EngineProcess.start>[2] & { readonly capacity?: Capacity },
): ReturnType<typeof EngineProcess.start> {
  const threads =
    options.threads ?? engineThreads(weights.bytes, physicalCores(), options.engineProcesses ?? 1);
  const gpu = (await options.gpu?.()) ?? false;
  return EngineProcess.start(
    weights,
    {
      slots: options.slots,
      threads,
      gpu,
      ...(capacity !== undefined && { capacity: capacityOf(capacity) }),
      ...(options.paceTokensPerSecond !== undefined && { paceTokensPerSecond: options.paceTokensPerSecond }),
      ...(options.contextTokens !== undefined && { contextTokens: options.contextTokens }),
    },
    events,
  );
}

const capacityOf = ({ prefillTokensPerSecond, decodeTokensPerSecond }: Capacity): Capacity => ({
  prefillTokensPerSecond,
  decodeTokensPerSecond,
});

const cancelledUnstarted: EngineResult = {
  counts: { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 },
  finishReason: "cancelled",
  seed: 0,
  sampler: { temperature: 0, topP: 1, topK: 0 },
};
