import { beforeAll, describe, it } from "vitest";
import { compileAll } from "./codes.ts";
import { priceSets } from "./prices.ts";
import { suites } from "./suites.ts";
import { type Codes, World } from "./world.ts";

let codes: Codes;

beforeAll(async () => {
  codes = await compileAll();
}, 60_000);

describe.each(priceSets)("at prices of %s", (prices) => {
  for (const [suite, scenarios] of Object.entries(suites)) {
    describe(suite, () => {
      for (const { name, run } of scenarios) {
        it(name, async () => run(await World.fresh(codes, prices)));
      }
    });
  }
});
