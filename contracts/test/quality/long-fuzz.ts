import { compileAll } from "../codes.ts";
import { fuzz, vacuous } from "./fuzz.ts";

/** 20,000 operations on each of five seeds, from `--seed N` on. One line of counts at the end; exit 1 on a violation. */
const at = process.argv.indexOf("--seed");
const first = at === -1 ? 1 : Number(process.argv[at + 1]);
const codes = await compileAll();
const counts: Record<string, number> = { operations: 0, seeds: 0, checks: 0, violations: 0 };
const add = (name: string, count: number): void => {
  counts[name] = (counts[name] ?? 0) + count;
};

for (let seed = first; seed < first + 5; seed++) {
  const result = await fuzz(codes, 20_000, seed);
  const rare = vacuous(result);
  process.stderr.write(`${JSON.stringify({ ...result, vacuous: rare })}\n`);
  if (result.violations.length + rare.length > 0) process.exit(1);
  add("operations", result.ops);
  add("seeds", 1);
  for (const count of Object.values(result.invariants)) add("checks", count);
  for (const [op, count] of Object.entries(result.accepted)) add(`accepted ${op}`, count);
  for (const [op, count] of Object.entries(result.rejected)) add(`refused ${op}`, count);
}
process.stdout.write(`${JSON.stringify({ counts, figures: {} })}\n`);
