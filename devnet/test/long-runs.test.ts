import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  coveredFiles,
  type LongRun,
  longRuns,
  recordPath,
  sourcesHash,
  staleReason,
} from "../src/house/long-runs.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("the long runs of this tree", () => {
  it.each(longRuns.map((run) => [run.name, run] as const))("%s was run on these very sources", (_, run) => {
    expect(staleReason(root, run)).toBeUndefined();
  });

  it("have a name each", () => {
    expect(new Set(longRuns.map(({ name }) => name)).size).toBe(longRuns.length);
  });
});

describe("a recorded result", () => {
  let folder: string;
  const run: LongRun = {
    name: "example",
    what: "An example.",
    script: "room/long.ts",
    sources: ["room/src/**/*.ts", "!room/src/**/*.test.ts"],
    seed: 7,
  };
  const write = (file: string, text: string) => writeFileSync(join(folder, file), text);
  const record = (change: object = {}) => {
    const good = {
      name: "example",
      sources: sourcesHash(folder, run),
      seed: 7,
      counts: { cases: 1 },
      figures: {},
    };
    writeFileSync(
      recordPath(folder, run),
      JSON.stringify({ ...good, at: "2026-11-22T20:00:00.000Z", ...change }),
    );
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "bombyx-long-"));
    mkdirSync(join(folder, "room/src/deep"), { recursive: true });
    mkdirSync(join(folder, "bench/results"), { recursive: true });
    write("room/src/a.ts", "1");
    write("room/src/deep/b.ts", "2");
    write("room/src/a.test.ts", "3");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("speaks for the sources that it covered, and for no others", () => {
    expect(coveredFiles(folder, run)).toEqual(["room/src/a.ts", "room/src/deep/b.ts"]);
    record();
    expect(staleReason(folder, run)).toBeUndefined();
    write("room/src/a.test.ts", "changed");
    expect(staleReason(folder, run)).toBeUndefined();
    write("room/src/deep/b.ts", "changed");
    expect(staleReason(folder, run)).toContain("npm run long -- example");
  });

  it("is stale when a covered file appears, goes or is renamed", () => {
    record();
    write("room/src/c.ts", "");
    expect(staleReason(folder, run)).toContain("have changed");
    record();
    rmSync(join(folder, "room/src/c.ts"));
    expect(staleReason(folder, run)).toContain("have changed");
  });

  it("that is missing, damaged or of another seed names the command to run", () => {
    expect(staleReason(folder, run)).toContain("no recorded result: run `npm run long -- example`");
    record({ seed: 8 });
    expect(staleReason(folder, run)).toContain("another seed");
    record({ counts: { cases: -1 } });
    expect(staleReason(folder, run)).toContain("is not a result");
  });

  it("cannot be had for globs that match nothing", () => {
    expect(() => sourcesHash(folder, { ...run, sources: ["nowhere/**"] })).toThrow(RangeError);
  });
});
