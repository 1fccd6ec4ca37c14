import { expect, test } from "vitest";
import { fuzz, limitMs } from "../../test/fuzz/fuzz.ts";
import { attestationReasons } from "./index.ts";

test("a sample of the fuzz run: every reason is reached, nothing signed changes unnoticed, no answer takes long", async () => {
  const report = await fuzz({ seed: 20_261_122, cases: 500 });
  expect(Object.keys(report.refused).sort()).toEqual(Object.keys(attestationReasons).sort());
  expect(report.accepted).toBeGreaterThan(10);
  expect(report.slowestMs).toBeLessThan(limitMs);
});
