import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { arch, cpus } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { benchAttest } from "./attest/run.ts";
import { benchRelay } from "./relay/run.ts";
import { benchStatement } from "./statement/run.ts";
import { benchVoucher } from "./voucher/run.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const benches = {
  attest: { run: benchAttest, sources: ["protocol/src/attestation", "bench/src/attest"] },
  relay: { run: benchRelay, sources: ["gateway/src", "protocol/src", "bench/src"] },
  voucher: {
    run: benchVoucher,
    sources: ["gateway/src/channels", "protocol/src/receipt", "bench/src/voucher"],
  },
  statement: { run: benchStatement, sources: ["gateway/src/ledger", "bench/src/statement"] },
} as const;

const { values, positionals } = parseArgs({
  options: {
    json: { type: "boolean" },
    /** Sections of the bench, comma-separated; what they measure is not kept. */
    only: { type: "string" },
    /** A folder for CPU profiles of the gateway. */
    profile: { type: "string" },
  },
  allowPositionals: true,
});
const name = positionals[0];
if (name === undefined || !(name in benches)) {
  process.stderr.write(
    `npm run bench -- NAME [--json] [--only SECTION,…] [--profile DIR], with NAME one of: ${Object.keys(benches).join(", ")}\n`,
  );
  process.exit(2);
}
const { run, sources } = benches[name as keyof typeof benches];
const report = await run({
  say: (line) => process.stderr.write(`${line}\n`),
  ...(values.only !== undefined && { only: values.only.split(",") }),
  ...(values.profile !== undefined && { nodeFlags: ["--cpu-prof", `--cpu-prof-dir=${values.profile}`] }),
});

const record = {
  bench: name,
  at: new Date().toISOString(),
  machine: `${cpus().length} × ${cpus()[0]?.model ?? arch()}`,
  node: process.version,
  sources: sourcesHash(sources),
  ...report,
};
if (values.only === undefined && values.profile === undefined) {
  mkdirSync(`${root}bench/results`, { recursive: true });
  writeFileSync(`${root}bench/results/${name}.json`, `${JSON.stringify(record, undefined, 2)}\n`);
}
if (values.json) process.stdout.write(`${JSON.stringify(record)}\n`);
else {
  for (const [what, value] of Object.entries(report.figures))
    process.stdout.write(`${value.toFixed(3).padStart(12)}  ${what}\n`);
  for (const { name: what, measured, unit, limit, holds } of report.goals) {
    process.stdout.write(
      `${holds ? "reached" : "MISSED "}  ${what}: ${measured} ${unit} (goal ${limit} ${unit})\n`,
    );
  }
  for (const what of report.missing) process.stdout.write(`missing  ${what}\n`);
  const notes: readonly string[] = "notes" in report && Array.isArray(report.notes) ? report.notes : [];
  for (const what of notes) process.stdout.write(`note     ${what}\n`);
}
process.exit(report.goals.every(({ holds }) => holds) ? 0 : 1);

/** SHA-256 over the product code that was measured: tells whether a recorded run is of today's sources. */
function sourcesHash(folders: readonly string[]): string {
  const hash = createHash("sha256");
  for (const folder of folders) {
    const files = readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" }).sort();
    for (const file of files.filter((one) => one.endsWith(".ts") && !one.endsWith(".test.ts"))) {
      hash.update(`${folder}/${file}\0`).update(readFileSync(`${root}${folder}/${file}`));
    }
  }
  return hash.digest("hex");
}
