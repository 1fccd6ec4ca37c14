import type { ModelManifest } from "@bombyx/protocol/attestation";
import { answerDeltaSchema, count, type ErrorBody, errorStatus, finishReasons } from "@bombyx/protocol/wire";
import * as z from "zod";
import type { EngineJob } from "./engine.ts";

/** Tokens per second: of one prompt alone, and of all slots together. */
export interface Capacity {
  readonly prefillTokensPerSecond: number;
  readonly decodeTokensPerSecond: number;
}

/**
 * What crosses the pipe between enclave and engine. The engine runs foreign weights through native
 * code, so the enclave trusts nothing it says before these schemas have passed.
 */
export interface EngineStart {
  /** Where the child finds the private copy of the weights. */
  readonly weightsPath: string;
  readonly weightsBytes: number;
  /** The copy lies in memory, so mapping it hands no page to the host. */
  readonly weightsInMemory: boolean;
  readonly slots: number;
  readonly threads: number;
  /** Weights may lie on a GPU. */
  readonly gpu: boolean;
  /** Of an engine that comes back; a new one measures. */
  readonly capacity?: Capacity;
  readonly paceTokensPerSecond?: number;
  readonly contextTokens?: number;
}

/** What a chat's answer must match, as GBNF; made outside the engine from the request's schemas. */
export interface JobGrammars {
  /** Of each offered tool's arguments, in order; null for a tool that takes none. */
  readonly tools: readonly (string | null)[];
  /** One of the offered tools' names; null when there is no choice. */
  readonly names: string | null;
  /** Of the answer; null for free text. */
  readonly answer: string | null;
}

export type ToEngine =
  | { readonly type: "start"; readonly start: EngineStart }
  | { readonly type: "run"; readonly id: number; readonly job: EngineJob; readonly grammars: JobGrammars }
  | { readonly type: "cancel"; readonly id: number }
  | { readonly type: "forget"; readonly session: string };

const countsSchema = z.strictObject({
  promptTokens: count,
  cachedTokens: count,
  completionTokens: count,
  reasoningTokens: count,
});

const errorSchema = z.strictObject({
  code: z.custom<ErrorBody["code"]>(
    (value) => typeof value === "string" && Object.hasOwn(errorStatus, value),
  ),
  message: z.string().max(2_000),
  field: z.string().max(200).optional(),
});
export type EngineError = z.infer<typeof errorSchema>;

const samplerSchema = z.strictObject({ temperature: z.number(), topP: z.number(), topK: count });

const loadedSchema = z.strictObject({
  contextTokens: count,
  slots: count,
  prefillTokensPerSecond: z.number().nonnegative(),
  decodeTokensPerSecond: z.number().nonnegative(),
  embeddings: z.boolean(),
  chatTemplateHash: z.string().regex(/^[0-9a-f]{64}$/),
  build: z.string().max(128),
  sampler: samplerSchema,
  flags: z.array(z.string().max(64)).max(16),
});
/** What the child found and measured; with the hash of the weights it makes the {@link ModelManifest}. */
export type Loaded = z.infer<typeof loadedSchema>;

export const fromEngineSchema = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("loading"), fraction: z.number().min(0).max(1) }),
  z.strictObject({ type: z.literal("ready"), loaded: loadedSchema }),
  /** The model cannot be served; starting again would not help. */
  z.strictObject({ type: z.literal("refused"), error: errorSchema }),
  z.strictObject({ type: z.literal("started"), id: count }),
  z.strictObject({
    type: z.literal("progress"),
    id: count,
    progress: z.strictObject({ delta: answerDeltaSchema.optional(), counts: countsSchema }),
  }),
  z.strictObject({
    type: z.literal("done"),
    id: count,
    result: z.strictObject({
      counts: countsSchema,
      finishReason: z.enum(finishReasons),
      seed: count,
      sampler: samplerSchema,
    }),
  }),
  z.strictObject({ type: z.literal("failed"), id: count, error: errorSchema }),
]);
export type FromEngine = z.infer<typeof fromEngineSchema>;

/** The manifest of what answers under `model`'s name (PROTOCOL §3). */
export function manifestOf(model: string, ggufSha256: string, loaded: Loaded): ModelManifest {
  return {
    v: 1,
    model,
    ggufSha256,
    engine: loaded.build,
    chatTemplateHash: loaded.chatTemplateHash,
    contextTokens: loaded.contextTokens,
    sampler: {
      temperatureMilli: Math.round(loaded.sampler.temperature * 1_000),
      topPMilli: Math.round(loaded.sampler.topP * 1_000),
      topK: loaded.sampler.topK,
    },
    kvTypes: { k: "f16", v: "f16" },
    adapters: [],
    draftModel: null,
    engineFlags: loaded.flags,
  };
}
