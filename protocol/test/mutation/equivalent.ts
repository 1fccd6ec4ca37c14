import type { Mutant } from "./instrument.ts";

/**
 * Mutants that change nothing anybody could see, each with its reason. One that is no longer found, or that a
 * test does kill, fails the run: the list must stay true.
 */
export interface Equivalent extends Pick<Mutant, "file" | "original" | "change"> {
  readonly why: string;
}

export const equivalents: readonly Equivalent[] = [];
