import { parsePemChain } from "./certificate.ts";
import { readPlatform } from "./platform.ts";
import { parseQuote } from "./quote.ts";

/**
 * FMSPC of the machine that made a quote, lower-case hex: what a node asks collateral for. Nothing is
 * verified here.
 * @throws AttestationError of step "parse" or PLATFORM_FORMAT
 */
export function quoteFmspc(quote: Uint8Array<ArrayBuffer>): string {
  const [pck] = parsePemChain(parseQuote(quote).pckChain);
  return readPlatform(pck).fmspc;
}
