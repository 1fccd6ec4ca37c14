import { type VoucherTerms, voucherCell } from "@bombyx/protocol/receipt";

/** What a voucher key signs. */
export async function voucherHash(terms: VoucherTerms): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", voucherCell(terms)));
}
