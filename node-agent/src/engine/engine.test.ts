import { spawn } from "node:child_process";
import { modelManifestSchema } from "@bombyx/protocol/attestation";
import type { AnswerDelta } from "@bombyx/protocol/wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import * as z from "zod";
import { type RunningEngine, startEngine } from "./start-engine.ts";
import { answer, chat, spark, toolCalls } from "./test/chat.ts";

const story = "Tell me a short story about a penguin 🐧";
const sparkSha256 = "ced5cd1d39db42c677047621d02599e905fc785b2ae9d6d5fe24bb0a6f721ab7";

let engine: RunningEngine;
/** The story, told without interruption. */
let whole: string;
const loading: number[] = [];
beforeAll(async () => {
  engine = await startEngine({
    modelPath: spark,
    modelId: "spark",
    slots: 2,
    onLoadProgress: (fraction) => loading.push(fraction),
  });
  whole = (await answer(engine, chat(story))).text;
}, 60_000);
afterAll(() => engine.close());

describe("a loaded model", () => {
  test("is described by a manifest over exactly the bytes that were parsed", () => {
    const { manifest } = engine.model;
    expect(modelManifestSchema.parse(manifest)).toEqual(manifest);
    expect(manifest).toMatchObject({ model: "spark", ggufSha256: sparkSha256, contextTokens: 1_024 });
    expect(manifest.engine).toMatch(/^node-llama-cpp 3\.\d+\.\d+, llama\.cpp \S+, \w+$/);
  });

  test("reports the capacity that was measured", () => {
    expect(engine.model).toMatchObject({ slots: 2, contextTokens: 1_024, embeddings: true });
    expect(engine.model.prefillTokensPerSecond).toBeGreaterThan(0);
    expect(engine.model.decodeTokensPerSecond).toBeGreaterThan(0);
  });

  test("told how far loading was, up to the end", () => {
    expect(loading.at(-1)).toBe(1);
    expect(loading).toEqual(loading.toSorted((a, b) => a - b));
  });
});

describe("a chat", () => {
  test("is answered by the model, token by token, with exact counts", async () => {
    const { text, deltas, progress, result } = await answer(engine, chat("What is the capital of France?"));
    expect(text).toContain("Paris");
    expect(deltas.length).toBeGreaterThan(3);
    expect(result).toMatchObject({ finishReason: "stop", sampler: { temperature: 0 } });
    expect(result.counts.completionTokens).toBe(deltas.length);
    expect(progress.at(-1)?.counts).toEqual(result.counts);
  });

  test("gives the same text for the same seed and another for another", async () => {
    const told = async (seed: number) =>
      (await answer(engine, chat(story, { temperature: 1.2, topP: 1, seed }))).text;
    expect(await told(7)).toBe(await told(7));
    expect(new Set([await told(7), await told(8), await told(9)]).size).toBeGreaterThan(1);
  });

  test("reports the seed it drew when none was given, and that seed repeats it", async () => {
    const first = await answer(engine, chat(story, { temperature: 1, topP: 1 }));
    const again = await answer(engine, chat(story, { temperature: 1, topP: 1, seed: first.result.seed }));
    expect(again.text).toBe(first.text);
  });

  test("stops at a stop string and lets no part of it out", async () => {
    expect(whole).toContain("wanted to learn");
    const { text, result } = await answer(engine, chat(story, { stop: ["never said", "wanted to learn"] }));
    expect(text).toBe(whole.slice(0, whole.indexOf("wanted to learn")));
    expect(result.finishReason).toBe("stop");
  });

  test("ends with `length` at max_tokens", async () => {
    const { deltas, result } = await answer(engine, chat(story, { maxTokens: 5 }));
    expect(result).toMatchObject({ finishReason: "length", counts: { completionTokens: 5 } });
    expect(deltas).toHaveLength(5);
  });

  test("never cuts a character, whatever tokens it is made of", async () => {
    const { deltas, text } = await answer(
      engine,
      chat("Repeat after me: 🐧 héllo 你好", { temperature: 2, topK: 0, topP: 1 }),
    );
    expect(text.length).toBeGreaterThan(0);
    for (const delta of deltas) expect("text" in delta && delta.text.isWellFormed()).toBe(true);
  });

  test("that is cancelled stops soon, says so, and frees its sequence", async () => {
    const abort = new AbortController();
    const uncut = await answer(engine, chat(story));
    const cut = await answer(engine, chat(story), ({ delta }) => delta && abort.abort(), abort.signal);
    expect(cut.result.finishReason).toBe("cancelled");
    expect(cut.result.counts.completionTokens).toBeLessThan(uncut.result.counts.completionTokens);
    expect(engine.load()).toEqual({ running: 0, queued: 0 });
    expect((await answer(engine, chat("What is the capital of Italy?"))).text).toContain("Rome");
  });

  test.each([1, 2, 9, 40, 41, 42, 43, 44, 45, 120])(
    "goes on behind %i delivered characters as if it had not been interrupted",
    async (delivered) => {
      const prefix = whole.slice(0, delivered);
      const rest = await answer(engine, chat(story, { prefix }));
      expect(prefix + rest.text).toBe(whole);
    },
  );

  test("is refused before inference when its prompt has more tokens than are paid for", async () => {
    await expect(answer(engine, chat(story, { promptTokensMax: 5 }))).rejects.toMatchObject({ code: "CAP" });
  });

  test("is refused when it does not fit the context", async () => {
    const long = chat("word ".repeat(3_000), { promptTokensMax: 100_000 });
    await expect(answer(engine, long)).rejects.toMatchObject({ code: "CONTEXT_TOO_LONG" });
  });

  test("ends with `length` when the context is full", async () => {
    const long = chat(`${story} ${"and ".repeat(980)}`, { temperature: 1.5, maxTokens: 10_000 });
    const { result } = await answer(engine, { ...long, promptTokensMax: 1_024 });
    const { promptTokens, completionTokens } = result.counts;
    expect(promptTokens + completionTokens).toBeLessThanOrEqual(1_024);
    expect(["length", "stop"]).toContain(result.finishReason);
  });
});

