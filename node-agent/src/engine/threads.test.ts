import { expect, test } from "vitest";
import { engineThreads } from "./threads.ts";

const mib = 1024 * 1024;

test("a model under 200 MB gets one thread, whatever the machine", () => {
  expect(engineThreads(3 * mib, 64, 1)).toBe(1);
  expect(engineThreads(200 * mib - 1, 64, 1)).toBe(1);
});

test("a larger model gets its share of the physical cores less one", () => {
  expect(engineThreads(200 * mib, 16, 1)).toBe(15);
  expect(engineThreads(5_000 * mib, 16, 2)).toBe(7);
});

test("there is always one thread", () => {
  expect(engineThreads(5_000 * mib, 2, 4)).toBe(1);
});
