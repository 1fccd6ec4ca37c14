import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import { type LongRecord, longRuns, outcomeSchema, recordPath, sourcesHash } from "./long-runs.ts";

/** `npm run long -- NAME…`: the checks that `npm test` has no time for; see long-runs.ts. */
const root = fileURLToPath(new URL("../../..", import.meta.url));

const names = process.argv.slice(2);
const known = longRuns.map(({ name, what }) => `  ${name}  ${what}\n`).join("");
const wanted = longRuns.filter(({ name }) => names.includes(name));
if (names.length === 0 || wanted.length !== new Set(names).size) {
  process.stderr.write(`npm run long -- NAME…, with NAME of:\n${known}`);
  process.exit(2);
}

for (const run of wanted) {
  const before = sourcesHash(root, run);
  const startedAt = performance.now();
  const { code, lastLine } = await runScript(run.script, run.seed);
  if (code !== 0) {
    process.stderr.write(`${run.name} failed; nothing was recorded.\n`);
    process.exit(1);
  }
  if (sourcesHash(root, run) !== before) {
    process.stderr.write(`Sources changed while ${run.name} ran; nothing was recorded. Run it again.\n`);
    process.exit(1);
  }
  const { counts, figures } = outcomeSchema.parse(JSON.parse(lastLine));
  const seconds = Math.round((performance.now() - startedAt) / 1_000);
  const record: LongRecord = {
    name: run.name,
    sources: before,
    seed: run.seed,
    counts,
    figures: { ...figures, seconds },
    at: new Date().toISOString(),
  };
  const path = recordPath(root, run);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `${JSON.stringify(record, undefined, 2)}\n`);
  process.stdout.write(`${JSON.stringify(record)}\n`);
}

function runScript(script: string, seed: number): Promise<{ code: number | null; lastLine: string }> {
  const child = spawn(process.execPath, ["-C", "bombyx-source", script, "--seed", String(seed)], {
    cwd: root,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const stop = () => child.kill();
  process.once("SIGINT", stop);
  process.once("SIGTERM", stop);
  let printed = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    printed += text;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, lastLine: printed.trimEnd().split("\n").at(-1) ?? "" }));
  });
}
