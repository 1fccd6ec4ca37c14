import * as z from "zod";
import { count, hex, nanoText } from "./encoding.ts";
import { type ErrorCode, errorStatus } from "./error.ts";
import { limits } from "./limits.ts";
import { priceSchema } from "./price.ts";

/** `{"error": …}`: the body of every refusal of the gateway. */
export const errorBodySchema = z.object({
  error: z.object({
    code: z.custom<ErrorCode>((value) => typeof value === "string" && Object.hasOwn(errorStatus, value)),
    message: z.string(),
    field: z.string().optional(),
    retryAfterMs: count.optional(),
    instead: hex.b32.optional(),
    totalNano: nanoText.optional(),
  }),
});

/** `GET /v1/models`, in OpenAI's shape with what a chooser needs beside it. */
export const modelsSchema = z.object({
  object: z.literal("list"),
  data: z.array(
    z.object({
      id: z.string(),
      object: z.literal("model"),
      /** Seconds, as OpenAI has it. */
      created: count,
      owned_by: z.literal("bombyx"),
      contextTokens: count,
      nodes: count,
      price: priceSchema,
    }),
  ),
});

/** `GET /v1/candidates?model=ID[&not=NODE,NODE]`: at most five, best first. Nothing here is trusted. */
export const candidatesSchema = z.object({
  model: z.string(),
  price: priceSchema,
  candidates: z
    .array(
      z.object({
        node: hex.b32,
        name: z.string().max(64),
        attestationId: hex.b32,
        /** Hash of the model manifest that serves this model there. */
        manifest: hex.b32,
        /** Price coefficient of the node, in 1/1000. */
        coefficient: z.int().min(1).max(limits.coefficient),
        /** The scheduler's weight: greater is better. */
        score: z.number().positive(),
        /** Opaque per-owner tag, so that a standby can differ in owner. */
        owner: z.string(),
      }),
    )
    .max(5),
});
export type Candidates = z.infer<typeof candidatesSchema>;
export type Candidate = Candidates["candidates"][number];

/**
 * `POST /v1/nodes/{node}/sessions`: body `u8 suite ‖ attestation id (32) ‖ kem id (8) ‖ Noise message 1`,
 * answer 201, body Noise message 2, the session id (hex) in `Bombyx-Session`.
 */
export const handshakePrefixBytes = 1 + 32 + 8;
/** `POST /v1/sealed/{session}/{request}`; `GET …?from=N` asks for the frames from N on again. */
export const sealedHeaders = {
  session: "bombyx-session",
  idempotencyId: "bombyx-idempotency-id",
  price: "bombyx-price",
  maxTokens: "bombyx-max-tokens",
  /** `{session}/{request}` of the attempt that this one takes over from. */
  lostAttempt: "bombyx-lost-attempt",
  /** Bot key only: the Telegram user id for whom the bot asks. */
  user: "bombyx-user",
  /** The channel that pays, by its address; without it the account's newest open one does. */
  channel: "bombyx-channel",
} as const;

export const sealedHeadSchema = z.strictObject({
  idempotencyId: hex.b16,
  priceId: hex.b16,
  maxTokens: z.union(limits.maxTokensBuckets.map((bucket) => z.literal(bucket))),
  lostAttempt: z
    .strictObject({
      session: hex.b32,
      request: z
        .int()
        .min(0)
        .max(limits.requestsPerSession - 1),
    })
    .optional(),
});
export type SealedHead = z.infer<typeof sealedHeadSchema>;

/** `POST /v1/tokens`: Telegram init data for a short-lived session token. */
export const tokenRequestSchema = z.strictObject({
  botId: z.int().positive(),
  initData: z.string().min(1).max(8_192),
});
export const tokenSchema = z.object({ token: z.string(), expiresAt: count });
