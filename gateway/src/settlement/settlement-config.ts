import { rawAddress } from "@bombyx/protocol/wire";
import * as z from "zod";
import { voucherTermsSchema } from "../channels/voucher-terms.ts";

const day = 24 * 3_600_000;

/** `BOMBYX_SETTLEMENT`: where the money is on chain, and the keys that may commit and acknowledge. */
export const settlementConfigSchema = z.strictObject({
  /** -239 mainnet, -3 testnet. */
  globalId: z.int(),
  vault: rawAddress,
  registry: rawAddress,
  /** Base URLs of toncenter-v2 APIs, two at least, of different operators. */
  endpoints: z.array(z.url()).min(2, "takes two or more URLs"),
  /** Seeds of 64 hex digits, in files that only the gateway's user reads. */
  committerSeedFile: z.string().min(1),
  ackSeedFile: z.string().min(1),
  /** From one epoch to the next, at least; the vault's 24 h of a pending root come on top. */
  epochMs: z.int().min(1_000).default(day),
  /** Of a new node's earnings a part is held back, falling to nothing in this time. */
  heldMs: z
    .int()
    .min(0)
    .default(7 * day),
  /** How often the chain is looked at. */
  pollMs: z.int().min(200).default(15_000),
  /** What channels may owe, and when their vouchers are redeemed. */
  channels: voucherTermsSchema.optional(),
  /** `BOMBYX_REGISTRY`'s file counts only as the registry contract says: its hash, release, least version, denials. */
  registryOnChain: z.boolean().default(false),
  /** AI paid in GRAM inside the Mini App: the operator's switch. */
  gramPayments: z.boolean().default(false),
  /** Base URL of a page that shows accounts of this chain at `/ADDRESS`. */
  explorer: z.url().optional(),
});
export type SettlementConfig = z.infer<typeof settlementConfigSchema>;
