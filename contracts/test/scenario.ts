import { equal } from "node:assert/strict";
import { codeOf, type RefusalName } from "../src/rules/refusal.ts";
import type { World } from "./world.ts";

/** One sentence about behaviour and the code that checks it. Vitest runs them, and so does the mutation run. */
export interface Scenario {
  readonly name: string;
  readonly run: (world: World) => Promise<void>;
}

export const scenario = (name: string, run: Scenario["run"]): Scenario => ({ name, run });

/** Asserts an exit code by name; "fine" is 0. Bare numbers are the TVM's own. */
export function answers(code: number | undefined, expected: RefusalName | "fine" | number): void {
  const want = expected === "fine" ? 0 : typeof expected === "number" ? expected : codeOf(expected);
  equal(code, want, `answered ${code}, expected ${expected} (${want})`);
}

/**
 * The least value at which `accepts` is true, found by halving: it is true at the result and false one nano below.
 * The world is put back after each try.
 */
export async function leastValue(
  world: World,
  accepts: (value: bigint) => Promise<boolean>,
  most = 2_000_000_000n,
): Promise<bigint> {
  const before = world.chain.snapshot();
  const tree = world.tree;
  const tryOut = async (value: bigint): Promise<boolean> => {
    const ok = await accepts(value);
    world.chain.restore(before);
    world.tree = tree;
    return ok;
  };
  let refused = 0n;
  let accepted = most;
  equal(await tryOut(most), true, "refused even at the largest value");
  while (accepted - refused > 1n) {
    const middle = (accepted + refused) / 2n;
    if (await tryOut(middle)) accepted = middle;
    else refused = middle;
  }
  return accepted;
}
