/** A synthetic TDX world, for devnet and tests alone; nothing that ships imports it. */
export { type AttestedNode, type AttestedNodeOptions, attestedNode } from "./attested-node.ts";
export { type OpenNode, openNode } from "./open-node.ts";
export { type CollateralVariant, type QuoteVariant, SimulatedWorld } from "./world.ts";
export type { WorldState } from "./world-state.ts";
