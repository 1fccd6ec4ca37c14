import { BombyxError, limits, type SealedRequest } from "@bombyx/protocol/wire";
import * as z from "zod";
import type { EngineJob } from "../../engine/engine.ts";
import { chatJsonSchema, chatMessages, chatSchema, chatToolChoice, chatTools } from "./chat.ts";
import { badField, refusalOf } from "./refusal.ts";
import { type Allowance, samplingFields, samplingOf, withoutNulls } from "./sampling.ts";

const falseOnly = z.literal(false, { error: "only false is supported" }).optional();

const completionSchema = z.strictObject({
  model: z.string("expected the model's id"),
  prompt: z.string("expected one string").min(1, "the prompt is empty"),
  ...samplingFields,
  best_of: z.literal(1, { error: "only 1 is supported" }).optional(),
  echo: falseOnly,
});

const embeddingSchema = z.strictObject({
  model: z.string("expected the model's id"),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(limits.embeddingInputs)], {
    error: `expected a string, or 1 to ${limits.embeddingInputs} strings, none empty`,
  }),
  /** Numbers travel as numbers; base64 is made on the client's side. */
  encoding_format: z.enum(["float", "base64"], { error: "expected float or base64" }).optional(),
});

export interface JudgeContext extends Allowance {
  readonly session: string;
  readonly promptTokensMax: number;
  readonly model: { readonly id: string; readonly embeddings: boolean };
}

/**
 * Judges an OpenAI body before an engine sees it (PROTOCOL §10): what is not honoured is refused by
 * name. JSON depth has been judged on the bytes.
 * @throws BombyxError UNKNOWN_FIELD, BAD_REQUEST, MODEL_UNKNOWN or DISAGREEMENT.
 */
export function judgeBody(
  { endpoint, body, prefix }: Pick<SealedRequest, "endpoint" | "body" | "prefix">,
  context: JudgeContext,
): EngineJob {
  const { session, promptTokensMax, model } = context;
  const base = { session, promptTokensMax };
  const given = withoutNulls(body);
  switch (endpoint) {
    case "chat.completions": {
      const chat = parse(chatSchema, given, model);
      const tools = chatTools(chat);
      const jsonSchema = chatJsonSchema(chat);
      return {
        ...base,
        ...samplingOf(chat, context),
        kind: "chat",
        messages: chatMessages(chat),
        tools,
        toolChoice: chatToolChoice(chat, tools),
        ...(jsonSchema !== undefined && { jsonSchema }),
        ...(prefix !== undefined && { prefix }),
      };
    }
    case "completions": {
      const completion = parse(completionSchema, given, model);
      return {
        ...base,
        ...samplingOf(completion, context),
        kind: "completion",
        prompt: completion.prompt,
        ...(prefix !== undefined && { prefix }),
      };
    }
    case "embeddings": {
      const { input } = parse(embeddingSchema, given, model);
      if (prefix !== undefined) throw badField("prefix", "embeddings have no answer to go on from");
      if (!model.embeddings) throw badField("model", "this model makes no embeddings; choose one that does");
      return { ...base, kind: "embedding", inputs: typeof input === "string" ? [input] : input };
    }
  }
}

function parse<T extends { model: string }>(
  schema: z.ZodType<T>,
  body: Readonly<Record<string, unknown>>,
  model: JudgeContext["model"],
): T {
  const parsed = schema.safeParse(body);
  if (!parsed.success) throw refusalOf(parsed.error);
  if (parsed.data.model !== model.id) {
    throw new BombyxError(
      "MODEL_UNKNOWN",
      `This node answers as "${model.id}"; ask for that model, or choose another node.`,
      { field: "model" },
    );
  }
  return parsed.data;
}
