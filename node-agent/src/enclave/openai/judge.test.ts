import { BombyxError, type ErrorBody, limits, type SealedRequest } from "@bombyx/protocol/wire";
import { describe, expect, it } from "vitest";
import { type JudgeContext, judgeBody } from "./judge.ts";

const context: JudgeContext = {
  session: "s",
  promptTokensMax: 1_000,
  declaredMaxTokens: 256,
  affordableTokens: 200,
  model: { id: "scripted", embeddings: true },
};

type Endpoint = SealedRequest["endpoint"];

const judge = (endpoint: Endpoint, body: Record<string, unknown>, changes: Partial<JudgeContext> = {}) =>
  judgeBody({ endpoint, body: { model: "scripted", ...body } }, { ...context, ...changes });

const hello = [{ role: "user", content: "Hello" }];
const chat = (body: Record<string, unknown> = {}) => judge("chat.completions", { messages: hello, ...body });

function refusal(act: () => unknown): ErrorBody {
  try {
    act();
  } catch (error) {
    if (error instanceof BombyxError) return error.toJSON();
    throw error;
  }
  throw new Error("nothing was refused");
}

const tool = (name: string, parameters?: unknown) => ({ type: "function", function: { name, parameters } });

/** A schema of so many bytes of JSON. */
function schemaOf(bytes: number) {
  const overhead = JSON.stringify({ type: "string", description: "" }).length;
  return { type: "string", description: "x".repeat(bytes - overhead) };
}

describe("chat.completions", () => {
  it("becomes a job with everything that was asked for", () => {
    const parameters = { type: "object", properties: { city: { type: "string" } } };
    const job = chat({
      messages: [
        { role: "developer", content: "Be brief." },
        {
          role: "user",
          content: [
            { type: "text", text: "Weather in " },
            { type: "text", text: "Tbilisi?" },
          ],
        },
        {
          role: "assistant",
          content: null,
          refusal: null,
          tool_calls: [{ id: "c1", type: "function", function: { name: "weather", arguments: "{}" } }],
        },
        { role: "tool", tool_call_id: "c1", content: "Sunny" },
      ],
      temperature: 0.2,
      top_p: 0.9,
      top_k: 20,
      seed: 5,
      stop: "END",
      max_completion_tokens: 100,
      tools: [tool("weather", parameters)],
      tool_choice: { type: "function", function: { name: "weather" } },
      response_format: { type: "json_schema", json_schema: { name: "w", strict: true, schema: parameters } },
      n: 1,
      frequency_penalty: 0,
      stream: true,
      stream_options: { include_usage: true },
      parallel_tool_calls: true,
    });
    expect(job).toEqual({
      kind: "chat",
      session: "s",
      promptTokensMax: 1_000,
      messages: [
        { role: "system", content: "Be brief." },
        { role: "user", content: "Weather in Tbilisi?" },
        { role: "assistant", content: "", toolCalls: [{ id: "c1", name: "weather", arguments: "{}" }] },
        { role: "tool", content: "Sunny", toolCallId: "c1" },
      ],
      temperature: 0.2,
      topP: 0.9,
      topK: 20,
      seed: 5,
      stop: ["END"],
      maxTokens: 100,
      tools: [{ name: "weather", parameters }],
      toolChoice: { name: "weather" },
      jsonSchema: parameters,
    });
  });

  it("leaves to the model what was not asked for, and reads null as not given", () => {
    expect(chat({ temperature: null, stop: null, max_tokens: null })).toEqual({
      kind: "chat",
      session: "s",
      promptTokensMax: 1_000,
      messages: [{ role: "user", content: "Hello" }],
      stop: [],
      maxTokens: 200,
      tools: [],
      toolChoice: "none",
    });
  });

  it("goes no further than the money and the declared maximum", () => {
    expect(chat({ max_tokens: 256 })).toMatchObject({ maxTokens: 200 });
    expect(chat({ max_tokens: 7 })).toMatchObject({ maxTokens: 7 });
    expect(refusal(() => chat({ max_tokens: 257 }))).toMatchObject({
      code: "DISAGREEMENT",
      field: "max_tokens",
    });
  });

  it.each([
    ["logprobs", { logprobs: true }],
    ["user", { user: "u" }],
    ["metadata", { metadata: {} }],
    ["chat_template", { chat_template: "{{ messages }}" }],
    ["messages[0].name", { messages: [{ role: "user", content: "Hi", name: "Ann" }] }],
    ["tools[0].function.code", { tools: [{ type: "function", function: { name: "f", code: "" } }] }],
  ])("refuses the unknown field %s by its name", (field, body) => {
    expect(refusal(() => chat(body))).toMatchObject({ code: "UNKNOWN_FIELD", field });
  });

  it.each<[string, string, Record<string, unknown>]>([
    ["n", "more than one answer", { n: 2 }],
    ["temperature", "a temperature above 2", { temperature: 2.1 }],
    ["top_p", "no probability at all", { top_p: 0 }],
    ["top_k", "a fraction of a token", { top_k: 1.5 }],
    ["seed", "a seed above 32 bits", { seed: 2 ** 32 }],
    ["max_tokens", "no token", { max_tokens: 0 }],
    ["stop", "five stop strings", { stop: ["a", "b", "c", "d", "e"] }],
    ["stop", "an empty stop string", { stop: "" }],
    ["frequency_penalty", "a penalty", { frequency_penalty: 0.5 }],
    ["presence_penalty", "a penalty", { presence_penalty: 0.5 }],
    ["parallel_tool_calls", "one tool call at a time", { parallel_tool_calls: false }],
    ["messages", "no message", { messages: [] }],
    ["messages[0].content", "an empty turn", { messages: [{ role: "user", content: "  " }] }],
    [
      "messages[0].content",
      "an empty turn in parts",
      { messages: [{ role: "user", content: [{ type: "text", text: "" }] }] },
    ],
    [
      "messages[0].content",
      "an image",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
    ],
    ["messages[0].role", "a role that nobody has", { messages: [{ role: "narrator", content: "x" }] }],
    [
      "messages[1].tool_call_id",
      "an answer to no call",
      { messages: [...hello, { role: "tool", tool_call_id: "x", content: "" }] },
    ],
    ["messages[1]", "an assistant's turn without anything", { messages: [...hello, { role: "assistant" }] }],
    ["tools", "129 tools", { tools: Array.from({ length: 129 }, (_, i) => tool(`f${i}`)) }],
    ["tools[1].function.name", "two tools of one name", { tools: [tool("f"), tool("f")] }],
    ["tools[0].function.name", "a tool's name with a space", { tools: [tool("a b")] }],
    [
      "tools[0].function.parameters",
      "a tool's schema above 16 KB",
      { tools: [tool("f", schemaOf(limits.schemaBytes + 1))] },
    ],
    ["tool_choice", "a choice without tools", { tool_choice: "required" }],
    [
      "tool_choice.function.name",
      "a tool that is not there",
      { tools: [tool("f")], tool_choice: { type: "function", function: { name: "g" } } },
    ],
    [
      "response_format.json_schema.schema",
      "a schema above 16 KB",
      {
        response_format: {
          type: "json_schema",
          json_schema: { name: "s", schema: schemaOf(limits.schemaBytes + 1) },
        },
      },
    ],
  ])("refuses at %s: %s", (field, _, body) => {
    expect(refusal(() => chat(body))).toMatchObject({ code: "BAD_REQUEST", field });
  });

  it("takes what lies just within the limits", () => {
    const job = chat({
      stop: ["a", "b", "c", "d"],
      seed: 2 ** 32 - 1,
      tools: Array.from({ length: 128 }, (_, i) => tool(`f${i}`)),
      tool_choice: "required",
      response_format: {
        type: "json_schema",
        json_schema: { name: "s", schema: schemaOf(limits.schemaBytes) },
      },
    });
    expect(job).toMatchObject({
      kind: "chat",
      toolChoice: "required",
      stop: { length: 4 },
      tools: { length: 128 },
    });
  });

  it("answers as no other model", () => {
    expect(refusal(() => judge("chat.completions", { model: "gpt", messages: hello }))).toMatchObject({
      code: "MODEL_UNKNOWN",
      field: "model",
    });
  });
});

