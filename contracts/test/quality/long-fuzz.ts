import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { FuzzResult } from "./fuzz.ts";

/**
 * 20,000 operations on each of five seeds, from `--seed N` on. One line of counts at the end; exit 1 on a violation. Each
 * seed has a process of its own: the emulator keeps a little memory of every transaction, and may have 2 GB at most.
 */
const at = process.argv.indexOf("--seed");
const first = at === -1 ? 1 : Number(process.argv[at + 1]);
const seeds = [0, 1, 2, 3, 4].map((offset) => first + offset);
const atOnce = 2;

/** @throws {Error} when the run found a violation, or met something too rarely to mean anything */
function run(seed: number): Promise<FuzzResult> {
  const script = fileURLToPath(new URL("fuzz.ts", import.meta.url));
  const child = spawn(
    process.execPath,
    ["-C", "bombyx-source", script, "--ops", "20000", "--seed", String(seed)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      process.stderr.write(printed);
      if (code === 0) resolve(JSON.parse(printed) as FuzzResult);
      else reject(new Error(`seed ${seed} ended with ${code}`));
    });
  });
}

const counts: Record<string, number> = { operations: 0, seeds: 0, checks: 0, violations: 0 };
const add = (name: string, count: number): void => {
  counts[name] = (counts[name] ?? 0) + count;
};
const waiting = [...seeds];
await Promise.all(
  Array.from({ length: atOnce }, async () => {
    for (let seed = waiting.shift(); seed !== undefined; seed = waiting.shift()) {
      const result = await run(seed);
      add("operations", result.ops);
      add("seeds", 1);
      for (const count of Object.values(result.invariants)) add("checks", count);
      for (const [op, count] of Object.entries(result.accepted)) add(`accepted ${op}`, count);
      for (const [op, count] of Object.entries(result.rejected)) add(`refused ${op}`, count);
    }
  }),
);
process.stdout.write(`${JSON.stringify({ counts, figures: {} })}\n`);
