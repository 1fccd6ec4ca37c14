import { limits, utf8 } from "@bombyx/protocol/wire";
import * as z from "zod";
import type { ChatMessage, Tool } from "../../engine/engine.ts";
import { badField } from "./refusal.ts";
import { maxTokensField, samplingFields } from "./sampling.ts";

const object = z.record(z.string(), z.unknown(), { error: "expected a JSON object" });

const content = z.union(
  [
    z.string(),
    z
      .array(z.strictObject({ type: z.literal("text"), text: z.string() }))
      .min(1)
      .transform((parts) => parts.map(({ text }) => text).join("")),
  ],
  { error: 'expected a string, or parts of type "text"; nothing else is supported' },
);

const message = z.discriminatedUnion(
  "role",
  [
    z.strictObject({ role: z.enum(["system", "developer"]), content }),
    z.strictObject({ role: z.literal("user"), content }),
    z.strictObject({
      role: z.literal("assistant"),
      content: content.nullish(),
      /** OpenAI's own answers carry it, and are sent back as they came. */
      refusal: z.null({ error: "only null is supported" }).optional(),
      tool_calls: z
        .array(
          z.strictObject({
            id: z.string().min(1).max(128),
            type: z.literal("function"),
            function: z.strictObject({ name: z.string().min(1).max(64), arguments: z.string() }),
          }),
        )
        .max(limits.tools)
        .optional(),
    }),
    z.strictObject({ role: z.literal("tool"), content, tool_call_id: z.string().min(1).max(128) }),
  ],
  { error: "role: expected system, developer, user, assistant or tool" },
);

const functionName = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, "expected 1 to 64 letters, digits, _ or -");

const chatSchema = z.strictObject({
  model: z.string("expected the model's id"),
  messages: z
    .array(message, { error: "expected an array of messages" })
    .min(1, "expected at least one message"),
  ...samplingFields,
  max_completion_tokens: maxTokensField.optional(),
  response_format: z
    .discriminatedUnion(
      "type",
      [
        z.strictObject({ type: z.literal("text") }),
        z.strictObject({ type: z.literal("json_object") }),
        z.strictObject({
          type: z.literal("json_schema"),
          json_schema: z.strictObject({
            name: z.string().max(64),
            description: z.string().optional(),
            /** A schema is enforced by grammar, strict or not. */
            strict: z.boolean().nullish(),
            schema: object,
          }),
        }),
      ],
      { error: "type: expected text, json_object or json_schema" },
    )
    .optional(),
  tools: z
    .array(
      z.strictObject({
        type: z.literal("function", { error: 'expected "function"' }),
        function: z.strictObject({
          name: functionName,
          description: z.string().optional(),
          parameters: object.optional(),
          strict: z.boolean().nullish(),
        }),
      }),
    )
    .max(limits.tools, `expected at most ${limits.tools} tools`)
    .optional(),
  tool_choice: z
    .union(
      [
        z.enum(["none", "auto", "required"]),
        z.strictObject({ type: z.literal("function"), function: z.strictObject({ name: functionName }) }),
      ],
      { error: 'expected none, auto, required or {"type":"function","function":{"name":…}}' },
    )
    .optional(),
  parallel_tool_calls: z.literal(true, { error: "only true is supported" }).optional(),
});
export type ChatBody = z.infer<typeof chatSchema>;
export { chatSchema };

function assertSchemaSize(schema: unknown, field: string): void {
  const bytes = utf8(JSON.stringify(schema)).length;
  if (bytes > limits.schemaBytes) {
    throw badField(field, `${bytes} bytes of schema; at most ${limits.schemaBytes} are supported`);
  }
}

/** @throws BombyxError BAD_REQUEST for an empty user turn, or a tool result that answers no call. */
export function chatMessages(body: ChatBody): ChatMessage[] {
  const calls = new Set<string>();
  return body.messages.map((message, at) => chatMessage(message, at, calls));
}

function chatMessage(message: ChatBody["messages"][number], at: number, calls: Set<string>): ChatMessage {
  const field = `messages[${at}]`;
  switch (message.role) {
    case "system":
    case "developer":
      return { role: "system", content: message.content };
    case "user":
      if (message.content.trim() === "") throw badField(`${field}.content`, "a user's turn is empty");
      return { role: "user", content: message.content };
    case "assistant": {
      const toolCalls = (message.tool_calls ?? []).map(({ id, function: { name, arguments: json } }) => {
        calls.add(id);
        return { id, name, arguments: json };
      });
      if (!message.content && toolCalls.length === 0) {
        throw badField(field, "an assistant's turn needs content or tool_calls");
      }
      return {
        role: "assistant",
        content: message.content ?? "",
        ...(toolCalls.length > 0 && { toolCalls }),
      };
    }
    case "tool":
      if (!calls.has(message.tool_call_id)) {
        throw badField(`${field}.tool_call_id`, "no tool call before it has this id");
      }
      return { role: "tool", content: message.content, toolCallId: message.tool_call_id };
  }
}

/** @throws BombyxError BAD_REQUEST for a schema above the limit or a name given twice. */
export function chatTools(body: ChatBody): Tool[] {
  const names = new Set<string>();
  return (body.tools ?? []).map(({ function: { name, description, parameters } }, at) => {
    const field = `tools[${at}].function`;
    if (names.has(name)) throw badField(`${field}.name`, "another tool has this name");
    names.add(name);
    if (parameters) assertSchemaSize(parameters, `${field}.parameters`);
    return {
      name,
      ...(description !== undefined && { description }),
      ...(parameters !== undefined && { parameters }),
    };
  });
}

export type ToolChoice = "auto" | "none" | "required" | { readonly name: string };

/** @throws BombyxError BAD_REQUEST when it asks for a tool that is not there. */
export function chatToolChoice(body: ChatBody, tools: readonly Tool[]): ToolChoice {
  const choice = body.tool_choice ?? (tools.length > 0 ? "auto" : "none");
  if (choice === "none" || choice === "auto") return choice;
  if (tools.length === 0) throw badField("tool_choice", "there are no tools to choose from");
  if (choice === "required") return choice;
  const { name } = choice.function;
  if (!tools.some((tool) => tool.name === name)) {
    throw badField("tool_choice.function.name", "none of the tools has this name");
  }
  return { name };
}

/** The schema to enforce, `true` for any JSON, `undefined` for free text. */
export function chatJsonSchema(body: ChatBody): Readonly<Record<string, unknown>> | true | undefined {
  const format = body.response_format;
  if (format === undefined || format.type === "text") return undefined;
  if (format.type === "json_object") return true;
  assertSchemaSize(format.json_schema.schema, "response_format.json_schema.schema");
  return format.json_schema.schema;
}
