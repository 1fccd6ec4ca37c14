import { mutate } from "./mutate.ts";

/** Every mutant. One line of counts at the end; exit 1 when one survived. */
const started = performance.now();
const { mutants, killed, refused, survivors } = await mutate();
for (const survivor of survivors) process.stderr.write(`survived: ${survivor}\n`);
if (survivors.length > 0) process.exit(1);
const minutes = Math.round((performance.now() - started) / 6_000) / 10;
process.stdout.write(
  `${JSON.stringify({ counts: { mutants, killed, refused, survivors: 0 }, figures: { minutes } })}\n`,
);
