/** The gateway's double-entry ledger (SETTLEMENT "Off chain"): for the gateway itself, devnet and bench. */
export type * from "./credit.ts";
export type * from "./ledger.ts";
export { creditAccount, nodeAccount, operatorAccount, sponsorAccount, worldAccount } from "./money.ts";
export { type LedgerOptions, ledgerFile, openLedger } from "./open-ledger.ts";
