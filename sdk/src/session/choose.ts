import type { Candidate } from "@bombyx/protocol/wire";

/**
 * A random order in which every candidate comes first with a probability proportional to its score
 * (Efraimidis and Spirakis 2006). Taking the first that verifies is then the same as a weighted
 * choice among the verified, without verifying all of them first.
 * @param random uniform in [0, 1)
 */
export function weightedOrder(candidates: readonly Candidate[], random: () => number): Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, key: (1 - random()) ** (1 / candidate.score) }))
    .sort((a, b) => b.key - a.key)
    .map(({ candidate }) => candidate);
}

/** What a standby should differ in, as far as there is a choice (PROTOCOL §7). */
export interface Sibling {
  readonly node: string;
  readonly owner: string;
}

/** Puts other owners' nodes first; a node is never its own standby. */
export function standbyOrder(ordered: readonly Candidate[], main: Sibling): Candidate[] {
  const others = ordered.filter(({ node }) => node !== main.node);
  return [
    ...others.filter(({ owner }) => owner !== main.owner),
    ...others.filter(({ owner }) => owner === main.owner),
  ];
}
