import { verifyQuote } from "@bombyx/protocol/attestation";
import type { Sample } from "./sample.ts";
import { bytesOf, type Timings, timed } from "./timed.ts";

/** The verifier of this project. */
export function run({ quote, collateral, at, policy }: Sample, rounds: number): Promise<Timings> {
  const bytes = bytesOf(quote);
  return timed(() => verifyQuote(bytes, collateral, at, policy), rounds);
}
Object.assign(globalThis, { attestRun: run });
