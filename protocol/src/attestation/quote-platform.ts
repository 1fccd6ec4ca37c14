import { parsePemChain } from "./certificate.ts";
import { readPlatform } from "./platform.ts";
import { parseQuote } from "./quote.ts";

/** What a node asks Intel's service for: collateral is per kind of machine, lists are per CA. */
export interface QuotePlatform {
  /** Lower-case hex. */
  readonly fmspc: string;
  /** Which of Intel's CAs issued the machine's certificate. */
  readonly ca: "platform" | "processor";
}

/**
 * Read from a quote's PCK certificate; nothing is verified here.
 * @throws AttestationError of steps "parse", "chain" or PLATFORM_FORMAT
 */
export function quotePlatform(quote: Uint8Array<ArrayBuffer>): QuotePlatform {
  const [pck, pckCa] = parsePemChain(parseQuote(quote).pckChain);
  const ca = pckCa?.commonName.endsWith("Processor CA") ? "processor" : "platform";
  return { fmspc: readPlatform(pck).fmspc, ca };
}
