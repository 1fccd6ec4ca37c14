import type { Collateral } from "@bombyx/protocol/attestation";

/** Where quotes come from: the hardware in a node as it ships, a synthetic world in a devnet. */
export interface QuoteProvider {
  /** A quote over these 64 bytes. @throws BombyxError NODE_FAILED, saying what the machine lacks. */
  quote(reportData: Uint8Array): Promise<Uint8Array>;
  /** What a verifier needs beside that quote, as Intel publishes it. */
  collateral(quote: Uint8Array): Promise<Collateral>;
}

/** The open tier: no quote, and whoever runs the computer can read what it serves. */
export const noQuotes = "none";
export type Quotes = QuoteProvider | typeof noQuotes;
