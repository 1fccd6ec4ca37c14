import * as z from "zod";
import { base64, count, hex, nanoText } from "./encoding.ts";
import { ackSchema } from "./node-link.ts";
import { priceSchema } from "./price.ts";
import { signedReceiptSchema } from "./receipt.ts";

/** Ids of statement lines and receipts only grow: `before` a page's last id is the next page. */
export const moneyPages = { lines: 50, linesMost: 200, days: 30 } as const;

/** An address as the chain has it: workchain, colon, 32 bytes of lower-case hex. */
const rawAddress = z.string().regex(/^-?[0-9]{1,3}:[0-9a-f]{64}$/, "expected a raw address, 0:hex");

/** Who pays a request: free of charge, Stars credit, the account's own channel, or the developer's deposit. */
export const purses = ["allowance", "stars", "channel", "sponsor"] as const;
export const purseSchema = z.enum(purses);
export type Purse = z.infer<typeof purseSchema>;

/** A deposit of the account's own, spent by vouchers. */
export const channelMoneySchema = z.object({
  address: rawAddress,
  state: z.enum(["unopened", "open", "closing", "closed"]),
  /** What its owner paid in, as the chain has it. */
  depositNano: nanoText,
  /** What the gateway took out of it by vouchers. */
  redeemedNano: nanoText,
  /** Total of the last voucher that the gateway has; never above what was signed. */
  signedNano: nanoText,
  /** What its requests have cost since it was opened. */
  spentNano: nanoText,
  /** What running requests hold. */
  reservedNano: nanoText,
  /** When a closing channel may be withdrawn; null while nobody asked. */
  closesAt: count.nullable(),
});
export type ChannelMoney = z.infer<typeof channelMoneySchema>;

/**
 * `GET /v1/account/money`: what the account can spend. Allowance and Stars credit are promises of the bot's
 * developer, drawn on `sponsor`'s deposit; only a channel is money of the account's own.
 */
export const accountMoneySchema = z.object({
  account: z.string(),
  /** The ledger account that pays the next request, once what stands before it is used up. */
  payer: z.string(),
  /** What `payer` has left, and what running requests hold of it. A person does not see a sponsor's: null then. */
  balanceNano: nanoText.nullable(),
  reservedNano: nanoText.nullable(),
  /** Free of charge, per Telegram user over all bots of this gateway; null for a developer. */
  allowance: z
    .object({ limitNano: nanoText, leftNano: nanoText, usedNano: nanoText, resetsAt: count })
    .nullable(),
  /** Bought with Telegram Stars, and not spent yet; "0" for a developer. */
  starsNano: nanoText,
  /** Part of it that running requests hold. */
  starsReservedNano: nanoText,
  channel: channelMoneySchema.nullable(),
  /** Whether this gateway's operator lets people pay for answers in GRAM inside the Mini App. */
  gramPayments: z.boolean(),
});
export type AccountMoney = z.infer<typeof accountMoneySchema>;

export const statementKinds = [
  /** Paid in: by the operator's hand, or on chain. */
  "deposit",
  /** An answer. */
  "request",
  /** Credit that a person bought with Stars: in for the person, out for the sponsor. */
  "stars",
  /** Stars were given back, and with them the credit that was left. */
  "refund",
  /** Taken out: a channel's withdrawal, a payout. */
  "withdrawal",
] as const;

export const statementLineSchema = z.object({
  id: count,
  at: count,
  kind: z.enum(statementKinds),
  direction: z.enum(["in", "out"]),
  nano: nanoText,
  /** Of an answer: its receipt's id for `GET /v1/account/receipts/{id}`. */
  receipt: count.nullable(),
  /** Of an answer: the account that asked; it differs from the payer's where a sponsor pays. */
  askedBy: z.string().nullable(),
  /** Of an answer: units billed. */
  units: count.nullable(),
  /** Telegram Stars of a purchase or refund. */
  stars: count.nullable(),
});
export type StatementLine = z.infer<typeof statementLineSchema>;

/** `GET /v1/account/statement[?before=ID][&limit=N]`: newest first; `next` is null on the last page. */
export const accountStatementSchema = z.object({
  /** Whose lines these are: a ledger account. */
  payer: z.string(),
  lines: z.array(statementLineSchema),
  next: count.nullable(),
});
export type AccountStatement = z.infer<typeof accountStatementSchema>;

/** `GET /v1/account/spending`: the last 30 days (UTC), oldest first; days without a request are there with zeros. */
export const spendingSchema = z.object({
  at: count,
  days: z.array(
    z.object({
      /** ms at 00:00 UTC. */
      day: count,
      /** Paid by the account's own credit, channel or deposit. */
      spentNano: nanoText,
      /** Paid by the allowance. */
      freeNano: nanoText,
      requests: count,
    }),
  ),
});
export type Spending = z.infer<typeof spendingSchema>;

export const receiptLineSchema = z.object({
  id: count,
  /** When it was settled. */
  at: count,
  /** Null when the gateway has forgotten the price row. */
  model: z.string().nullable(),
  node: hex.b32,
  finish: z.enum(["done", "running", "cancelled"]),
  units: count,
  chargedNano: nanoText,
  paidBy: purseSchema,
});
export type ReceiptLine = z.infer<typeof receiptLineSchema>;

