import { limits, type SealedRequest } from "@bombyx/protocol/wire";
import * as z from "zod";
import type { Question } from "../answer/answer.ts";
import { invalid } from "./error.ts";
import { sealedFields } from "./fields.ts";

type Endpoint = SealedRequest["endpoint"];

/** Completion tokens when the caller names no maximum: enough for a chat turn, cheap to reserve. */
export const defaultMaxTokens = 1_024;
const largestMaxTokens = limits.maxTokensBuckets.at(-1) ?? defaultMaxTokens;

const maxTokens = z
  .int(`expected 1 to ${largestMaxTokens}`)
  .min(1, `expected 1 to ${largestMaxTokens}`)
  .max(largestMaxTokens, `expected 1 to ${largestMaxTokens}`)
  .nullish();

/** What the client itself reads; everything else is for the enclave to judge. */
const readSchema = z.looseObject({
  model: z
    .string("expected a model's id")
    .min(1, "expected a model's id")
    .max(128, "expected at most 128 letters"),
  stream: z.boolean("expected true or false").nullish(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() })
    .nullish(),
  max_tokens: maxTokens,
  max_completion_tokens: maxTokens,
  encoding_format: z.enum(["float", "base64"], "expected float or base64").nullish(),
  max_coefficient: z
    .int(`expected 1 to ${limits.coefficient}, in 1/1000 of the gateway's price`)
    .min(1, `expected 1 to ${limits.coefficient}, in 1/1000 of the gateway's price`)
    .max(limits.coefficient, `expected 1 to ${limits.coefficient}, in 1/1000 of the gateway's price`)
    .nullish(),
  max_cost_nano: z
    .string("expected nanoTON as a decimal string")
    .regex(/^[1-9][0-9]{0,17}$/, "expected nanoTON above 0, as a decimal string")
    .nullish(),
  user: z.string("expected a string").max(512, "expected at most 512 letters").nullish(),
});

/** What one request may cost. */
export interface PriceLimits {
  /** Nodes that ask more of the gateway's price are passed over, in 1/1000. */
  readonly maxCoefficient?: number | undefined;
  /** nanoTON over all attempts; the answer stops there with finish reason `length`. */
  readonly maxCostNano?: bigint | undefined;
}

export interface ReadRequest {
  readonly question: Question;
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  readonly encodingFormat: "float" | "base64";
}

/**
 * An OpenAI body as a question to seal.
 * @param user the session when the body names none
 * @param most of the caller's code; of two limits the lower counts
 * @throws BombyxError BAD_REQUEST or UNKNOWN_FIELD, naming the field.
 */
export function readRequest(
  endpoint: Endpoint,
  body: unknown,
  user: string,
  most: PriceLimits = {},
): ReadRequest {
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw invalid("body", "expected a JSON object");
  }
  const parsed = readSchema.safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw invalid(issue?.path.join(".") || "body", issue?.message ?? "not valid");
  }
  const read = parsed.data;
  const stream = endpoint !== "embeddings" && read.stream === true;
  if (read.stream_options && !stream) throw invalid("stream_options", "only allowed when stream is true");
  const embeddings = endpoint === "embeddings";
  return {
    model: read.model,
    stream,
    includeUsage: read.stream_options?.include_usage === true,
    encodingFormat: read.encoding_format ?? "float",
    question: {
      seat: {
        model: read.model,
        user: read.user ?? user,
        maxCoefficient: lower(most.maxCoefficient, read.max_coefficient ?? undefined),
      },
      endpoint,
      body: sealedFields(endpoint, body as Record<string, unknown>),
      maxTokens: embeddings ? 1 : (read.max_completion_tokens ?? read.max_tokens ?? defaultMaxTokens),
      streamed: stream,
      maxCostNano: lower(
        most.maxCostNano,
        read.max_cost_nano == null ? undefined : BigInt(read.max_cost_nano),
      ),
    },
  };
}

function lower<T extends number | bigint>(one: T | undefined, other: T | undefined): T | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return one < other ? one : other;
}
