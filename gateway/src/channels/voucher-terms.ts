import * as z from "zod";

const nano = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,17})$/, "takes nanoTON as a decimal string")
  .transform(BigInt);

/** The operator's part of `BOMBYX_SETTLEMENT` about channels. */
export const voucherTermsSchema = z.strictObject({
  /**
   * What a new channel may have unsigned, running requests included; one request more at most. Below what opening and
   * closing a channel costs twice, so that nobody lives on it.
   */
  unsignedLimitNano: nano.default(5_000_000n),
  /** What a channel that has signed much may have unsigned: an eighth of that, and no more than this. */
  unsignedMostNano: nano.default(200_000_000n),
  /** A voucher is redeemed when it brings so much: the gas is the operator's. */
  redeemAboveNano: nano.default(300_000_000n),
});
export type VoucherTerms = z.infer<typeof voucherTermsSchema>;

export const defaultVoucherTerms: VoucherTerms = voucherTermsSchema.parse({});

export function unsignedLimitOf(terms: VoucherTerms, signedNano: bigint): bigint {
  const earned = signedNano / 8n;
  const capped = earned < terms.unsignedMostNano ? earned : terms.unsignedMostNano;
  return capped > terms.unsignedLimitNano ? capped : terms.unsignedLimitNano;
}
