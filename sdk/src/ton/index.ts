/**
 * Messages to the contracts, and what became of them on the chain. Needs `@bombyx/contracts` beside the SDK, and in a
 * browser a global `Buffer`; nothing else of the SDK loads a TON library.
 */

export {
  bootIdEntry,
  type ChainRegistryOptions,
  chainRegistry,
  platformsDocumentSchema,
  publishedDocuments,
} from "./chain-registry.ts";
export { channelIdentity, openChannelOrder, rotateKeyOrder } from "./channel-order.ts";
export { type FollowOptions, followOrders, type Outcome } from "./follow.ts";
export {
  claimNeedsNano,
  claimOrder,
  closeOrder,
  closeTogetherOrder,
  type Order,
  payoutOf,
  type TransferRequest,
  topUpOrder,
  transferMs,
  transferOf,
} from "./order.ts";
export { type AccountState, type ChainFetch, PinnedChain } from "./pinned-chain.ts";
