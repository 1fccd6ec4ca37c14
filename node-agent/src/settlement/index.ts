/** A node's own side of settlement: what it pins, keeps, checks, disputes and claims (docs/settlement.md). */

export { systemClock } from "../clock.ts";
export { silentLog } from "../log.ts";
export { StateDirectory } from "../state/state-directory.ts";
export { ackCell, type SignedAck } from "./ack-cell.ts";
export { DisputeWallet, disputeFundsNano } from "./dispute-wallet.ts";
export { type NodeProof, proofJson } from "./node-proof.ts";
export { NodeSettlement, type SettlementOptions } from "./node-settlement.ts";
export { type OrderFile, orderSchema } from "./orders.ts";
export { payoutAccount } from "./payout-account.ts";
export type { Hold, HoldCode } from "./serve-gate.ts";
export type { SettlementStatus } from "./settlement-status.ts";
export { type ChainReader, toncenterReader, type VaultReading } from "./vault-reader.ts";
