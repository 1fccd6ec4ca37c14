import type { Machine } from "@bombyx/sdk/owner";

/** What an owner is told of a machine; `preparing`: paired, and its node is still loading. */
export type ShownState = Machine["state"] | "preparing";

/** Paired, gone again and never attested: that is a node that loads its model. */
export function shownState({ state, attestedAt, pairedAt, total }: Machine, now: number): ShownState {
  const young = pairedAt !== null && now - pairedAt < 3_600_000;
  return state === "offline" && attestedAt === null && total.requests === 0 && young ? "preparing" : state;
}

export const toneOf = (state: ShownState): "good" | "warn" | "danger" | undefined => {
  if (state === "ready") return "good";
  if (state === "quarantined") return "danger";
  return state === "offline" ? "warn" : undefined;
};

/** The steps from a registration to the first money, and which of them are done. */
export const steps = ["registered", "paired", "attested", "served"] as const;

export function stepsDone({ node, attestedAt, total }: Machine): number {
  if (total.requests > 0) return 4;
  if (attestedAt !== null) return 3;
  return node === null ? 1 : 2;
}
