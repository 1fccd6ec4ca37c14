/** Prices, units and signed receipts (PROTOCOL §8, SETTLEMENT). */
export { sign, verifySignature } from "../session/signing.ts";
export { blake2b256, equalBytes, ready } from "../session/sodium.ts";
export * from "./ack.ts";
export * from "./canonical.ts";
export * from "./hashes.ts";
export * from "./price.ts";
export * from "./receipt.ts";
export * from "./units.ts";
export * from "./voucher.ts";
