import { QuoteVerifier } from "@phala/dcap-qvl";
import { Buffer as Polyfill } from "buffer/index.js";
import type { Sample } from "./sample.ts";
import { bytesOf, type Timings, timed } from "./timed.ts";

/** Node has its own, and dcap-qvl asks a page for one. */
const bytesClass = globalThis.Buffer ?? (Polyfill as unknown as BufferConstructor);
Object.assign(globalThis, { Buffer: bytesClass });

/** dcap-qvl under the same root, at the same instant. */
export function run({ quote, collateral, at, root }: Sample, rounds: number): Promise<Timings> {
  const verifier = QuoteVerifier.newWithRootCa(bytesClass.from(bytesOf(root)));
  const bytes = bytesClass.from(bytesOf(quote));
  return timed(() => {
    const { status } = verifier.verify(bytes, collateral, at / 1_000);
    if (status !== "UpToDate") throw new Error(`dcap-qvl says ${status}`);
  }, rounds);
}
Object.assign(globalThis, { attestRun: run });
