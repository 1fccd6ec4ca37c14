import { BombyxError, limits } from "@bombyx/protocol/wire";
import * as z from "zod";
import type { Sampling } from "../../engine/engine.ts";

/** What a request may use at most. */
export interface Allowance {
  readonly declaredMaxTokens: number;
  /** Completion tokens that the budget pays for behind an empty prompt. */
  readonly affordableTokens: number;
}

const maxTokens = z.int("expected a whole number of tokens").min(1, "expected at least 1 token");
const only = <T extends number | boolean>(value: T, why: string) => z.literal(value, { error: why });

/** Fields that chat and plain completions share. What is not honoured is refused, never ignored. */
export const samplingFields = {
  temperature: z.number("expected a number").min(0, "expected 0 to 2").max(2, "expected 0 to 2").optional(),
  top_p: z
    .number("expected a number")
    .gt(0, "expected more than 0, at most 1")
    .max(1, "expected more than 0, at most 1")
    .optional(),
  top_k: z
    .int("expected a whole number")
    .min(0, "expected 0 to 1000")
    .max(1_000, "expected 0 to 1000")
    .optional(),
  seed: z
    .int("expected a whole number")
    .min(0, "expected 0 to 4294967295")
    .max(0xffff_ffff, "expected 0 to 4294967295")
    .optional(),
  stop: z
    .union([z.string().min(1), z.array(z.string().min(1)).max(limits.stopStrings)], {
      error: `expected a string, or at most ${limits.stopStrings} strings, none empty`,
    })
    .optional(),
  n: only(1, "only 1 answer per request is supported").optional(),
  frequency_penalty: only(0, "only 0 is supported").optional(),
  presence_penalty: only(0, "only 0 is supported").optional(),
  /** The answer always travels as a stream; how it is shown is the client's side. */
  stream: z.boolean("expected true or false").optional(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() })
    .optional(),
  max_tokens: maxTokens.optional(),
};
export const maxTokensField = maxTokens;

/** Top-level fields that are null count as absent, as OpenAI has it. */
export function withoutNulls(body: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(body).filter(([, value]) => value !== null));
}

interface SamplingBody {
  readonly temperature?: number | undefined;
  readonly top_p?: number | undefined;
  readonly top_k?: number | undefined;
  readonly seed?: number | undefined;
  readonly stop?: string | readonly string[] | undefined;
  readonly max_tokens?: number | undefined;
  readonly max_completion_tokens?: number | undefined;
}

/**
 * The engine's view of these fields.
 * @throws BombyxError DISAGREEMENT when more tokens are asked for than were declared in the clear.
 */
export function samplingOf(body: SamplingBody, { declaredMaxTokens, affordableTokens }: Allowance): Sampling {
  const { temperature, top_p, top_k, seed, stop } = body;
  const field = body.max_completion_tokens === undefined ? "max_tokens" : "max_completion_tokens";
  const asked = body[field] ?? declaredMaxTokens;
  if (asked > declaredMaxTokens) {
    throw new BombyxError(
      "DISAGREEMENT",
      `${field} is ${asked}, but ${declaredMaxTokens} were declared in the clear; declare a larger maximum.`,
      { field },
    );
  }
  return {
    ...(temperature !== undefined && { temperature }),
    ...(top_p !== undefined && { topP: top_p }),
    ...(top_k !== undefined && { topK: top_k }),
    ...(seed !== undefined && { seed }),
    stop: typeof stop === "string" ? [stop] : (stop ?? []),
    maxTokens: Math.min(asked, affordableTokens),
  };
}
