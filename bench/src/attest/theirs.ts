import { QuoteVerifier } from "@phala/dcap-qvl";
import { Buffer } from "buffer/";
import type { Sample } from "./sample.ts";
import { bytesOf, type Timings, timed } from "./timed.ts";

Object.assign(globalThis, { Buffer });

/** dcap-qvl under the same root, at the same instant. */
export function run({ quote, collateral, at, root }: Sample, rounds: number): Promise<Timings> {
  const verifier = QuoteVerifier.newWithRootCa(Buffer.from(bytesOf(root)));
  const bytes = Buffer.from(bytesOf(quote));
  return timed(() => {
    const { status } = verifier.verify(bytes, collateral, at / 1_000);
    if (status !== "UpToDate") throw new Error(`dcap-qvl says ${status}`);
  }, rounds);
}
Object.assign(globalThis, { attestRun: run });
