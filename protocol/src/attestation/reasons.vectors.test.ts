import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { attestationReasons } from "./index.ts";

test("the documentation lists every reason with its step, and no other", () => {
  const page = readFileSync(new URL("../../../docs/attestation.md", import.meta.url), "utf8");
  const rows = [...page.matchAll(/^\| ([A-Z][A-Z_]+) \| ([a-z_]+) \|/gm)].map(([, reason, step]) => [
    reason,
    step,
  ]);
  expect(Object.fromEntries(rows)).toEqual(attestationReasons);
  expect(rows).toHaveLength(Object.keys(attestationReasons).length);
});
