/** Prices, units and signed receipts (PROTOCOL §8, SETTLEMENT). */
export * from "./canonical.ts";
export * from "./price.ts";
export * from "./receipt.ts";
export * from "./units.ts";
