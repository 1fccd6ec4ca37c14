import type { ModelManifest } from "@bombyx/protocol/attestation";
import type { AnswerDelta } from "@bombyx/protocol/wire";

/**
 * What the enclave asks of an engine. The engine is a child process without keys, network or files
 * but the weights (PROTOCOL §10); the enclave has judged every request before it gets here.
 */
export interface Engine {
  readonly model: LoadedModel;
  /**
   * Runs one job on a leased sequence; waits for one when all are taken. Deltas are in order.
   * Aborting `signal` stops generation and resolves with finish reason `cancelled`.
   * @throws BombyxError CONTEXT_TOO_LONG, BAD_REQUEST, CAP (prompt above `promptTokensMax`) or NODE_FAILED.
   */
  run(
    job: EngineJob,
    onProgress: (progress: EngineProgress) => void,
    signal: AbortSignal,
  ): Promise<EngineResult>;
  /** Erases what is kept for a session's prefix reuse. */
  forget(session: string): void;
  load(): { running: number; queued: number };
  /** Called when the child process died; the engine restarts it by itself. */
  onCrash(listener: (error: Error) => void): void;
  close(): Promise<void>;
}

export interface LoadedModel {
  readonly manifest: ModelManifest;
  readonly contextTokens: number;
  readonly slots: number;
  /** Measured at start, tokens per second: one prompt alone, and all slots together. */
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
  readonly embeddings: boolean;
}

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant" | "tool";
  readonly content: string;
  readonly toolCalls?: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  readonly toolCallId?: string;
}

export interface Tool {
  readonly name: string;
  readonly description?: string;
  /** JSON schema of the arguments. */
  readonly parameters?: Readonly<Record<string, unknown>>;
}

export interface Sampling {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly seed?: number;
  readonly stop: readonly string[];
  /** Completion tokens at most. */
  readonly maxTokens: number;
}

export type EngineJob = {
  /** Opaque: equal for requests of one session, so that a prefix is reused inside it and nowhere else. */
  readonly session: string;
  /** Refuse with CAP before inference when the prompt has more tokens. */
  readonly promptTokensMax: number;
} & (
  | ({
      readonly kind: "chat";
      readonly messages: readonly ChatMessage[];
      readonly tools: readonly Tool[];
      readonly toolChoice: "auto" | "none" | "required" | { readonly name: string };
      /** `undefined`: free text; `true`: any JSON; else a JSON schema, enforced by grammar. */
      readonly jsonSchema?: Readonly<Record<string, unknown>> | true;
      /** Text of the answer that was delivered already; generation goes on behind it. */
      readonly prefix?: string;
    } & Sampling)
  | ({ readonly kind: "completion"; readonly prompt: string; readonly prefix?: string } & Sampling)
  | { readonly kind: "embedding"; readonly inputs: readonly string[] }
);

export interface EngineCounts {
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
  readonly reasoningTokens: number;
}

export interface EngineProgress {
  readonly delta?: AnswerDelta;
  /** So far, this delta included. */
  readonly counts: EngineCounts;
}

export interface EngineResult {
  readonly counts: EngineCounts;
  readonly finishReason: "stop" | "length" | "tool_calls" | "cancelled";
  readonly seed: number;
  readonly sampler: { readonly temperature: number; readonly topP: number; readonly topK: number };
}

export interface EngineOptions {
  readonly modelPath: string;
  /** Name that clients ask for. */
  readonly modelId: string;
  readonly slots: number;
  /** Overrides the rule (1 below 200 MB, else physical cores ÷ engine processes − 1). */
  readonly threads?: number;
  /** How many engine processes share this machine's cores; 1 when not given. */
  readonly engineProcesses?: number;
  /** Tokens per second and sequence at most; devnet only, so that a tiny model is seen to stream. */
  readonly paceTokensPerSecond?: number;
  readonly contextTokens?: number;
  /**
   * Asked before each load, that after a crash included: whether weights may lie on a GPU; rejects when nothing is
   * to be loaded at all. @default the processor alone
   */
  readonly gpu?: () => Promise<boolean>;
  readonly onLoadProgress?: (fraction: number) => void;
}
