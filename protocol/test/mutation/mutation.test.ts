import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));

test("a sample of the mutants of verifier and session: none survives", { timeout: 120_000 }, () => {
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["-C", "bombyx-source", "protocol/test/mutation/main.ts", "--seed", "7", "--sample", "25"],
    { cwd: root, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" } },
  );
  expect(stderr).not.toContain("survived  ");
  expect(status, stderr).toBe(0);
  const { counts } = JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "");
  // a run that switched nothing on would kill nothing
  expect(counts.killed).toBeGreaterThan(20);
});
