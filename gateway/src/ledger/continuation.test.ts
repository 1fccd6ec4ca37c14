import { ready } from "@bombyx/protocol/receipt";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { attempt, id16, id32, receiptFor } from "../../test/attempts.ts";
import { openSqlite } from "../store/sqlite.ts";
import { ledgerOn } from "./call-ledger.ts";
import type { Attempt, Ledger } from "./index.ts";
import { ledgerMigrations } from "./schema.ts";

let ledger: Ledger;
beforeAll(() => ready);
beforeEach(async () => {
  ledger = ledgerOn(openSqlite(":memory:", ledgerMigrations), 1_000);
  await ledger.deposit({ key: "allowance", account: attempt().payer, nano: 1_000_000n, at: 0 });
});
afterEach(() => ledger.close());

const successor = (of: Attempt, changes: Partial<Attempt> = {}) =>
  attempt({
    session: id32("standby"),
    lostAttempt: { session: of.session, request: of.request },
    ...changes,
  });
const delivered = (units: number, frames: number) =>
  receiptFor(attempt(), { finish: "running", units, frames });

describe("an answer that is taken up again", () => {
  it("carries its answer as prefix, and no long prompt behind a short one that was paid", async () => {
    await ledger.reserve(attempt({ requestBytes: 1_024 }));
    // Thirteen frames of answer beside 1 KB of prompt may need the bucket of 16 KB, not that of 64 KB.
    await ledger.settle(delivered(320, 12), 1_500);
    await ledger.lose(attempt(), 2_000);
    const smuggled = successor(attempt(), { session: id32("smuggled"), requestBytes: 65_536 });
    expect(await ledger.reserve(smuggled)).toMatchObject({ continuation: false, capUnits: 6_464 });
    await ledger.release(smuggled, 2_000);
    expect(await ledger.reserve(successor(attempt(), { requestBytes: 16_384 }))).toMatchObject({
      continuation: true,
    });
  });

  it("grows with what its continuations deliver, not with what they were free to carry", async () => {
    await ledger.reserve(attempt({ requestBytes: 1_024 }));
    await ledger.settle(delivered(320, 1), 1_500);
    await ledger.lose(attempt(), 2_000);
    const second = successor(attempt(), { requestBytes: 4_096 });
    expect(await ledger.reserve(second)).toMatchObject({ continuation: true });
    await ledger.lose(second, 3_000);
    const third = successor(second, { session: id32("third"), requestBytes: 16_384 });
    expect(await ledger.reserve(third)).toMatchObject({ continuation: false });
    await ledger.release(third, 3_000);
    const fourth = successor(attempt(), { session: id32("fourth"), requestBytes: 4_096 });
    expect(await ledger.reserve(fourth)).toMatchObject({ continuation: true });
  });

  it("of a cheap model pays for no prompt of another", async () => {
    await ledger.reserve(attempt());
    await ledger.settle(delivered(320, 9), 1_500);
    await ledger.lose(attempt(), 2_000);
    const dearer = successor(attempt(), { priceId: id16("another price") });
    expect(await ledger.reserve(dearer)).toMatchObject({ continuation: false });
  });

  it("is taken up four times without paying for its prompt, and not a fifth time", async () => {
    await ledger.reserve(attempt());
    await ledger.settle(delivered(320, 9), 1_500);
    await ledger.lose(attempt(), 2_000);
    for (let n = 1; n <= 5; n++) {
      // Each is hung up on before its output comes to 64 units; each names the one that paid.
      const next = successor(attempt(), { session: id32(`successor ${n}`) });
      expect(await ledger.reserve(next)).toMatchObject({ continuation: n <= 4 });
      const { receipt, signature } = receiptFor(next, { finish: "running", units: 0, frames: 3 });
      const capUnits = n <= 4 ? 6_400 : 6_464;
      await ledger.settle({ receipt: { ...receipt, capUnits }, signature }, 2_500);
      await ledger.lose(next, 3_000);
    }
  });
});
