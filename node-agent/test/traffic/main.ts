import { parseArgs } from "node:util";
import { ready } from "@bombyx/protocol/session";
import { crossValidated } from "./classifier.ts";
import { classes, traces } from "./traces.ts";

/** The figures that docs/threat-model.md states, from 2,000 traces each; {counts, figures} as the last line. */
const { values } = parseArgs({ options: { seed: { type: "string", default: "1" } } });
const seed = Number(values.seed);
const count = 2_000;
await ready;
const percent = (value: number) => Math.round(value * 1_000) / 10;
const figures: Record<string, number> = { chancePercent: percent(1 / classes) };
for (const [name, shape] of [
  ["asShipped", { shaped: true }],
  ["paddingAndTickOff", { shaped: false }],
  ["kindsDifferInFirstToken", { shaped: true, differ: "first token" }],
  ["kindsDifferInLength", { shaped: true, differ: "length" }],
] as const) {
  process.stderr.write(`${name} `);
  const { accuracy, upper } = crossValidated(await traces(count, shape, seed), classes);
  figures[`${name}Percent`] = percent(accuracy);
  figures[`${name}UpperPercent`] = percent(upper);
}
process.stderr.write("\n");
process.stdout.write(`${JSON.stringify({ counts: { tracesEach: count, classes }, figures })}\n`);
