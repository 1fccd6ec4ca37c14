import { globSync, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import { performance } from "node:perf_hooks";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { Random } from "../random.ts";
import type { Collected } from "./collected.ts";
import { equivalents } from "./equivalent.ts";
import { Instrumenter, type Mutant } from "./instrument.ts";

/**
 * Whether any step of the verifier or the session could be left out, or any comparison turned round, without a
 * test noticing. Run from the repository's root; `--seed N` orders the mutants, `--sample N` takes as many.
 * Prints {counts, figures} as its last line, and fails when a mutant survives.
 */
const { values } = parseArgs({
  options: { seed: { type: "string", default: "1" }, sample: { type: "string" }, list: { type: "boolean" } },
});

const targets = [
  ...globSync("protocol/src/attestation/*.ts"),
  ...globSync("protocol/src/session/*.ts"),
].filter(
  (file) =>
    !/\.test\.ts$|\/(index|error|strict-policy|describe-quote|quote-platform|toncenter-chain-view)\.ts$/.test(
      file.replaceAll("\\", "/"),
    ),
);
/** Tests that need more than this process has; and, for a sample, those that take long in the dry run. */
const unfit = /(\.(vectors|node)|toncenter-chain-view|fuzz)\.test\.ts$/;
const slowOrUnfit = /(\.(vectors|node)|toncenter-chain-view|fuzz|verify-quote|appraise)\.test\.ts$/;
const suites = [
  ...globSync("protocol/src/attestation/*.test.ts"),
  ...globSync("protocol/src/session/*.test.ts"),
].filter((file) => !(values.sample === undefined ? unfit : slowOrUnfit).test(file));

const instrumenter = new Instrumenter();
const sources = new Map(targets.map((file) => [pathToFileURL(file).href, file]));
const shim = new URL("collected.ts", import.meta.url).href;

/** The mutant that is on, what it has been asked for, and rounds of loops since a test began. */
let active = -1;
let hits: Set<number> | undefined;
let rounds = 0;
const roundsMax = 3_000_000;
const round = () => {
  if (++rounds > roundsMax) throw new Error("a mutant runs for ever");
};
const compare: Readonly<Record<string, (a: never, b: never) => boolean>> = {
  "===": (a, b) => a === b,
  "!==": (a, b) => a !== b,
  "<": (a, b) => a < b,
  "<=": (a, b) => a <= b,
  ">": (a, b) => a > b,
  ">=": (a, b) => a >= b,
};
Object.assign(globalThis, {
  $m(id: number): boolean {
    hits?.add(id);
    return active === id;
  },
  $c(id: number, value: unknown): unknown {
    hits?.add(id).add(id + 1);
    return active === id ? true : active === id + 1 ? false : value;
  },
  $b(operators: readonly string[], id: number, a: never, b: never): unknown {
    for (let i = 1; i < operators.length; i++) hits?.add(id + i - 1);
    const at = active - id + 1;
    return compare[operators[at > 0 && at < operators.length ? at : 0] ?? ""]?.(a, b);
  },
  $t: round,
});

registerHooks({
  resolve(specifier, context, next) {
    const fromSuite = context.parentURL?.endsWith(".test.ts");
    return specifier === "vitest" && fromSuite ? { url: shim, shortCircuit: true } : next(specifier, context);
  },
  load(url, context, next) {
    const file = sources.get(url);
    if (file === undefined) return next(url, context);
    const source = instrumenter.instrument(file, readFileSync(fileURLToPath(url), "utf8"));
    return { format: "module", source, shortCircuit: true };
  },
});

const { beginFile, collected } = (await import("./collected.ts")) as typeof import("./collected.ts");
for (const suite of suites) {
  beginFile(suite);
  await import(pathToFileURL(suite).href);
}
// those that no test loads would otherwise be missing from the list
for (const url of sources.keys()) await import(url);

const setUp = new Set<() => unknown>();
for (const { setup } of collected) {
  for (const prepare of setup) {
    if (!setUp.has(prepare)) await prepare();
    setUp.add(prepare);
  }
}

/** Tests that come by a mutant, the quickest first. */
const covering = new Map<number, { test: Collected; ms: number }[]>();
const startedAt = performance.now();
let slow = 0;
for (const test of collected) {
  hits = new Set();
  const from = performance.now();
  rounds = 0;
  try {
    await test.run();
  } catch (cause) {
    throw new Error(`without a mutant, this fails: ${test.file}: ${test.name}`, { cause });
  }
  const ms = performance.now() - from;
  if (ms > 1_500) slow++;
  for (const id of hits) covering.set(id, [...(covering.get(id) ?? []), { test, ms }]);
  hits = undefined;
}
for (const tests of covering.values()) tests.sort((a, b) => a.ms - b.ms);
const dryMs = performance.now() - startedAt;

/** A mutant may leave a promise that nobody awaits, or one that never ends. */
let stray = false;
process.on("unhandledRejection", () => {
  stray = true;
});
const patienceMs = 10_000;
function inTime(run: () => unknown): Promise<unknown> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("a mutant never ends")), patienceMs);
  return Promise.race([Promise.try(run), promise]).finally(() => clearTimeout(timer));
}

async function survives({ id }: Mutant): Promise<boolean> {
  for (const { test } of covering.get(id) ?? []) {
    active = id;
    rounds = 0;
    stray = false;
    try {
      await inTime(test.run);
      if (stray) return false;
    } catch {
      return false;
    } finally {
      active = -1;
    }
  }
  return true;
}

const isEquivalent = (mutant: Mutant) =>
  equivalents.some(
    ({ file, original, change }) =>
      file === mutant.file && original === mutant.original && change === mutant.change,
  );

const all = instrumenter.mutants;
const chosen = new Random(Number(values.seed)).shuffled(all).slice(0, Number(values.sample ?? all.length));
const survivors: Mutant[] = [];
let killed = 0;
let excused = 0;
for (const [i, mutant] of chosen.entries()) {
  if (i % 50 === 0) process.stderr.write(`\r${i} of ${chosen.length} mutants, ${survivors.length} survived `);
  const alive = await survives(mutant);
  if (isEquivalent(mutant)) {
    excused++;
    if (!alive) survivors.push({ ...mutant, change: `${mutant.change} (listed as equivalent, but killed)` });
  } else if (alive) survivors.push(mutant);
  else killed++;
}
process.stderr.write("\n");
if (values.sample === undefined) {
  for (const { file, original, change } of equivalents) {
    const known = all.some((m) => m.file === file && m.original === original && m.change === change);
    if (!known)
      survivors.push({ id: -1, file, line: 0, original, change: `${change} (listed, but not there)` });
  }
}
for (const { file, line, original, change } of survivors)
  process.stderr.write(`survived  ${file}:${line}  ${original}  →  ${change}\n`);
process.stdout.write(
  `${JSON.stringify({
    counts: {
      mutants: chosen.length,
      killed,
      equivalent: excused,
      survived: survivors.length,
      tests: collected.length,
      slowTests: slow,
    },
    figures: {
      dryRunSeconds: Math.round(dryMs / 100) / 10,
      seconds: Math.round((performance.now() - startedAt) / 1_000),
    },
  })}\n`,
);
process.exit(survivors.length === 0 ? 0 : 1);
