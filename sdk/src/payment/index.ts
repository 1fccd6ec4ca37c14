/** Paying by a channel of one's own: receipts are checked, then vouchers are signed. */
export type { Voucher } from "@bombyx/protocol/wire";
export { ChannelDoor } from "./channel-door.ts";
export { ChannelPayment, type ChannelPaymentOptions } from "./channel-payment.ts";
export { memoryStore } from "./memory-store.ts";
export { type OwnReceipt, ownReceiptSchema, totalOf } from "./own-receipts.ts";
export { type PageLocks, type PageStorage, pageStore } from "./page-store.ts";
export type { Payment } from "./payment.ts";
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
