/** How a gateway judges vouchers: for bench. */
export { SignatureCheck } from "./signature-check.ts";
export { checkVoucher, type VoucherExpectation } from "./voucher-check.ts";
