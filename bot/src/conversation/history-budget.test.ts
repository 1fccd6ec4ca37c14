import { describe, expect, it } from "vitest";
import type { Turn } from "../store/turns.ts";
import { compose, estimateTokens } from "./history-budget.ts";

const turn = (n: number, length = 10): Turn => ({
  id: `${n}`,
  chatId: 1,
  threadId: 0,
  userId: 1,
  questionId: n,
  language: "en",
  state: "answered",
  question: `question ${n} `.padEnd(length, "q"),
  answer: `answer ${n} `.padEnd(length, "a"),
});

describe("the conversation that is sent", () => {
  const earlier = [5, 4, 3, 2, 1].map((n) => turn(n, 90));

  it("is whole when it fits, oldest first, behind the persona", () => {
    const { messages } = compose({
      systemPrompt: "Be kind.",
      earlier,
      question: "And?",
      contextTokens: 8_192,
      maxAnswerTokens: 512,
    });
    expect(messages.map(({ role }) => role)).toEqual([
      "system",
      ...Array(5).fill(["user", "assistant"]).flat(),
      "user",
    ]);
    expect(messages[1]?.content).toMatch(/^question 1/);
    expect(messages.at(-1)?.content).toBe("And?");
  });

  it("drops the oldest turns whole when it does not, and stays within the context", () => {
    const { messages, maxTokens } = compose({
      earlier,
      question: "And?",
      contextTokens: 300,
      maxAnswerTokens: 512,
    });
    expect(messages.map(({ content }) => content.slice(0, 10))).toEqual([
      "question 4",
      "answer 4 a",
      "question 5",
      "answer 5 a",
      "And?",
    ]);
    const total = messages.reduce((sum, { content }) => sum + estimateTokens(content), maxTokens);
    expect(total).toBeLessThanOrEqual(300);
  });

  it("always holds the question, however long it is", () => {
    const question = "long ".repeat(1_000);
    expect(compose({ earlier, question, contextTokens: 300, maxAnswerTokens: 512 }).messages).toEqual([
      { role: "user", content: question },
    ]);
  });

  it("leaves a small model a third of its context for the answer, a large one what was asked for", () => {
    expect(compose({ earlier, question: "?", contextTokens: 1_024, maxAnswerTokens: 1_024 }).maxTokens).toBe(
      341,
    );
    expect(compose({ earlier, question: "?", contextTokens: 8_192, maxAnswerTokens: 1_024 }).maxTokens).toBe(
      1_024,
    );
  });
});
