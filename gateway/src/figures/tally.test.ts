import { expect, it } from "vitest";
import { Tally } from "./tally.ts";

const noon = Date.UTC(2026, 10, 22, 12);
const totals = (requests: number) => ({
  requests,
  units: requests * 64,
  earnedNano: BigInt(requests) * 1_152n,
});

it("counts what is served from the first look on, however often it is told the same", () => {
  const tally = new Tally();
  tally.observe("a", totals(100), noon);
  expect(tally.today("a", noon)).toEqual(totals(0));
  for (const requests of [101, 101, 103, 102]) tally.observe("a", totals(requests), noon + 1_000);
  expect(tally.today("a", noon + 1_000)).toEqual(totals(3));
  expect(tally.minute(noon + 1_000)).toEqual({ at: noon, requests: 3, units: 192 });
});

it("begins a new day with what the last one ended with", () => {
  const tally = new Tally();
  tally.observe("a", totals(0), noon);
  tally.observe("a", totals(7), noon + 1_000);
  const midnight = noon + 12 * 3_600_000;
  expect(tally.today("a", midnight)).toEqual(totals(0));
  expect(tally.observe("a", totals(9), midnight)).toEqual(totals(7));
  expect(tally.today("a", midnight)).toEqual(totals(2));
});

it("keeps an hour of minutes of each node, the running one last", () => {
  const tally = new Tally();
  tally.observe("a", totals(0), noon);
  tally.observe("a", totals(2), noon);
  tally.observe("a", totals(5), noon + 60_000);
  expect(tally.minutesOf("a", noon + 60_000).slice(-3)).toEqual([0, 2, 3]);
  const hourLater = tally.minutesOf("a", noon + 60 * 60_000);
  expect([hourLater.length, hourLater[0], hourLater.at(-1)]).toEqual([60, 3, 0]);
  expect(tally.minute(noon + 120_000)).toEqual({ at: noon + 120_000, requests: 0, units: 0 });
});

it("hands each minute out once, when it has ended", () => {
  const tally = new Tally();
  tally.observe("a", totals(0), noon);
  tally.observe("a", totals(2), noon + 5_000);
  expect(tally.ended(noon + 59_000)).toEqual([]);
  tally.observe("a", totals(3), noon + 60_000);
  expect(tally.ended(noon + 61_000)).toEqual([{ at: noon, requests: 2, units: 128 }]);
  expect(tally.ended(noon + 62_000)).toEqual([]);
});

it("goes on with the day that an earlier process began", () => {
  const tally = new Tally();
  const day = Math.floor(noon / 86_400_000);
  tally.restore("a", day, totals(10));
  tally.restore("b", day - 1, totals(10));
  expect(tally.observe("a", totals(15), noon)).toBeUndefined();
  expect(tally.observe("b", totals(15), noon)).toEqual(totals(15));
  expect([tally.today("a", noon), tally.today("b", noon)]).toEqual([totals(5), totals(0)]);
});
