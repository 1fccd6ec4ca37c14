import * as z from "zod";
import { base64, count, hex, nanoText } from "./encoding.ts";

/** A contract or wallet of the basechain, as the chain has it: `0:` and 32 bytes of lower-case hex. */
export const basechainAddress = z
  .string()
  .regex(/^0:[0-9a-f]{64}$/, "expected a basechain address as 0: and 32 bytes of lower-case hex");

/** Tells networks apart inside everything that is signed: -239 mainnet, -3 testnet. */
export const networkId = z
  .int()
  .min(-(2 ** 31))
  .max(2 ** 31 - 1);

/** 64 bits as a decimal string. */
const salt = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,19})$/, "expected 64 bits as a decimal string")
  .refine((text) => BigInt(text) < 2n ** 64n, "expected at most 64 bits");

/**
 * `PUT /v1/channels/{address}/voucher`: the voucher key's signature over an ever-growing total. Everything that the
 * signed cell holds is said beside it, so that a voucher for something else is refused as what it is.
 */
export const voucherSchema = z.strictObject({
  globalId: networkId,
  channel: basechainAddress,
  vault: basechainAddress,
  /** nanoTON since the channel was opened. */
  total: nanoText.refine((text) => BigInt(text) < 2n ** 120n, "expected at most what coins on chain hold"),
  voucherKey: hex.b32,
  /** Ed25519 over the hash of `voucherCell`. */
  signature: hex.b64,
});
export type Voucher = z.infer<typeof voucherSchema>;

/**
 * `POST /v1/channels`: this account pays by that channel. `signature` is the voucher key's over
 * "bombyx/channel/v1\0" ‖ u64be(length) ‖ canonical JSON of {account, channel, globalId, vault, at}.
 */
export const channelRequestSchema = z.strictObject({
  owner: basechainAddress,
  salt,
  voucherKey: hex.b32,
  /** When it was signed, ms since epoch; five minutes ago at most. */
  at: count,
  signature: hex.b64,
});
export type ChannelRequest = z.infer<typeof channelRequestSchema>;
export const channelProofDomain = "bombyx/channel/v1\0";

export const channelStates = ["unopened", "open", "closing", "closed"] as const;
export type ChannelState = (typeof channelStates)[number];

/** A channel as the gateway sees it: what the chain says, and what its own ledger does. */
export const channelSchema = z.object({
  address: basechainAddress,
  owner: basechainAddress,
  salt,
  state: z.enum(channelStates),
  /** Whose vouchers count; null before the channel is open. */
  voucherKey: hex.b32.nullable(),
  /** The key before, whose vouchers are redeemable until then. */
  previousKey: z.object({ key: hex.b32, untilAt: count }).nullable(),
  /** What its owner paid in and can be spent, ever; the contract keeps its rent. */
  depositNano: nanoText,
  /** What requests have cost, ever. */
  spentNano: nanoText,
  /** What running requests hold. */
  reservedNano: nanoText,
  /** What is left for new ones. */
  availableNano: nanoText,
  /** The best voucher that the gateway has: a client that never signed it has a second signer. */
  voucher: voucherSchema.nullable(),
  /** What went to the vault, ever. */
  redeemedNano: nanoText,
  /** What may be spent above the signed total. */
  unsignedLimitNano: nanoText,
  /** From when on its owner may withdraw; null while nobody asked. */
  closesAt: count.nullable(),
  /** An approval to close is out until then: nothing is served. */
  pausedUntilAt: count.nullable(),
});
export type Channel = z.infer<typeof channelSchema>;

/** `GET /v1/channels`: where this account's channels must lead to, and those that it has, newest first. */
export const channelsSchema = z.object({
  account: z.string(),
  globalId: networkId,
  vault: basechainAddress,
  channels: z.array(channelSchema),
});
export type Channels = z.infer<typeof channelsSchema>;

/** `POST /v1/channels/{address}/closing`: the operator's approval, to be sent by the owner's wallet. */
export const closingApprovalSchema = z.object({
  channel: basechainAddress,
  /** The vault gets what of it was not redeemed; everything else goes back to the owner. */
  totalNano: nanoText,
  validUntilAt: count,
  signature: hex.b64,
  /** The message to the channel, a bag of cells, and what to attach; the rest of that comes back. */
  body: base64,
  valueNano: nanoText,
});
export type ClosingApproval = z.infer<typeof closingApprovalSchema>;

export const channelLimits = {
  /** Of one account. */
  channels: 8,
  proofMs: 5 * 60_000,
  approvalMs: 9 * 60_000,
} as const;
