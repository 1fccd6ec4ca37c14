import { openLedger } from "../src/ledger/index.ts";
import { attempt, id16, id32, receiptFor } from "./attempts.ts";

/**
 * A process to be killed: reserves and settles in `lanes` at once, and tells its parent what the ledger
 * acknowledged. Arguments: data directory, round.
 */
export interface Acknowledged {
  readonly did: "reserve" | "settle";
  /** Which request: its session is `id32(name)`. */
  readonly name: string;
}

export const fireAttempt = (name: string) =>
  attempt({ session: id32(name), idempotencyId: id16(name), node: id32(`node of ${name.split("/")[0]}`) });

/** Every seventh node never finishes. */
export const neverSettles = (name: string): boolean => Number(name.split("/")[1]) % 7 === 6;

const lanes = 20;
const [dataDir, round] = process.argv.slice(2);
if (process.send !== undefined && dataDir !== undefined) {
  const ledger = await openLedger({ dataDir, takeOverAt: Date.now() });
  const tell = (did: Acknowledged["did"], name: string) =>
    process.send?.({ did, name } satisfies Acknowledged);
  let next = 0;
  await Promise.all(
    Array.from({ length: lanes }, async () => {
      for (;;) {
        const name = `${round}/${next++}`;
        const of = fireAttempt(name);
        await ledger.reserve(of);
        tell("reserve", name);
        // Every third answer also has a running receipt.
        if (next % 3 === 0) {
          await ledger.settle(receiptFor(of, { finish: "running", units: 64, frames: 2 }), Date.now());
        }
        if (neverSettles(name)) continue;
        await ledger.settle(receiptFor(of), Date.now());
        tell("settle", name);
      }
    }),
  );
}
