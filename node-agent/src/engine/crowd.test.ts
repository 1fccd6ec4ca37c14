import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningEngine, startEngine } from "./start-engine.ts";
import { answer, chat, spark } from "./test/chat.ts";

const prompts = [
  "Tell me a story about a penguin.",
  "My name is Petra. What is my name?",
  "Tell me a story about a robot.",
  "What is the capital of France?",
  "count for me from 3 to 9",
  "Tell me a story about a cat.",
  "say this back to me: blue lamp",
  "What does the gateway see?",
];
const turns = 8;

let engine: RunningEngine;
beforeAll(async () => {
  engine = await startEngine({ modelPath: spark, modelId: "spark", slots: prompts.length });
}, 60_000);
afterAll(() => engine?.close());

test("each answer in a crowd is, token by token, the one that it is alone: none is sampled from another's logits", async () => {
  const alone: string[] = [];
  for (const prompt of prompts) {
    alone.push((await answer(engine, chat(prompt, { session: `alone: ${prompt}` }))).text);
  }
  expect(new Set(alone).size).toBe(prompts.length);
  await Promise.all(
    prompts.map(async (_, lane) => {
      for (let turn = 0; turn < turns; turn++) {
        const at = (lane + turn) % prompts.length;
        const { text } = await answer(engine, chat(prompts[at] ?? "", { session: `${lane}/${turn}` }));
        expect(text).toBe(alone[at]);
      }
    }),
  );
}, 60_000);
