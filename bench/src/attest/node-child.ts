import { readFileSync } from "node:fs";
import type { Run } from "./timed.ts";

/** A process of its own, so that its first call is a first call: CONTENDER, ROUNDS, the sample on stdin. */
const [contender = "", rounds = "0"] = process.argv.slice(2);
const { run } = (await import(`./${contender}.ts`)) as { readonly run: Run };
const timings = await run(JSON.parse(readFileSync(0, "utf8")), Number(rounds));
process.stdout.write(JSON.stringify(timings));
