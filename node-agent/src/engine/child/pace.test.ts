import { expect, test } from "vitest";
import { Pace } from "./pace.ts";

test("tokens that are ready early wait for their turn", () => {
  const pace = new Pace(25);
  expect([pace.waitMs(0), pace.waitMs(1), pace.waitMs(2)]).toEqual([0, 39, 78]);
});

test("a pause is not made up for with a burst", () => {
  const pace = new Pace(25);
  pace.waitMs(0);
  expect([pace.waitMs(1_000), pace.waitMs(1_000)]).toEqual([0, 40]);
});

test("without a pace nothing waits", () => {
  const pace = new Pace(undefined);
  expect([pace.waitMs(0), pace.waitMs(0)]).toEqual([0, 0]);
});