describe("completions", () => {
  it("becomes a job, with the text to go on behind", () => {
    const job = judgeBody(
      {
        endpoint: "completions",
        body: { model: "scripted", prompt: "Once", max_tokens: 3 },
        prefix: " upon",
      },
      context,
    );
    expect(job).toMatchObject({ kind: "completion", prompt: "Once", prefix: " upon", maxTokens: 3 });
  });

  it.each([
    ["prompt", { prompt: ["a", "b"] }],
    ["prompt", { prompt: "" }],
    ["best_of", { prompt: "a", best_of: 2 }],
    ["echo", { prompt: "a", echo: true }],
  ])("refuses at %s: %o", (field, body) => {
    expect(refusal(() => judge("completions", body))).toMatchObject({ code: "BAD_REQUEST", field });
  });
});

describe("embeddings", () => {
  it("takes one input or up to 64", () => {
    expect(judge("embeddings", { input: "a" })).toMatchObject({ kind: "embedding", inputs: ["a"] });
    const inputs = Array.from({ length: limits.embeddingInputs }, (_, i) => `${i}`);
    expect(judge("embeddings", { input: inputs, encoding_format: "float" })).toMatchObject({ inputs });
    expect(refusal(() => judge("embeddings", { input: [...inputs, "x"] }))).toMatchObject({ field: "input" });
    expect(refusal(() => judge("embeddings", { input: [1, 2] }))).toMatchObject({ field: "input" });
    expect(refusal(() => judge("embeddings", { input: "a", dimensions: 8 }))).toMatchObject({
      code: "UNKNOWN_FIELD",
      field: "dimensions",
    });
  });

  it("refuses for a model that makes none", () => {
    const model = { id: "scripted", embeddings: false };
    expect(refusal(() => judge("embeddings", { input: "a" }, { model }))).toMatchObject({
      code: "BAD_REQUEST",
      field: "model",
    });
  });
});
