/** Paying by a channel of one's own: receipts are checked, then vouchers are signed. */
export type { Voucher } from "@bombyx/protocol/wire";
export { memoryStore } from "./memory-store.ts";
export { type OwnReceipt, ownReceiptSchema, totalOf } from "./own-receipts.ts";
export { type PageLocks, type PageStorage, pageStore } from "./page-store.ts";
export {
  type ExpectedCharge,
  type SignerState,
  signerStateSchema,
  type VoucherStore,
} from "./signer-state.ts";
export {
  type ChannelBackup,
  type ChannelIdentity,
  type ChargeName,
  VoucherSigner,
} from "./voucher-signer.ts";
