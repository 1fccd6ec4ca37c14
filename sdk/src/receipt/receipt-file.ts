import {
  ackSchema,
  base64,
  hex,
  nanoText,
  priceSchema,
  receiptDetailSchema,
  signedReceiptSchema,
} from "@bombyx/protocol/wire";
import * as z from "zod";

/**
 * Everything that somebody without a network needs to judge one charge. A client keeps it of its own answers, with the
 * sealed detail; a gateway gives it at `GET /v1/account/receipts/{id}`, without the detail, which it cannot read, and
 * with its own Ack. Both are read.
 */
export const receiptFileSchema = z.object({
  v: z.literal(1),
  signed: signedReceiptSchema,
  attestation: z
    .object({
      /** The exact statement bytes. */
      statement: base64,
      link: z.object({ linkPk: hex.b32, payout: z.string().min(1).max(128), signature: hex.b64 }),
    })
    .nullish(),
  price: priceSchema.extend({ nanoPerUnit: nanoText }).nullish(),
  /** Only its client has it. */
  detail: receiptDetailSchema.optional(),
  /** What was charged, as whoever gave the file says. */
  chargedNano: nanoText.optional(),
  ack: z.object({ ack: ackSchema, signature: hex.b64, previousHash: hex.b32, ackPk: hex.b32 }).nullish(),
});
export type ReceiptFile = z.infer<typeof receiptFileSchema>;
