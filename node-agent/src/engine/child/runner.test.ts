import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AnswerDelta } from "@bombyx/protocol/wire";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { literal } from "../gbnf.ts";
import { schemaGrammar } from "../schema-grammar.ts";
import { chat, spark, toolCalls } from "../test/chat.ts";
import { withChatTemplate } from "../test/gguf-variant.ts";
import { Runner } from "./runner.ts";

/** ChatML whose assistant may think first, as in Qwen's models. */
const thinkingTemplate = `{%- for message in messages %}
{%- if message.role == "assistant" %}{{- '<|im_start|>assistant\\n' }}
{%- if message.reasoning_content %}{{- '<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' }}{%- endif %}
{{- message.content + '<|im_end|>\\n' }}
{%- else %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}`;

const weather = {
  name: "get_weather",
  parameters: { type: "object", properties: { city: { enum: ["Paris", "Rome"] } }, required: ["city"] },
};
const time = { name: "get_time" };

let folder: string;
let runner: Runner;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "bombyx-runner-test-"));
  const weightsPath = join(folder, "thinker.gguf");
  const weights = withChatTemplate(await readFile(spark), thinkingTemplate);
  await writeFile(weightsPath, weights);
  const start = {
    weightsPath,
    weightsBytes: weights.length,
    weightsInMemory: false,
    slots: 1,
    threads: 1,
    gpu: false,
  };
  const capacity = { prefillTokensPerSecond: 4_000, decodeTokensPerSecond: 500 };
  runner = await Runner.load({ ...start, capacity }, () => undefined);
}, 60_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

/** What the engine makes of `said`, which a grammar makes the model say. */
async function answerTo(said: string, over: Parameters<typeof chat>[1] = {}) {
  const job = chat("What is the weather in Paris?", over);
  const deltas: AnswerDelta[] = [];
  const result = await runner.run(
    job,
    {
      tools: job.tools.map(({ parameters }) =>
        parameters ? schemaGrammar(parameters, { lenient: true, brief: true }) : null,
      ),
      names:
        job.tools.length > 1 ? `root ::= ${job.tools.map(({ name }) => literal(name)).join(" | ")}` : null,
      answer: `root ::= ${literal(said)}`,
    },
    () => undefined,
    (progress) => {
      if (progress.delta !== undefined) deltas.push(progress.delta);
    },
    new AbortController().signal,
  );
  const joined = (pick: (delta: AnswerDelta) => string): string => deltas.map(pick).join("");
  return {
    deltas,
    result,
    text: joined((delta) => ("text" in delta ? delta.text : "")),
    reasoning: joined((delta) => ("reasoning" in delta ? delta.reasoning : "")),
  };
}

describe("a thought", () => {
  test("is told apart from the answer and counted", async () => {
    const { text, reasoning, result } = await answerTo("<think>\nA city.\n</think>\n\nIt is sunny.");
    expect(reasoning.trim()).toBe("A city.");
    expect(text).toBe("It is sunny.");
    expect(result).toMatchObject({ finishReason: "stop" });
    expect(result.counts.reasoningTokens).toBeGreaterThan(0);
    expect(result.counts.reasoningTokens).toBeLessThan(result.counts.completionTokens);
  });

  test("does not end at a stop string that it mentions", async () => {
    const { text, reasoning } = await answerTo("<think>sunny?</think>It is sunny today.", {
      stop: ["sunny"],
    });
    expect(reasoning).toBe("sunny?");
    expect(text).toBe("It is ");
  });

  test("is absent from an answer without one", async () => {
    const { text, reasoning, result } = await answerTo("It is <b>sunny</b>.");
    expect(reasoning).toBe("");
    expect(text).toBe("It is <b>sunny</b>.");
    expect(result.counts.reasoningTokens).toBe(0);
  });
});

describe("a tool call that the model begins by itself", () => {
  test("is cut out of the text and completed by the tool's own grammar", async () => {
    const said = "Let me look. ||call: get_weather(nonsense)";
    const { text, deltas, result } = await answerTo(said, { tools: [weather, time] });
    expect(text.trim()).toBe("Let me look.");
    expect(result.finishReason).toBe("tool_calls");
    const [call, ...more] = toolCalls(deltas);
    expect(more).toEqual([]);
    expect(["get_weather", "get_time"]).toContain(call?.name);
    if (call?.name === "get_weather")
      expect(call.arguments).toEqual({ city: expect.stringMatching(/Paris|Rome/) });
  });

  test("stays text when no tools were offered", async () => {
    const { text, result } = await answerTo("Say ||call: x");
    expect(text).toBe("Say ||call: x");
    expect(result.finishReason).toBe("stop");
  });
});
