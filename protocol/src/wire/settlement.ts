import * as z from "zod";
import { count, hex, nanoText } from "./encoding.ts";

/** A contract or a basechain wallet, raw: `0:` and 32 bytes as lower-case hex. Screens show the friendly form. */
export const rawAddress = z
  .string()
  .regex(/^0:[0-9a-f]{64}$/, "expected a raw address, 0: and 64 hex digits");

/** Deepest tree that the contracts accept. */
const deepestTree = 20;

/** What one commit says about all epochs so far (SETTLEMENT "Contracts" 2). */
export const epochRootSchema = z.strictObject({
  epoch: z
    .int()
    .min(1)
    .max(2 ** 32 - 1),
  depth: z.int().min(0).max(deepestTree),
  root: hex.b32,
  /** Cumulative over all nodes and epochs, as the next two. */
  committedNano: nanoText,
  units: nanoText,
  requests: nanoText,
  /** SHA-256 of the published file of leaves. */
  leavesHash: hex.b32,
  /** Root of the clients' tree. */
  clientRoot: hex.b32,
});
export type EpochRootJson = z.infer<typeof epochRootSchema>;

/** A node's line in an epoch; its account is the node's own, which the node knows by itself. */
export const leafSchema = z.strictObject({ index: count, earnedNano: nanoText, units: nanoText });
export type LeafJson = z.infer<typeof leafSchema>;

/** Siblings bottom up. */
export const pathSchema = z.array(z.strictObject({ sum: nanoText, hash: hex.b32 })).max(deepestTree);

/** Shows that a leaf is in a root. */
export const nodeProofSchema = z.strictObject({ root: epochRootSchema, leaf: leafSchema, path: pathSchema });
export type NodeProofJson = z.infer<typeof nodeProofSchema>;

/** `GET /v1/settlement`: where the money is, and what was committed about it. */
export const settlementSchema = z.object({
  /** -239 mainnet, -3 testnet. */
  globalId: z.int(),
  vault: rawAddress,
  registry: rawAddress,
  /** The operator's part of what is charged, in 1/10000. */
  feeBps: count,
  ackPk: hex.b32,
  /** Whether AI is paid in GRAM inside the Mini App: the operator's switch. */
  gramPayments: z.boolean(),
  /** Base URL of a page that shows the chain; an account is at `/ADDRESS` there. */
  explorer: z.string().nullable(),
  final: epochRootSchema.nullable(),
  /** Becomes final at `finalAt`, unless somebody vetoes or disputes it. */
  pending: epochRootSchema.extend({ sinceAt: count, finalAt: count }).nullable(),
});
export type SettlementJson = z.infer<typeof settlementSchema>;

/** What one node earned and was paid, cumulative. */
export const nodeEarningsSchema = z.object({
  node: hex.b32,
  /** Machine that it runs on; null after its owner removed it. */
  machine: z.string().nullable(),
  name: z.string(),
  /** As the node gives it: part of its id. */
  payout: z.string(),
  /** The NodeAccount; null when `payout` is no basechain address: such a node cannot be paid. */
  account: rawAddress.nullable(),
  /** Its place in every epoch's tree; null before its first receipt. */
  index: count.nullable(),
  /** All of its receipts. */
  earnedNano: nanoText,
  /** Part of it that no epoch takes yet, because the node is new. */
  heldNano: nanoText,
  /** In the pending root, beyond the final one. */
  pendingNano: nanoText,
  /** In the final root. */
  finalNano: nanoText,
  /** Claimed, as the NodeAccount says. */
  paidNano: nanoText,
  /** Into the final root, to claim with. */
  proof: nodeProofSchema.nullable(),
});
export type NodeEarnings = z.infer<typeof nodeEarningsSchema>;

/** `GET /v1/owner/earnings`. */
export const earningsSchema = z.object({
  at: count,
  /** The wallet that this account proved to hold. */
  wallet: z.object({ address: rawAddress, provenAt: count }).nullable(),
  nodes: z.array(nodeEarningsSchema),
  /** Last 30 days with a movement; `day` is ms at 00:00 UTC. */
  days: z.array(z.object({ day: count, earnedNano: nanoText, paidNano: nanoText })),
});
export type Earnings = z.infer<typeof earningsSchema>;

/** `GET /v1/account/usage-proof`: the caller's own line of the clients' tree, which shows nobody else's. */
export const clientProofSchema = z.object({
  root: epochRootSchema,
  leaf: z.object({ index: count, salt: hex.b32, account: hex.b32, amountNano: nanoText }),
  path: z.array(hex.b32).max(deepestTree),
});
export type ClientProofJson = z.infer<typeof clientProofSchema>;

/** A line of `GET /v1/settlement/epochs/{n}/leaves`, a file of JSON lines in the order of the index. */
export const publishedLeafSchema = z.strictObject({
  index: count,
  /** Address hash of the NodeAccount. */
  account: hex.b32,
  earnedNano: nanoText,
  units: nanoText,
});
