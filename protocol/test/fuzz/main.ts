import { parseArgs } from "node:util";
import { attestationReasons } from "../../src/attestation/index.ts";
import { fuzz, limitMs } from "./fuzz.ts";

/** 100,000 cases; prints {counts, figures} as its last line. `--seed N`, `--cases N`. */
const { values } = parseArgs({
  options: { seed: { type: "string", default: "1" }, cases: { type: "string", default: "100000" } },
});
const cases = Number(values.cases);
const report = await fuzz({
  seed: Number(values.seed),
  cases,
  onProgress: (done) => process.stderr.write(`\r${done} of ${cases} cases `),
});
process.stderr.write("\n");
const missing = Object.keys(attestationReasons).filter((reason) => report.refused[reason] === undefined);
if (missing.length > 0) {
  process.stderr.write(`not reached: ${missing.join(" ")}\n`);
  process.exit(1);
}
process.stdout.write(
  `${JSON.stringify({
    counts: { cases, accepted: report.accepted, ...report.refused },
    figures: { slowestMs: Math.round(report.slowestMs * 10) / 10, limitMs },
  })}\n`,
);
