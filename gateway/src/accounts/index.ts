/** Who asks and who pays: for the gateway itself, devnet and bench. */

export { openStore, type Store } from "../store/open-store.ts";
export type * from "./accounts.ts";
export { runAdmin } from "./admin-cli.ts";
export { telegramKeys } from "./init-data.ts";
export { developerAccount, personAccount } from "./names.ts";
export { type AccountsOptions, openAccounts } from "./open-accounts.ts";
