import { ready } from "@bombyx/protocol/receipt";
import { type SignedReceipt, signedReceiptSchema } from "@bombyx/protocol/wire";
import * as z from "zod";
import { chargeOf } from "./check-charge.ts";
import { expectedChargeSchema } from "./signer-state.ts";

/** One line of a client's own journal: what it asked, and the receipt that it checked. */
export const ownReceiptSchema = z.strictObject({
  expected: expectedChargeSchema,
  signed: signedReceiptSchema,
});
export type OwnReceipt = z.infer<typeof ownReceiptSchema>;

/**
 * What a client's own receipts add up to, each checked again; a request counts once, by the most that it was billed.
 * @throws BombyxError RECEIPT_INVALID for a receipt that is not what it was when it was kept.
 */
export async function totalOf(receipts: Iterable<OwnReceipt> | AsyncIterable<OwnReceipt>): Promise<bigint> {
  await ready;
  const charges = new Map<string, bigint>();
  for await (const { expected, signed } of receipts) {
    const nano = chargeOf(expected, signed as SignedReceipt);
    const name = `${expected.session}/${expected.request}`;
    if (nano > (charges.get(name) ?? -1n)) charges.set(name, nano);
  }
  return [...charges.values()].reduce((sum, nano) => sum + nano, 0n);
}
