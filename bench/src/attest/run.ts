import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { chromiumPath } from "@bombyx/devnet/chromium";
import { atLeast, atMost, type Goal } from "../relay/goals.ts";
import { bundled, inChromium } from "./browser.ts";
import { type Sample, takeSample } from "./sample.ts";
import type { Timings } from "./timed.ts";

export interface AttestReport {
  readonly figures: Record<string, number>;
  readonly goals: readonly Goal[];
  readonly missing: readonly string[];
}

const rounds = 400;
const contenders = ["ours", "theirs"] as const;

/** Our verifier beside @phala/dcap-qvl on one quote, in Node and in Chromium; ms, and bytes as shipped. */
export async function benchAttest({ say }: { say: (line: string) => void }): Promise<AttestReport> {
  const sample = await takeSample();
  say(`quote: ${sample.name}`);
  const figures: Record<string, number> = {};
  const goals: Goal[] = [];
  const missing: string[] =
    sample.name === "simulated" ? ["BOMBYX_VECTORS: measured on a simulated quote"] : [];

  const note = (place: string, name: string, { first, warm }: Timings) => {
    const sorted = [...warm].sort((a, b) => a - b);
    figures[`${place} ${name} first ms`] = first;
    figures[`${place} ${name} p50 ms`] = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
    figures[`${place} ${name} p95 ms`] = sorted[Math.floor(sorted.length * 0.95)] ?? Number.NaN;
  };
  const judge = (place: string, p50: number, unit = "ms") => {
    const mine = figures[`${place} ours p50 ms`] ?? Number.NaN;
    goals.push(
      atMost(`${place}, warm p50`, mine, p50, unit),
      atMost(`${place}, first call`, figures[`${place} ours first ms`] ?? Number.NaN, 60, unit),
      atLeast(
        `${place}, dcap-qvl's p50 by ours`,
        (figures[`${place} theirs p50 ms`] ?? Number.NaN) / mine,
        2,
        "×",
      ),
    );
  };

  say("in Node");
  for (const name of contenders) note("Node", name, inNode(name, sample));
  judge("Node", 6);

  say("bundled");
  const scripts = { ours: await bundled("ours"), theirs: await bundled("theirs") };
  figures["bundle ours kB gz"] = scripts.ours.gzipBytes / 1_000;
  figures["bundle theirs kB gz"] = scripts.theirs.gzipBytes / 1_000;
  goals.push(atMost("compressed", scripts.ours.gzipBytes / 1_000, 45, "kB"));

  const chromium = chromiumPath();
  if (chromium === undefined) missing.push("Chromium");
  else {
    say("in Chromium");
    const codes = { ours: scripts.ours.code, theirs: scripts.theirs.code };
    const timings = await inChromium(chromium, codes, sample, rounds);
    for (const [name, timing] of Object.entries(timings)) note("Chromium", name, timing);
    judge("Chromium", 10);
  }
  return { figures, goals, missing };
}

function inNode(contender: string, sample: Sample): Timings {
  const child = fileURLToPath(new URL("node-child.ts", import.meta.url));
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["-C", "bombyx-source", child, contender, String(rounds)],
    { input: JSON.stringify(sample), encoding: "utf8" },
  );
  if (status !== 0) throw new Error(`${contender} failed: ${stderr}`);
  return JSON.parse(stdout) as Timings;
}
