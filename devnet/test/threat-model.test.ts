import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { longRuns } from "../src/house/long-runs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/threat-model.md"), "utf8");
const rows = page.split("\n").filter((line) => /^\| \d+ \|/.test(line));

/** The references of a row: a test file, and the names that stand in it. */
const references = (row: string): [file: string, name: string][] =>
  [...row.matchAll(/`([^`]+\.test\.ts)`((?:,? "[^"]+")+)/g)].flatMap(([, file = "", names = ""]) =>
    [...names.matchAll(/"([^"]+)"/g)].map(([, name = ""]): [string, string] => [file, name]),
  );

it("names a test for each attack that it does not call open", () => {
  expect(rows.map((row) => Number.parseInt(row.slice(2), 10))).toEqual(rows.map((_, i) => i + 1));
  expect(rows).toHaveLength(38);
  const withoutTest = rows.filter((row) => references(row).length === 0);
  expect(withoutTest.every((row) => row.includes("| open |"))).toBe(true);
  expect(withoutTest).toHaveLength(1);
});

it.each(page.split("\n").flatMap(references))("the test %s %j is there", (file, name) => {
  expect(existsSync(join(root, file))).toBe(true);
  const text = readFileSync(join(root, file), "utf8").replaceAll(/\\(["'])/g, "$1");
  expect(text).toContain(name);
});

it("tells of the long runs that there are", () => {
  for (const { name } of longRuns.filter(({ name }) => /^(attest|traffic)-/.test(name))) {
    expect(page).toContain(`\`${name}\``);
  }
});
