import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type ContractName, compileContract, TolkError } from "../../src/compile.ts";
import { compileAll } from "../codes.ts";
import type { Scenario } from "../scenario.ts";
import { suites } from "../suites.ts";
import { type Codes, World } from "../world.ts";
import { allMutants, type Mutant, reading } from "./mutants.ts";

export interface MutationResult {
  readonly mutants: number;
  /** Killed by a scenario. */
  readonly killed: number;
  /** Refused by the compiler. */
  readonly refused: number;
  /** What no scenario noticed. */
  readonly survivors: readonly string[];
}

type Verdict = "killed" | "refused" | "survived";

const codeKeys: Record<ContractName, keyof Codes> = {
  "client-channel": "clientChannel",
  "node-account": "nodeAccount",
  registry: "registry",
  vault: "vault",
};

/** The suites that try a contract, the likeliest killers first. */
const suitesOf: Record<ContractName, readonly string[]> = {
  "client-channel": ["client channel"],
  "node-account": ["claims"],
  registry: ["registry"],
  vault: ["to the nano", "vault", "claims", "client channel"],
};

/** Scenarios in the order in which they are tried; what killed last is tried first. */
const orders = new Map<ContractName, Scenario[]>();

/**
 * The likeliest killers first: those that speak of the refusals named where the mutant is. Long searches for a least value
 * come last.
 */
function orderFor(contract: ContractName, { refusals }: Mutant): Scenario[] {
  let order = orders.get(contract);
  if (order === undefined) {
    order = suitesOf[contract].flatMap((name) => suites[name] ?? []);
    orders.set(contract, order);
  }
  const rank = (scenario: Scenario): number => {
    const text = textOf(scenario);
    if (text.includes("leastValue(")) return 2;
    return refusals.some((name) => text.includes(`"${name}"`)) ? 0 : 1;
  };
  return [...order].sort((one, other) => rank(one) - rank(other));
}

const texts = new WeakMap<Scenario, string>();

function textOf(scenario: Scenario): string {
  let text = texts.get(scenario);
  if (text === undefined) {
    text = scenario.run.toString();
    texts.set(scenario, text);
  }
  return text;
}

let genuine: Promise<Codes> | undefined;

/** Whether any scenario notices the mutant, at today's prices. */
export async function judge(mutant: Mutant): Promise<Verdict> {
  genuine ??= compileAll();
  const codes = { ...(await genuine) };
  try {
    for (const contract of mutant.contracts) {
      codes[codeKeys[contract]] = (await compileContract(contract, reading(mutant))).code;
    }
  } catch (error) {
    if (error instanceof TolkError) return "refused";
    throw error;
  }
  for (const contract of mutant.contracts) {
    for (const scenario of orderFor(contract, mutant)) {
      try {
        await scenario.run(await World.fresh(codes, "today"));
      } catch {
        const order = orders.get(contract) as Scenario[];
        order.unshift(...order.splice(order.indexOf(scenario), 1));
        return "killed";
      }
    }
  }
  return "survived";
}

/** A sample that depends on the seed alone; all of them when `sample` is not smaller. */
export function sampleOf(mutants: readonly Mutant[], sample: number, seed: number): Mutant[] {
  if (sample >= mutants.length) return [...mutants];
  const pool = [...mutants];
  let state = BigInt(seed) * 6364136223846793005n + 1442695040888963407n;
  const chosen: Mutant[] = [];
  while (chosen.length < sample) {
    state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
    chosen.push(...pool.splice(Number((state >> 33n) % BigInt(pool.length)), 1));
  }
  return chosen;
}

const thisFile = fileURLToPath(import.meta.url);

/** All mutants, or those whose id contains `only`, over one child process per core. */
export async function mutate(only = "", workers = availableParallelism()): Promise<MutationResult> {
  const mutants = allMutants().filter(({ id }) => id.includes(only));
  const indices = new Map(allMutants().map(({ id }, index) => [id, index]));
  const verdicts = new Map<string, Verdict>();
  let next = 0;
  await Promise.all(
    Array.from(
      { length: Math.min(workers, mutants.length) },
      () =>
        new Promise<void>((resolve, reject) => {
          const child = fork(thisFile, ["--worker"], { execArgv: ["-C", "bombyx-source"] });
          const ask = (): void => {
            const mutant = mutants[next++];
            if (mutant === undefined) child.kill();
            else child.send(indices.get(mutant.id) as number);
          };
          child.on("message", ({ id, verdict }: { id: string; verdict: Verdict }) => {
            verdicts.set(id, verdict);
            process.stderr.write(`${verdicts.size}/${mutants.length} ${verdict} ${id}\n`);
            ask();
          });
          child.on("error", reject);
          child.on("exit", (code, signal) => {
            if (signal === "SIGTERM") resolve();
            else reject(new Error(`a mutation worker ended with ${code}`));
          });
          ask();
        }),
    ),
  );
  const having = (verdict: Verdict): string[] =>
    [...verdicts].filter(([, one]) => one === verdict).map(([id]) => id);
  return {
    mutants: mutants.length,
    killed: having("killed").length,
    refused: having("refused").length,
    survivors: having("survived").sort(),
  };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      json: { type: "boolean", default: false },
      only: { type: "string", default: "" },
      worker: { type: "boolean", default: false },
    },
  });
  if (values.worker) {
    const mutants = allMutants();
    process.on("message", (index: number) => {
      const mutant = mutants[index] as Mutant;
      void judge(mutant).then((verdict) => process.send?.({ id: mutant.id, verdict }));
    });
  } else {
    const result = await mutate(values.only);
    process.stdout.write(`${JSON.stringify(result)}\n`);
    process.exitCode = result.survivors.length === 0 ? 0 : 1;
  }
}
