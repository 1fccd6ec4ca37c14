/** The wallet of an account: proving it, and what may be claimed with it. No TON library is loaded here. */

export type {
  Earnings,
  EpochRootJson,
  NodeEarnings,
  NodeProofJson,
  ProvenWallet,
  SettlementJson,
  WalletChallenge,
  WalletProof,
} from "@bombyx/protocol/wire";
export type { GatewayAccess } from "../gateway/access.ts";
export { type FriendlyForm, friendlyAddress, shortAddress } from "./friendly-address.ts";
export { WalletClient } from "./wallet-client.ts";
