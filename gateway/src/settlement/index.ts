/** What others need to stand beside a gateway that settles on chain. */

export { openStore } from "../store/open-store.ts";
export { EpochFiles } from "./epoch-files.ts";
export { EpochStore } from "./epoch-store.ts";
export { clientName, EpochTree } from "./epoch-tree.ts";
export { type EpochStep, Epochs, type EpochsOptions } from "./epochs.ts";
export { NodeAccounts } from "./node-accounts.ts";
export { Settlement } from "./settlement.ts";
export { type SettlementConfig, settlementConfigSchema } from "./settlement-config.ts";
export { sponsorName } from "./sponsor-name.ts";
export { VaultLedger } from "./vault-ledger.ts";
