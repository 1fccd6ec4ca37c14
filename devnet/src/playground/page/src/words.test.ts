import { expect, it } from "vitest";
import { speaker } from "./words.ts";

it("fills in what a sentence names, in both languages", () => {
  expect(speaker("en")("load", 1, 4)).toBe("1 of 4 answers");
  expect(speaker("ru")("load", 1, 4)).toBe("ответов: 1 из 4");
});
