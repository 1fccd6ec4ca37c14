import { expect, it } from "vitest";
import { heldNano } from "./held.ts";

const day = 24 * 3_600_000;
const week = 7 * day;
const since = 1_000;
const of = (cumulativeNano: bigint, at: number, heldMs = week) =>
  heldNano({ cumulativeNano, sinceAt: since }, at, heldMs);

it("holds everything at first, half after half the time, nothing at its end and later", () => {
  expect(of(1_000n, since)).toBe(1_000n);
  expect(of(1_000n, since + week / 2)).toBe(500n);
  expect(of(1_000n, since + week)).toBe(0n);
  expect(of(1_000n, since + 10 * week)).toBe(0n);
});

it("holds nothing where the operator's policy says so", () => {
  expect(of(1_000n, since, 0)).toBe(0n);
});

it("never lets go of less than before, whatever is earned meanwhile", () => {
  let before = 0n;
  for (let step = 0; step <= 100; step++) {
    const earned = BigInt(step) * 7_919n;
    const free = earned - of(earned, since + (step * week) / 90);
    expect(free).toBeGreaterThanOrEqual(before);
    before = free;
  }
});

it("holds everything for a clock that stands before the node's first receipt", () => {
  expect(of(1_000n, since - 500)).toBe(1_000n);
});
