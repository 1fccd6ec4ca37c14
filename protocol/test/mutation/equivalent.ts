import type { Mutant } from "./instrument.ts";

/**
 * Mutants that change nothing anybody could see, each with its reason. One that is no longer found, or that a
 * test does kill, fails the run: the list must stay true.
 */
export interface Equivalent extends Pick<Mutant, "file" | "original" | "change"> {
  readonly why: string;
}

export const equivalents: readonly Equivalent[] = [
  {
    file: "protocol/src/attestation/appraise.ts",
    original: "lists",
    change: "true",
    why: "a policy that needs lists has them here, or was refused before; the condition is for the types",
  },
  {
    file: "protocol/src/attestation/appraise.ts",
    original: "seen",
    change: "true",
    why: "without a memory nothing is remembered behind it either",
  },
  {
    file: "protocol/src/session/handshake.ts",
    original: "node.xwing",
    change: "true",
    why: "suite 2 without an X-Wing key was refused before; the condition is for the types",
  },
];
