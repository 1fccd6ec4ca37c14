import { describe, expect, it } from "vitest";
import { promptOf, reopened, type Turn, titleOf } from "./turn.ts";

const turn = (role: Turn["role"], text: string, state: Turn["state"] = "done"): Turn => ({
  id: text,
  role,
  text,
  state,
});

describe("what a model reads of a conversation", () => {
  it("is all of it, where it fits", () => {
    const turns = [turn("user", "a"), turn("assistant", "b"), turn("user", "c")];
    expect(promptOf(turns, 1_024).map(({ content }) => content)).toEqual(["a", "b", "c"]);
  });

  it("begins with a question and ends with the last one, where it does not", () => {
    const turns = Array.from({ length: 41 }, (_, i) =>
      turn(i % 2 === 0 ? "user" : "assistant", `${i} ${"word ".repeat(20)}`),
    );
    const read = promptOf(turns, 1_024);
    expect(read[0]?.role).toBe("user");
    expect(read.at(-1)?.content).toBe(turns.at(-1)?.text);
    expect(read.length).toBeLessThan(turns.length);
    expect(read.reduce((sum, { content }) => sum + content.length, 0)).toBeLessThan(1_024 * 0.6 * 3);
  });

  it("holds a question that is too long by itself: the node says so, the page does not guess", () => {
    expect(promptOf([turn("user", "x".repeat(90_000))], 1_024)).toHaveLength(1);
  });

  it("leaves out what ended without a word", () => {
    const turns = [turn("user", "a"), turn("assistant", "", "cut"), turn("user", "b")];
    expect(promptOf(turns, 1_024).map(({ content }) => content)).toEqual(["a", "b"]);
  });
});

it("names a conversation by the beginning of its question, and cuts no character", () => {
  expect(titleOf("  What\nis   silk? ")).toBe("What is silk?");
  const long = titleOf(`${"🦋".repeat(60)}`);
  expect([...long]).toHaveLength(49);
  expect(long).not.toContain("\ufffd");
  expect(titleOf("word ".repeat(30))).toMatch(/^(word ?)+…$/);
});

it("knows an answer that was open when the page went away for one that came to no end", () => {
  expect(reopened([turn("assistant", "half", "open")])).toEqual([
    { ...turn("assistant", "half", "cut"), failure: { code: "CLOSED" } },
  ]);
});
