import { createHash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import * as z from "zod";

/**
 * A check that takes too long for `npm test`: run by hand with `npm run long -- NAME`, its result recorded in
 * bench/results/NAME.json together with a hash of the sources that it covered. `npm test` fails as soon as
 * these sources are no longer the ones that were checked.
 *
 * To add one: write a script in the room that it belongs to, and a line in {@link longRuns}. The script runs
 * in the root with `--seed N`, may write progress to stderr, and ends with one line on stdout,
 * `{"counts": {name: integer}, "figures": {name: number}}`; any exit code but 0 is a failure and records nothing.
 */
export interface LongRun {
  readonly name: string;
  /** What a recorded result proves, in one sentence. */
  readonly what: string;
  /** Path from the root. */
  readonly script: string;
  /** Globs from the root; one that begins with "!" leaves files out again. */
  readonly sources: readonly string[];
  /** The run is a function of sources and seed. */
  readonly seed: number;
}

/** The verifier and the session, without their tests. */
const judged = ["protocol/src/{attestation,session}/**/*.ts", "!protocol/src/**/*.test.ts"];

/** The contracts and what speaks to them. */
const settled = [
  "contracts/src/**/*.tolk",
  "contracts/src/{client-channel,merkle,node-account,registry,rules,vault}/*.ts",
  "contracts/src/compile.ts",
];

export const longRuns: readonly LongRun[] = [
  {
    name: "attest-mutate",
    what: "no step of verifier or session can be left out, no comparison turned, without a test failing",
    script: "protocol/test/mutation/main.ts",
    sources: [...judged, "protocol/test/mutation/*.ts", "!protocol/test/mutation/*.test.ts"],
    seed: 1,
  },
  {
    name: "attest-fuzz",
    what: "100,000 bent quotes, documents and bundles: every reason reached, nothing signed changed, none slow",
    script: "protocol/test/fuzz/main.ts",
    sources: [
      ...judged,
      "protocol/src/simulation/*.ts",
      "!protocol/src/simulation/*.test.ts",
      "protocol/test/{fuzz,attacks}/*.ts",
    ],
    seed: 1,
  },
  {
    name: "traffic-shape",
    what: "what somebody on the way learns of an answer from sizes and times alone, 2,000 answers each",
    script: "node-agent/test/traffic/main.ts",
    sources: [
      "node-agent/src/enclave/answer*.ts",
      "!node-agent/src/**/*.test.ts",
      "node-agent/test/traffic/{main,traces,classifier}.ts",
    ],
    seed: 1,
  },
  {
    name: "contracts-mutate",
    what: "no assert, comparison, save or send mode of a contract can be changed without a scenario noticing",
    script: "contracts/test/quality/long-mutate.ts",
    sources: [
      ...settled,
      "contracts/test/*.ts",
      "!contracts/test/*.test.ts",
      "contracts/test/scenarios/*.ts",
      "contracts/test/quality/{long-mutate,mutants,mutate}.ts",
    ],
    seed: 1,
  },
  {
    name: "contracts-fuzz",
    what: "100,000 random operations against the contracts from five seeds: nothing lost, nobody overpaid or stuck",
    script: "contracts/test/quality/long-fuzz.ts",
    sources: [
      ...settled,
      "contracts/test/{chain,codes,prices,world}.ts",
      "contracts/test/quality/{fuzz,long-fuzz}.ts",
    ],
    seed: 1,
  },
];

/** What a script prints last. */
export const outcomeSchema = z.strictObject({
  counts: z.record(z.string(), z.int().nonnegative()),
  figures: z.record(z.string(), z.number()),
});

/** What bench/results/NAME.json holds. */
export const recordSchema = z.strictObject({
  name: z.string(),
  sources: z.string().regex(/^[0-9a-f]{64}$/),
  seed: z.int().nonnegative(),
  ...outcomeSchema.shape,
  /** ISO 8601, UTC. */
  at: z.iso.datetime(),
});
export type LongRecord = z.infer<typeof recordSchema>;

export const recordPath = (root: string, { name }: LongRun): string =>
  join(root, "bench/results", `${name}.json`);

/** The files that a run covers, sorted, from `root`, with "/" between folders. */
export function coveredFiles(root: string, { sources }: LongRun): string[] {
  const wanted = sources.filter((glob) => !glob.startsWith("!"));
  const exclude = sources.filter((glob) => glob.startsWith("!")).map((glob) => glob.slice(1));
  const found = globSync(wanted, { cwd: root, exclude, withFileTypes: false });
  return found.map((file) => file.split(sep).join("/")).sort();
}

/**
 * SHA-256 over names and contents of the covered files, lower-case hex.
 * @throws RangeError when a run covers no file: a glob that matches nothing would never notice a change.
 */
export function sourcesHash(root: string, run: LongRun): string {
  const files = coveredFiles(root, run);
  if (files.length === 0) throw new RangeError(`${run.name} covers no file: ${run.sources.join(" ")}`);
  const hash = createHash("sha256");
  for (const file of files) {
    const content = readFileSync(join(root, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

/** Why the recorded result of a run does not speak for today's sources; undefined when it does. */
export function staleReason(root: string, run: LongRun): string | undefined {
  const again = `run \`npm run long -- ${run.name}\` and commit bench/results/${run.name}.json`;
  const path = recordPath(root, run);
  if (!existsSync(path)) return `${run.name} has no recorded result: ${again}.`;
  const record = recordSchema.safeParse(JSON.parse(readFileSync(path, "utf8")));
  if (!record.success)
    return `bench/results/${run.name}.json is not a result (${record.error.message}): ${again}.`;
  if (record.data.seed !== run.seed) return `${run.name} was recorded with another seed: ${again}.`;
  if (record.data.sources === sourcesHash(root, run)) return undefined;
  return `Sources that ${run.name} covers have changed since ${record.data.at}: ${again}.`;
}
