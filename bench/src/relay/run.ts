import { Contenders } from "./contenders.ts";
import type { Goal } from "./goals.ts";
import { freePort } from "./peers.ts";
import { pinSelf } from "./pinned.ts";
import { type SectionName, sectionNames, sections } from "./sections.ts";

export interface RelayReport {
  readonly figures: Record<string, number>;
  readonly goals: readonly Goal[];
  readonly missing: readonly string[];
  /** What a reader of the figures has to know. */
  readonly notes: readonly string[];
}

export interface RelayRun {
  /** Told what is being measured. */
  readonly say: (line: string) => void;
  /** Sections to run. @default all */
  readonly only?: readonly string[];
  /** Options of Node for our gateway: `--cpu-prof`. */
  readonly nodeFlags?: readonly string[];
}

/**
 * Direct, nginx, Portkey and ours, side by side in one run.
 * @throws RangeError for a section that there is not.
 */
export async function benchRelay({ say, only, nodeFlags = [] }: RelayRun): Promise<RelayReport> {
  const chosen: readonly SectionName[] = only ? only.map(sectionOf) : sectionNames;
  const contenders = new Contenders(nodeFlags, await freePort());
  const figures: Record<string, number> = {};
  const goals: Goal[] = [];
  const notes: string[] = [];
  const note = (line: string): void => {
    notes.push(line);
    say(`  ${line}`);
  };
  if (!pinSelf()) contenders.missing.push("taskset, or a second core: relay and load share one");
  const reach = (...reached: Goal[]): void => {
    goals.push(...reached);
    for (const { name, measured, unit } of reached) say(`  ${name}: ${measured} ${unit}`);
  };
  try {
    for (const name of chosen) await sections[name]({ contenders, figures, reach, say, note });
    return { figures, goals, missing: contenders.missing, notes };
  } finally {
    await contenders.stop();
  }
}

function sectionOf(name: string): SectionName {
  const found = sectionNames.find((section) => section === name);
  if (found === undefined)
    throw new RangeError(`There is no section "${name}"; there are ${sectionNames.join(", ")}.`);
  return found;
}
