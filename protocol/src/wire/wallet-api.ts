import * as z from "zod";
import { base64, count, hex } from "./encoding.ts";
import { rawAddress } from "./settlement.ts";

/** How long the payload of a challenge may be signed and shown. */
export const walletChallengeMs = 15 * 60_000;

/** `POST /v1/wallet/challenge`: what the wallet signs as the payload of ton_proof; good once. */
export const walletChallengeSchema = z.object({ payload: hex.b32, expiresAt: count });
export type WalletChallenge = z.infer<typeof walletChallengeSchema>;

/** A wallet's StateInit or an answer of its size; wallets have 2 KB. */
const cells = base64.refine((text) => text.length <= 16_384, "must have at most 16,384 characters");

/** `PUT /v1/wallet`: the items ton_addr and ton_proof of TON Connect's connect event, as the wallet gave them. */
export const walletProofSchema = z.strictObject({
  address: rawAddress,
  /** Global id as TON Connect writes it: "-239" mainnet, "-3" testnet. */
  network: z.string().regex(/^-?[0-9]{1,10}$/, "expected a network's global id"),
  publicKey: hex.b32,
  walletStateInit: cells,
  proof: z.strictObject({
    /** Seconds since the epoch. */
    timestamp: count,
    domain: z.strictObject({ lengthBytes: count, value: z.string().min(1).max(128) }),
    payload: z.string().min(1).max(128),
    /** Ed25519, 64 bytes. */
    signature: base64,
  }),
});
export type WalletProof = z.infer<typeof walletProofSchema>;

const walletSchema = z.object({ address: rawAddress, provenAt: count });
export type ProvenWallet = z.infer<typeof walletSchema>;

/** `GET /v1/wallet`, and the answer to `PUT`: the wallet that this account proved to hold. */
export const accountWalletSchema = z.object({ wallet: walletSchema.nullable() });
