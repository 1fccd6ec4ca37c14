import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import * as z from "zod";
import { chromiumPath } from "./chromium.ts";

/**
 * `npm test`: vitest, then one line of figures. On a machine without Chromium or vectors it says what it
 * left out; with `CI=true` anything left out is a failure, so that a green run means all of it ran.
 */
const root = fileURLToPath(new URL("../../..", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "bombyx-tests-"));
const reportFile = join(folder, "report.json");

const reportSchema = z.object({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  testResults: z.array(
    z.object({
      name: z.string(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string() })),
    }),
  ),
});

function leftOut(report: z.infer<typeof reportSchema>): string[] {
  const skipped = report.testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(({ status }) => status !== "passed" && status !== "failed")
      .map(({ fullName }) => `${relative(root, name)}: ${fullName}`),
  );
  if (chromiumPath() === undefined) {
    skipped.push("Chromium is not installed: the tests of protocol and sdk in a browser (CHROMIUM_PATH)");
  }
  return skipped;
}

const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs");
const { status } = spawnSync(
  process.execPath,
  [
    vitest,
    "run",
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${reportFile}`,
    ...process.argv.slice(2),
  ],
  { cwd: root, stdio: "inherit" },
);

let failed = status !== 0;
if (existsSync(reportFile)) {
  const report = reportSchema.parse(JSON.parse(readFileSync(reportFile, "utf8")));
  const skipped = leftOut(report);
  for (const what of skipped) process.stdout.write(`left out: ${what}\n`);
  if (skipped.length > 0 && process.env.CI === "true") {
    process.stdout.write("CI=true: nothing may be left out, so this run fails.\n");
    failed = true;
  }
  process.stdout.write(
    `${report.numPassedTests} passed, ${report.numFailedTests} failed, ${skipped.length} left out\n`,
  );
}
rmSync(folder, { recursive: true, force: true });
process.exitCode = failed ? 1 : 0;