describe("a raw completion", () => {
  test("goes on behind its prompt", async () => {
    const prompt =
      "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\nParis is";
    const job = {
      kind: "completion",
      session: "raw",
      promptTokensMax: 100,
      prompt,
      stop: [],
      maxTokens: 20,
      temperature: 0,
    } as const;
    const { text } = await answer(engine, job);
    expect(text).toBe(" the capital of France.");
    expect((await answer(engine, { ...job, prefix: " the cap" })).text).toBe("ital of France.");
  });
});

describe("sessions", () => {
  const conversation = chat(story).messages;

  test("find their own prefix again and never one of another session", async () => {
    const first = await answer(engine, chat(conversation, { session: "s1" }));
    const again = await answer(engine, chat(conversation, { session: "s1" }));
    const other = await answer(engine, chat(conversation, { session: "s2" }));
    const third = await answer(engine, chat(conversation, { session: "s3" }));
    expect(first.result.counts.cachedTokens).toBe(0);
    expect(again.result.counts.cachedTokens).toBe(again.result.counts.promptTokens - 1);
    expect(other.result.counts.cachedTokens).toBe(0);
    expect(third.result.counts.cachedTokens).toBe(0);
    expect(new Set([first.text, again.text, other.text, third.text]).size).toBe(1);
  });

  test("have no prefix left after they were forgotten", async () => {
    await answer(engine, chat(conversation, { session: "gone" }));
    engine.forget("gone");
    const { result } = await answer(engine, chat(conversation, { session: "gone" }));
    expect(result.counts.cachedTokens).toBe(0);
  });

  test("do not hear each other's secrets, over many rounds with cancels", async () => {
    const secret = chat([
      { role: "user", content: "My name is Petra" },
      { role: "assistant", content: "Nice to meet you, Petra!" },
      { role: "user", content: "What's the name I told you?" },
    ]).messages;
    const question = "What's the name I told you?";
    const alone = await answer(engine, chat(question, { session: "alone" }));
    for (let round = 0; round < 6; round += 1) {
      const abort = new AbortController();
      const cancelled = answer(
        engine,
        chat(secret, { session: `x${round}` }),
        ({ delta }) => delta && abort.abort(),
        abort.signal,
      );
      const [told, asked] = await Promise.all([
        answer(engine, chat(secret, { session: `p${round}` })),
        answer(engine, chat(question, { session: `q${round}` })),
        cancelled,
      ]);
      expect(told.text).toContain("Petra");
      expect(asked.text).toBe(alone.text);
      expect(asked.text).not.toContain("Petra");
      expect(asked.result.counts.cachedTokens).toBe(0);
    }
  });

  test("are served in the order in which they came when all sequences are taken", async () => {
    const started: number[] = [];
    const jobs = Array.from({ length: 8 }, (_, index) =>
      answer(engine, chat(story, { session: `queue-${index}` }), ({ delta }) => {
        if (delta === undefined) started.push(index);
      }),
    );
    const answers = await Promise.all(jobs);
    expect(started).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(engine.load()).toEqual({ running: 0, queued: 0 });
  });
});

