/** An account at a gateway: its money, what a bot sells for Stars, and what happens to its machines. */

export type {
  AccountEvent,
  AccountMoney,
  AccountReceipts,
  AccountStatement,
  ChannelMoney,
  CreditProducts,
  Purse,
  ReceiptLine,
  ReceiptProof,
  Spending,
  StarPayment,
  StatementLine,
} from "@bombyx/protocol/wire";
export type { GatewayAccess } from "../gateway/access.ts";
export { exchangeInitData, type InitDataExchange } from "../gateway/token.ts";
export { AccountClient, type Balance, type PageOptions } from "./account-client.ts";
export { CreditSeller } from "./credit-seller.ts";
