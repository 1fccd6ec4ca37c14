import * as z from "zod";
import { count, hex } from "./encoding.ts";
import { type ErrorCode, errorStatus } from "./error.ts";

/**
 * Plaintext of a request, JSON, padded to a bucket. `body` is OpenAI's own request body for that
 * endpoint, judged in the enclave; the rest must agree with what is in the clear.
 */
export const sealedRequestSchema = z.strictObject({
  endpoint: z.enum(["chat.completions", "completions", "embeddings"]),
  body: z.record(z.string(), z.unknown()),
  idempotencyId: hex.b16,
  priceId: hex.b16,
  /** Price coefficient the client accepts, in 1/1000. */
  coefficient: count,
  /** The client's own ceiling in units. */
  ceilingUnits: count,
  /** ms between answer frames; 0 trades the private cadence for latency. */
  tickMs: z.union([z.literal(0), z.literal(80)]),
  /** Text that an earlier, lost attempt already delivered: the answer goes on behind it. */
  prefix: z.string().optional(),
});
export type SealedRequest = z.infer<typeof sealedRequestSchema>;

/**
 * Plaintext of an answer frame: parts `u8 type ‖ u16be length ‖ payload`, then padding up to 256 B. What
 * does not fit continues in the next frame: the bytes of one type are concatenated in order.
 */
export const answerType = {
  /** UTF-8 JSON lines: one {@link AnswerDelta} each, `\n`-terminated. */
  delta: 1,
  /** Nothing new in this tick. */
  ping: 2,
  /** One ErrorBody, JSON; the stream ends with it. */
  error: 3,
  /** One {@link ReceiptDetail}, JSON; comes last, its last frame carries TAG_FINAL. */
  detail: 4,
  /**
   * Running count and the node's signature for it, binary, behind the deltas of every frame that has
   * some: `u32be prompt ‖ cached ‖ completion ‖ reasoning tokens ‖ signature (64)`. The client rebuilds
   * the running receipt from it; when the node is lost, that pays for exactly what was delivered.
   */
  checkpoint: 5,
} as const;
export type AnswerType = (typeof answerType)[keyof typeof answerType];

/** What the model said since the last delta. */
export const answerDeltaSchema = z.union([
  z.strictObject({ text: z.string() }),
  z.strictObject({ reasoning: z.string() }),
  z.strictObject({
    toolCall: z.strictObject({
      index: count,
      id: z.string().optional(),
      name: z.string().optional(),
      arguments: z.string(),
    }),
  }),
  z.strictObject({ embedding: z.strictObject({ index: count, values: z.array(z.number()) }) }),
]);
export type AnswerDelta = z.infer<typeof answerDeltaSchema>;

export const finishReasons = ["stop", "length", "tool_calls", "cancelled"] as const;

/** Sealed to the client alone; H(salt ‖ canonical JSON) is in the clear receipt. */
export const receiptDetailSchema = z.strictObject({
  promptTokens: count,
  cachedTokens: count,
  completionTokens: count,
  reasoningTokens: count,
  /** Prompt and cached tokens of a continuation are not billed. */
  continuation: z.boolean(),
  finishReason: z.enum(finishReasons),
  /** 32 bits, unsigned. */
  seed: count,
  sampler: z.strictObject({ temperature: z.number(), topP: z.number(), topK: count }),
  salt: hex.b32,
});
export type ReceiptDetail = z.infer<typeof receiptDetailSchema>;

export const sealedErrorSchema = z.object({
  code: z.custom<ErrorCode>((value) => typeof value === "string" && Object.hasOwn(errorStatus, value)),
  message: z.string(),
  field: z.string().optional(),
});
