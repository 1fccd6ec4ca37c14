import { BombyxClient } from "@bombyx/sdk";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startNetwork, type TestNetwork } from "./network.ts";
import "./patience.ts";
import { user } from "./sse.ts";

let network: TestNetwork;
let client: BombyxClient;
beforeAll(async () => {
  network = await startNetwork();
  client = new BombyxClient({ gateway: network.gateway.url, apiKey: network.apiKey, policy: network.policy });
});
afterAll(async () => {
  client?.close();
  await network?.[Symbol.asyncDispose]();
});

/** The two ways in: the local endpoint for any language, and the sdk's `fetch` in the same process. */
const ways: Record<string, () => OpenAI> = {
  "the proxy": () => new OpenAI({ baseURL: network.proxy.url, apiKey: network.apiKey, maxRetries: 0 }),
  "client.fetch": () =>
    new OpenAI({ baseURL: "http://sealed.invalid/v1", apiKey: "none", maxRetries: 0, fetch: client.fetch }),
};

const weather = {
  type: "function" as const,
  function: {
    name: "get_weather",
    description: "Weather of a city",
    parameters: {
      type: "object",
      properties: { city: { type: "string", enum: ["Paris", "Rome"] } },
      required: ["city"],
      additionalProperties: false,
    },
  },
};

describe.each(Object.keys(ways))("the official openai package through %s", (way) => {
  let openai: OpenAI;
  beforeAll(() => {
    openai = ways[way]!();
  });

  it("lists the model", async () => {
    const models = await openai.models.list();
    expect(models.data.map((model) => model.id)).toContain(network.model);
  });

  it("streams an answer, and its usage when asked", async () => {
    const stream = await openai.chat.completions.create({
      model: network.model,
      messages: user("What is the capital of France?"),
      temperature: 0,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let pieces = 0;
    let completionTokens = 0;
    for await (const chunk of stream) {
      const content = chunk.choices[0]?.delta.content;
      if (content) {
        text += content;
        pieces++;
      }
      completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
    }
    expect(text).toContain("Paris");
    expect(pieces).toBeGreaterThan(1);
    expect(completionTokens).toBeGreaterThan(3);
  });

  it("gets a tool call when one is required, with arguments that fit its schema", async () => {
    const answer = await openai.chat.completions.create({
      model: network.model,
      messages: user("How is the weather in Paris?"),
      tools: [weather],
      tool_choice: "required",
      temperature: 0,
      max_tokens: 200,
    });
    const [choice] = answer.choices;
    expect(choice?.finish_reason).toBe("tool_calls");
    const [call] = choice?.message.tool_calls ?? [];
    if (call?.type !== "function") throw new Error("the answer has no function call");
    expect(call.function.name).toBe("get_weather");
    expect(["Paris", "Rome"]).toContain(JSON.parse(call.function.arguments).city);
  });

  it("streams a tool call in the pieces that the package puts together", async () => {
    const runner = openai.chat.completions.stream({
      model: network.model,
      messages: user("How is the weather in Rome?"),
      tools: [weather],
      tool_choice: { type: "function", function: { name: "get_weather" } },
      temperature: 0,
      max_tokens: 200,
    });
    const answer = await runner.finalChatCompletion();
    const [call] = answer.choices[0]?.message.tool_calls ?? [];
    if (call?.type !== "function") throw new Error("the answer has no function call");
    expect(["Paris", "Rome"]).toContain(JSON.parse(call.function.arguments).city);
  });

  it("gets JSON that fits a schema", async () => {
    const answer = await openai.chat.completions.create({
      model: network.model,
      messages: user("Name a colour."),
      temperature: 0,
      max_tokens: 200,
      response_format: {
        type: "json_schema",
        json_schema: {
          name: "colour",
          strict: true,
          schema: {
            type: "object",
            properties: { colour: { enum: ["red", "green", "blue"] }, warm: { type: "boolean" } },
            required: ["colour", "warm"],
            additionalProperties: false,
          },
        },
      },
    });
    const value = JSON.parse(answer.choices[0]?.message.content ?? "");
    expect(["red", "green", "blue"]).toContain(value.colour);
    expect(typeof value.warm).toBe("boolean");
  });

  it("refuses a field that it does not know, by name, as OpenAI words errors", async () => {
    const refused = openai.chat.completions.create({
      model: network.model,
      messages: user("Hello"),
      ...{ telepathy: true },
    });
    await expect(refused).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(refused).rejects.toThrow(/telepathy/);
  });
});

it("the proxy refuses a wrong key before anything else", async () => {
  const stranger = new OpenAI({ baseURL: network.proxy.url, apiKey: "wrong", maxRetries: 0 });
  await expect(
    stranger.chat.completions.create({ model: network.model, messages: user("Hello") }),
  ).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
});
