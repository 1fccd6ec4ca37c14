/** The chain as pinned endpoints show it, and the operator's wallets on it. */
export { AccountWatcher } from "./account-watcher.ts";
export { ChainError } from "./chain-error.ts";
export { RegistryMismatch, readChainRegistry } from "./chain-registry.ts";
export { ChainStore } from "./chain-store.ts";
export { externalHash } from "./external-hash.ts";
export { OperatorWallet, type OrderBook, type SignedOrder } from "./operator-wallet.ts";
export { type Place, TonEndpoints } from "./ton-endpoints.ts";