describe("structured output", () => {
  const schema = {
    type: "object",
    properties: {
      city: { enum: ["Paris", "Rome"] },
      inhabitants: { type: "integer", minimum: 0 },
      mayors: { type: "array", items: { type: "string", maxLength: 5 }, minItems: 1, maxItems: 2 },
      twin: { anyOf: [{ $ref: "#/$defs/town" }, { type: "null" }] },
      note: { type: "string", maxLength: 8 },
    },
    required: ["city", "inhabitants", "mayors", "twin"],
    additionalProperties: false,
    $defs: {
      town: { type: "object", properties: { name: { type: "string", maxLength: 6 } }, required: ["name"] },
    },
  };
  const shape = z.strictObject({
    city: z.enum(["Paris", "Rome"]),
    inhabitants: z.int().nonnegative(),
    mayors: z.array(z.string().max(5)).min(1).max(2),
    twin: z.union([z.object({ name: z.string().max(6) }), z.null()]),
    note: z.string().max(8).optional(),
  });

  test.each([0, 1, 2])(
    "matches its JSON schema, whatever the model would rather say (seed %i)",
    async (seed) => {
      const job = chat("Name a city", { jsonSchema: schema, temperature: seed, seed, maxTokens: 400 });
      const { text, result } = await answer(engine, job);
      expect(result.finishReason).toBe("stop");
      expect(shape.safeParse(JSON.parse(text)).error).toBeUndefined();
    },
  );

  test("without a schema is any JSON object", async () => {
    const { text } = await answer(engine, chat("Name a city", { jsonSchema: true, maxTokens: 300 }));
    expect(typeof JSON.parse(text)).toBe("object");
  });

  test("goes on behind a delivered part of it", async () => {
    const { text } = await answer(
      engine,
      chat("Name a city", { jsonSchema: schema, prefix: '{"city": "Ro', maxTokens: 400 }),
    );
    expect(shape.parse(JSON.parse(`{"city": "Ro${text}`)).city).toBe("Rome");
  });

  test("refuses a delivered part that cannot be one", async () => {
    const job = chat("Name a city", { jsonSchema: schema, prefix: "Paris" });
    await expect(answer(engine, job)).rejects.toMatchObject({ code: "BAD_REQUEST", field: "prefix" });
  });

  test("refuses a schema that refers to itself without end", async () => {
    const job = chat("Name a city", { jsonSchema: { anyOf: [{ $ref: "#" }, { type: "null" }] } });
    await expect(answer(engine, job)).rejects.toMatchObject({
      code: "BAD_REQUEST",
      field: "response_format",
    });
  });
});

