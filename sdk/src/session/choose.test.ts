import type { Candidate } from "@bombyx/protocol/wire";
import { expect, test } from "vitest";
import { standbyOrder, weightedOrder } from "./choose.ts";

const candidate = (name: string, score: number, owner = name): Candidate => ({
  node: name,
  name,
  attestationId: "",
  manifest: "",
  coefficient: 1_000,
  score,
  owner,
});

/** A fixed sequence that is uniform enough to count with (mulberry32). */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), 1 | state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

test("a candidate comes first as often as its score says, and every candidate comes", () => {
  const random = sequence(1);
  const firsts = new Map<string, number>();
  const rounds = 20_000;
  for (let round = 0; round < rounds; round++) {
    const order = weightedOrder([candidate("one", 1), candidate("two", 2), candidate("five", 5)], random);
    expect(new Set(order.map(({ name }) => name)).size).toBe(3);
    const first = order[0]?.name ?? "";
    firsts.set(first, (firsts.get(first) ?? 0) + 1);
  }
  const share = (name: string) => (firsts.get(name) ?? 0) / rounds;
  expect(share("one")).toBeCloseTo(1 / 8, 1.5);
  expect(share("two")).toBeCloseTo(2 / 8, 1.5);
  expect(share("five")).toBeCloseTo(5 / 8, 1.5);
});

test("a standby is another owner's node before it is the same owner's, and never the same node", () => {
  const main = candidate("main", 1, "ada");
  const ordered = [main, candidate("second", 1, "ada"), candidate("third", 1, "bob")];
  expect(standbyOrder(ordered, main).map(({ name }) => name)).toEqual(["third", "second"]);
});
