import type { ModelManifest } from "@bombyx/protocol/attestation";
import { BombyxError } from "@bombyx/protocol/wire";
import type {
  Engine,
  EngineCounts,
  EngineJob,
  EngineProgress,
  EngineResult,
  LoadedModel,
} from "../src/engine/engine.ts";
import { Queue } from "./queue.ts";

export const scriptedManifest: ModelManifest = {
  v: 1,
  model: "scripted",
  ggufSha256: "11".repeat(32),
  engine: "scripted",
  chatTemplateHash: "22".repeat(32),
  contextTokens: 2_048,
  sampler: { temperatureMilli: 800, topPMilli: 950, topK: 40 },
  kvTypes: { k: "f16", v: "f16" },
  adapters: [],
  draftModel: null,
  engineFlags: [],
};

/** One job as an engine got it; the test says what the model does. */
export class ScriptedJob {
  readonly job: EngineJob;
  readonly signal: AbortSignal;
  readonly #onProgress: (progress: EngineProgress) => void;
  readonly #result = Promise.withResolvers<EngineResult>();
  counts: EngineCounts;

  constructor(
    job: EngineJob,
    onProgress: (progress: EngineProgress) => void,
    signal: AbortSignal,
    promptTokens: number,
  ) {
    this.job = job;
    this.signal = signal;
    this.#onProgress = onProgress;
    this.counts = { promptTokens, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 };
  }

  get result(): Promise<EngineResult> {
    return this.#result.promise;
  }

  /** One token of text. */
  say(text: string): void {
    this.counts = { ...this.counts, completionTokens: this.counts.completionTokens + 1 };
    this.#onProgress({ delta: { text }, counts: this.counts });
  }

  delta(delta: NonNullable<EngineProgress["delta"]>): void {
    this.counts = { ...this.counts, completionTokens: this.counts.completionTokens + 1 };
    this.#onProgress({ delta, counts: this.counts });
  }

  end(finishReason: EngineResult["finishReason"] = "stop"): void {
    const sampler = { temperature: 0.8, topP: 0.95, topK: 40 };
    this.#result.resolve({ counts: this.counts, finishReason, seed: 7, sampler });
  }

  crash(): void {
    this.#result.reject(new BombyxError("NODE_FAILED", "The engine died."));
  }
}

/** An engine that does what a test tells it, behind the real interface. */
export class ScriptedEngine implements Engine {
  readonly model: LoadedModel;
  readonly jobs = new Queue<ScriptedJob>();
  readonly forgotten: string[] = [];
  readonly #crashListeners: ((error: Error) => void)[] = [];
  promptTokens = 10;
  /** False for an engine that hangs. */
  obeysAbort = true;
  #running = 0;
  closed = false;

  constructor(model: Partial<LoadedModel> = {}) {
    this.model = {
      manifest: scriptedManifest,
      contextTokens: 2_048,
      slots: 4,
      prefillTokensPerSecond: 1_000,
      decodeTokensPerSecond: 100,
      embeddings: true,
      ...model,
    };
  }

  async run(
    job: EngineJob,
    onProgress: (progress: EngineProgress) => void,
    signal: AbortSignal,
  ): Promise<EngineResult> {
    if (this.promptTokens > job.promptTokensMax) throw new BombyxError("CAP", "The prompt is above the cap.");
    const scripted = new ScriptedJob(job, onProgress, signal, this.promptTokens);
    signal.addEventListener("abort", () => {
      if (this.obeysAbort) scripted.end("cancelled");
    });
    this.jobs.push(scripted);
    this.#running++;
    try {
      return await scripted.result;
    } finally {
      this.#running--;
    }
  }

  /** The child process dies: its jobs fail, and listeners hear of it. */
  crash(...jobs: readonly ScriptedJob[]): void {
    for (const listener of this.#crashListeners) listener(new Error("died"));
    for (const job of jobs) job.crash();
  }

  forget(session: string): void {
    this.forgotten.push(session);
  }

  load(): { running: number; queued: number } {
    return { running: this.#running, queued: 0 };
  }

  onCrash(listener: (error: Error) => void): void {
    this.#crashListeners.push(listener);
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}
