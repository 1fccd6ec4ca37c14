import type { MessageEntity, ReplyParameters } from "@grammyjs/types";
import { z } from "zod";
import { badRequest } from "../api-error.ts";

/*
 * Parameters come as JSON, as a form or as multipart: numbers and truth values may be text, and objects may be text that
 * holds JSON. Messages here are what follows "Bad Request: ".
 */

export const integer = z.coerce.number().int();
export const boolean = z.preprocess((value) => {
  if (typeof value !== "string") return value;
  return ["true", "yes", "1"].includes(value.toLowerCase().trim());
}, z.boolean());

/** An object or array, or text that holds one as JSON. */
export function json<S extends z.ZodType>(schema: S, what: string) {
  return z.preprocess((value, context) => {
    if (typeof value !== "string") return value;
    try {
      return JSON.parse(value);
    } catch {
      context.addIssue({ code: "custom", message: `can't parse ${what} JSON object` });
      return z.NEVER;
    }
  }, schema);
}

export const chatId = z.union([z.number().int(), z.string().min(1)], { error: "chat_id is empty" });

export const messageId = z.coerce.number({ error: "message identifier is not specified" }).int();

export const entities = json(
  z.array(
    z.looseObject({
      type: z.string(),
      offset: z.number().int(),
      length: z.number().int(),
    }),
  ) as unknown as z.ZodType<MessageEntity[]>,
  "entities",
).optional();

export const replyParameters = json(
  z.looseObject({
    message_id: z.number().int(),
    chat_id: chatId.optional(),
    allow_sending_without_reply: z.boolean().optional(),
    quote: z.string().max(1_024, "message quote is too long").optional(),
  }) as unknown as z.ZodType<ReplyParameters>,
  "reply parameters",
).optional();

/** Where a message goes, and what it answers: the same for every send method. */
export const placement = {
  chat_id: chatId,
  message_thread_id: integer.optional(),
  reply_parameters: replyParameters,
  /** The deprecated way of saying it. */
  reply_to_message_id: integer.optional(),
  allow_sending_without_reply: boolean.optional(),
  disable_notification: boolean.optional(),
  protect_content: boolean.optional(),
  message_effect_id: z.string().optional(),
  reply_markup: z.unknown().optional(),
};

/**
 * Reads parameters by their schema.
 * @throws BotApiError 400 with the first fault.
 */
export function readParameters<P>(schema: z.ZodType<P>, payload: Readonly<Record<string, unknown>>): P {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const name = issue?.path.map(String).join(".") ?? "";
  const isGeneric = issue === undefined || /^(Invalid|Expected|Too)/.test(issue.message);
  if (!isGeneric) throw badRequest(issue.message);
  const isMissing = name !== "" && payload[String(issue?.path[0])] === undefined;
  throw badRequest(
    isMissing ? `Parameter "${name}" is required` : `Parameter "${name}" is invalid: ${issue?.message ?? ""}`,
  );
}
