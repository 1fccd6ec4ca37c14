/** Receipts that anybody can judge without a network. */
export { ackHash } from "./ack-hash.ts";
export { type ReceiptFile, receiptFileSchema } from "./receipt-file.ts";
export {
  type ReceiptCheck,
  ReceiptError,
  receiptChecks,
  type VerifiedReceipt,
  verifyReceiptFile,
} from "./verify-receipt.ts";