/** `GET /v1/account/receipts[?before=ID][&limit=N]`: what the account asked and was answered, newest first. */
export const accountReceiptsSchema = z.object({
  receipts: z.array(receiptLineSchema),
  next: count.nullable(),
});
export type AccountReceipts = z.infer<typeof accountReceiptsSchema>;

/**
 * `GET /v1/account/receipts/{id}`: everything that somebody without a network needs to judge one charge.
 * 1. `attestation.statement` hashes to the receipt's attestation id, and holds the key that signed the receipt.
 * 2. `attestation.link` ties that key to the node's id, which is a hash of link key and payout.
 * 3. `price` hashes to the receipt's price id; units × nanoPerUnit is `chargedNano`.
 * 4. `ack` is the gateway's word to the node: its `receiptsHash` is H(`previousHash` ‖ H(receipt)), so this receipt is
 *    the n-th that it acknowledged, and `cumulativeNano` holds what the node got of it.
 */
export const receiptProofSchema = z.object({
  v: z.literal(1),
  id: count,
  at: count,
  account: z.string(),
  payer: z.string(),
  paidBy: purseSchema,
  node: hex.b32,
  chargedNano: nanoText,
  nodeNano: nanoText,
  feeNano: nanoText,
  signed: signedReceiptSchema,
  attestation: z
    .object({
      /** The exact statement bytes. */
      statement: base64,
      link: z.object({ linkPk: hex.b32, payout: z.string().min(1).max(128), signature: hex.b64 }),
    })
    .nullable(),
  price: priceSchema.extend({ nanoPerUnit: nanoText }).nullable(),
  ack: z.object({ ack: ackSchema, signature: hex.b64, previousHash: hex.b32, ackPk: hex.b32 }).nullable(),
});
export type ReceiptProof = z.infer<typeof receiptProofSchema>;

/** Of Stars sold: what Telegram itself allows in one invoice, and what the gateway keeps of a charge. */
export const starLimits = {
  stars: 100_000,
  chargeCharacters: 256,
  offersOfPerson: 3,
  offerMs: 5 * 60_000,
} as const;

const telegramUser = z
  .int()
  .min(1)
  .max(2 ** 52 - 1);
const stars = z.int().min(1).max(starLimits.stars);
const printable = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[\x21-\x7e]+$/, "must be printable ASCII without spaces");
const sellable = z
  .string()
  .regex(/^[1-9][0-9]{0,17}$/, "expected nanoTON above 0, in at most 18 decimal digits");

/**
 * `POST /v1/credits/offers`, a bot's key: may so much credit be sold to this person now? The answer to Telegram's
 * pre_checkout_query. What was offered is held of the deposit until it is sold, for five minutes at most.
 */
export const creditOfferRequestSchema = z.strictObject({
  user: telegramUser,
  /** Of the pre_checkout_query: the same id again is the same offer. */
  id: printable(64),
  stars,
  nano: sellable,
});
export type CreditOfferRequest = z.infer<typeof creditOfferRequestSchema>;
export const creditOfferSchema = z.object({ id: z.string(), nano: nanoText, expiresAt: count });

/** `POST /v1/credits`, a bot's key: Telegram says that this person paid. The same charge again changes nothing. */
export const creditSaleRequestSchema = z.strictObject({
  user: telegramUser,
  /** `telegram_payment_charge_id`. */
  chargeId: printable(starLimits.chargeCharacters),
  stars,
  nano: sellable,
});
export type CreditSaleRequest = z.infer<typeof creditSaleRequestSchema>;

/** What is known of one payment in Stars. */
export const starPaymentSchema = z.object({
  chargeId: z.string(),
  user: count,
  stars: count,
  nano: nanoText,
  /** `refunded`: no credit (any more); also of a refund that was heard of before its payment. */
  state: z.enum(["credited", "refunded"]),
  at: count,
  refundedAt: count.nullable(),
  /** Credit that the refund took back; the rest was spent, and is the sponsor's loss. */
  takenBackNano: nanoText,
  /** What this person's credit is now. */
  starsNano: nanoText,
});
export type StarPayment = z.infer<typeof starPaymentSchema>;

/** `POST /v1/credits/refunds`, a bot's key: the Stars went back. The same charge again changes nothing. */
export const creditRefundRequestSchema = z.strictObject({
  user: telegramUser,
  chargeId: printable(starLimits.chargeCharacters),
});
export type CreditRefundRequest = z.infer<typeof creditRefundRequestSchema>;

/**
 * `PUT /v1/credits/products`, a bot's key: what it sells, each with an invoice link of its own that anybody may pay and
 * that pays for the payer; so that a Mini App can sell it and the bot's token stays with the bot.
 */
export const creditProductsSchema = z.strictObject({
  products: z
    .array(
      z.strictObject({
        stars,
        nano: sellable,
        link: z
          .string()
          .max(256)
          .regex(
            /^https:\/\/t\.me\/(?:\$|invoice\/)[A-Za-z0-9_-]+$/,
            "must be an invoice link of Telegram's",
          ),
      }),
    )
    .max(8),
});
/** `GET /v1/credits/products`, a person: what their bot sells now, as far as its developer's deposit goes. */
export type CreditProducts = z.infer<typeof creditProductsSchema>;
