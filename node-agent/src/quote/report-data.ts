import { parseQuote } from "@bombyx/protocol/attestation";

/**
 * The 64 bytes that a quote is over, read by the verifier's own parser.
 * @throws AttestationError when it is no TDX quote that a client would read.
 */
export const reportDataOf = (quote: Uint8Array): Uint8Array =>
  parseQuote(new Uint8Array(quote)).report.reportData;
