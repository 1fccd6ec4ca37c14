/** A synthetic TDX world, for devnet and tests alone; nothing that ships imports it. */
export { type CollateralVariant, type QuoteVariant, SimulatedWorld, type WorldState } from "./world.ts";