describe("tools", () => {
  const weather = {
    name: "get_weather",
    description: "Weather of a city",
    parameters: { type: "object", properties: { city: { enum: ["Paris", "Rome"] } }, required: ["city"] },
  };
  const time = { name: "get_time" };
  const question = chat("What is the weather in Paris?").messages;

  test("are called when tool_choice requires it, with arguments that match", async () => {
    const job = chat(question, {
      tools: [weather, { ...weather, name: "get_forecast" }],
      toolChoice: "required",
    });
    const { deltas, text, result } = await answer(engine, job);
    const [call, ...more] = toolCalls(deltas);
    expect(result.finishReason).toBe("tool_calls");
    expect(text).toBe("");
    expect(more).toEqual([]);
    expect(["get_weather", "get_forecast"]).toContain(call?.name);
    expect(z.strictObject({ city: z.enum(["Paris", "Rome"]) }).safeParse(call?.arguments).success).toBe(true);
  });

  test.each([
    ["get_time", {}],
    ["get_weather", { city: expect.stringMatching(/^(Paris|Rome)$/) }],
  ])("are called by name when tool_choice names %s", async (name, args) => {
    const { deltas, result } = await answer(
      engine,
      chat(question, { tools: [weather, time], toolChoice: { name } }),
    );
    expect(result.finishReason).toBe("tool_calls");
    expect(toolCalls(deltas)).toEqual([{ name, arguments: args }]);
  });

  test("have arguments that end, even where the schema sets no limit", async () => {
    const open = {
      type: "object",
      properties: { city: { type: "string" }, days: { type: "array" }, more: { type: "object" } },
      required: ["city", "days", "more"],
    };
    const job = chat(question, {
      tools: [{ name: "plan", parameters: open }],
      toolChoice: "required",
      temperature: 1,
      maxTokens: 256,
    });
    const { deltas, result } = await answer(engine, job);
    expect(result.finishReason).toBe("tool_calls");
    const plan = z.strictObject({
      city: z.string(),
      days: z.array(z.unknown()),
      more: z.record(z.string(), z.unknown()),
    });
    expect(plan.safeParse(toolCalls(deltas)[0]?.arguments).success).toBe(true);
  });

  test("have calls with an id that begins the stream of each", async () => {
    const { deltas } = await answer(engine, chat(question, { tools: [time], toolChoice: "required" }));
    const ids = deltas.flatMap((delta: AnswerDelta) => ("toolCall" in delta ? [delta.toolCall.id] : []));
    expect(ids).toEqual([expect.stringMatching(/^call_[0-9a-f]{32}$/), undefined]);
  });

  test("are not called when the model may choose and chooses words", async () => {
    const { text, result } = await answer(engine, chat(question, { tools: [weather] }));
    expect(text.length).toBeGreaterThan(0);
    expect(result.finishReason).toBe("stop");
  });

  test("are refused when tool_choice names one that is not there", async () => {
    const job = chat(question, { tools: [weather], toolChoice: { name: "other" } });
    await expect(answer(engine, job)).rejects.toMatchObject({ code: "BAD_REQUEST", field: "tool_choice" });
  });

  test("have results that reach the model, and one that answers no call is refused", async () => {
    const called = {
      role: "assistant",
      content: "",
      toolCalls: [{ id: "call_1", name: "get_weather", arguments: '{"city":"Paris"}' }],
    } as const;
    const result = { role: "tool", content: '{"sky":"blue"}', toolCallId: "call_1" } as const;
    const without = await answer(engine, chat(question, { tools: [weather] }));
    const withResult = await answer(engine, chat([...question, called, result], { tools: [weather] }));
    expect(withResult.result.counts.promptTokens).toBeGreaterThan(without.result.counts.promptTokens);
    const lost = chat([...question, { ...result, toolCallId: "call_2" }], { tools: [weather] });
    await expect(answer(engine, lost)).rejects.toMatchObject({ code: "BAD_REQUEST", field: "messages" });
  });
});

describe("embeddings", () => {
  test("are one unit vector per input, in order, and alike for like inputs", async () => {
    const inputs = [
      "What is the capital of France?",
      "What is the capital of Italy?",
      "What is the capital of France?",
    ];
    const { deltas, result } = await answer(engine, {
      kind: "embedding",
      session: "e",
      promptTokensMax: 100,
      inputs,
    });
    const vectors = deltas.flatMap((delta) => ("embedding" in delta ? [delta.embedding] : []));
    expect(vectors.map(({ index }) => index)).toEqual([0, 1, 2]);
    for (const { values } of vectors) expect(Math.hypot(...values)).toBeCloseTo(1);
    expect(vectors[2]?.values).toEqual(vectors[0]?.values);
    expect(vectors[1]?.values).not.toEqual(vectors[0]?.values);
    expect(result.counts.promptTokens).toBeGreaterThan(20);
  });
});

test("the bundled model answers 27 tokens in under 1 s beside two busy processes", async () => {
  const busy = [1, 2].map(() => spawn(process.execPath, ["-e", "for (;;);"], { stdio: "ignore" }));
  try {
    let fastestMs = Number.POSITIVE_INFINITY;
    for (let attempt = 0; attempt < 3 && fastestMs >= 1_000; attempt += 1) {
      const startedAt = performance.now();
      const { result } = await answer(engine, chat(story, { session: `busy-${attempt}`, maxTokens: 27 }));
      expect(result.counts.completionTokens).toBe(27);
      fastestMs = Math.min(fastestMs, performance.now() - startedAt);
    }
    expect(fastestMs).toBeLessThan(1_000);
  } finally {
    for (const child of busy) child.kill("SIGKILL");
  }
});
