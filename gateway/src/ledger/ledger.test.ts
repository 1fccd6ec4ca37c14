import { exactUnits, firstReceiptsHash, nextReceiptsHash, ready } from "@bombyx/protocol/receipt";
import type { ErrorCode } from "@bombyx/protocol/wire";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { attempt, id16, id32, receiptFor } from "../../test/attempts.ts";
import { openSqlite } from "../store/sqlite.ts";
import { ledgerOn } from "./call-ledger.ts";
import { type Ledger, nodeAccount, operatorAccount, worldAccount } from "./index.ts";
import { ledgerMigrations } from "./schema.ts";

const payer = "sponsor:acme";
const feeBps = 1_000;
let ledger: Ledger;

beforeAll(() => ready);

beforeEach(async () => {
  ledger = ledgerOn(openSqlite(":memory:", ledgerMigrations), feeBps);
  await ledger.deposit({ key: "allowance", account: payer, nano: 1_000_000n, at: 0 });
});

afterEach(() => ledger.close());

const refusedWith = (code: ErrorCode) => expect.objectContaining({ name: "BombyxError", code });
const available = async (account: string) => (await ledger.balance(account)).availableNano;

/** The next attempt of the same question, on another node. */
const successor = (of = attempt(), changes: Partial<ReturnType<typeof attempt>> = {}) =>
  attempt({
    session: id32("standby"),
    node: id32("standby node"),
    attestationId: id32("standby attestation"),
    lostAttempt: { session: of.session, request: of.request },
    ...changes,
  });

describe("deposits", () => {
  it("arrive once per key, and the world owes them", async () => {
    await ledger.deposit({ key: "allowance", account: payer, nano: 1_000_000n, at: 5 });
    expect(await available(payer)).toBe(1_000_000n);
    expect(await available(worldAccount)).toBe(-1_000_000n);
  });

  it("refuse a key that moved another amount or went elsewhere", async () => {
    await expect(ledger.deposit({ key: "allowance", account: payer, nano: 2n, at: 0 })).rejects.toEqual(
      refusedWith("ALREADY_USED"),
    );
    await expect(
      ledger.deposit({ key: "allowance", account: "sponsor:else", nano: 1_000_000n, at: 0 }),
    ).rejects.toEqual(refusedWith("ALREADY_USED"));
  });

  it("refuse an amount that is negative or that 64 bits cannot hold", async () => {
    for (const nano of [-1n, 2n ** 63n]) {
      await expect(ledger.deposit({ key: "odd", account: payer, nano, at: 0 })).rejects.toEqual(
        refusedWith("BAD_REQUEST"),
      );
    }
  });
});

describe("a reservation", () => {
  it("holds the most that an attempt can cost, and settling releases the rest", async () => {
    expect(await ledger.reserve(attempt())).toEqual({
      continuation: false,
      capUnits: 6_464,
      repeated: false,
    });
    expect(await ledger.balance(payer)).toEqual({ availableNano: 870_720n, reservedNano: 129_280n });
    await ledger.settle(receiptFor(attempt()), 2_000);
    expect(await ledger.balance(payer)).toEqual({ availableNano: 987_200n, reservedNano: 0n });
  });

  it("splits the settlement's vector between node and operator, to the nano", async () => {
    const price = {
      promptMultiplier: 10_000,
      cachedMultiplier: 1_000,
      completionMultiplier: 80_000,
      reasoningMultiplier: 80_000,
    };
    const counts = { promptTokens: 34, cachedTokens: 11, completionTokens: 100, reasoningTokens: 10 };
    const units = Number(exactUnits({ ...counts, continuation: false }, 1_500, price));
    expect(units).toBe(1_235);
    const of = attempt({ coefficient: 1_500 });
    await ledger.reserve(of);
    expect(await ledger.settle(receiptFor(of, { units }), 2_000)).toMatchObject({
      units: 1_235,
      chargedNano: 24_700n,
      nodeNano: 22_230n,
      feeNano: 2_470n,
    });
    expect(await available(nodeAccount(of.node))).toBe(22_230n);
    expect(await available(operatorAccount)).toBe(2_470n);
  });

  it("is refused when the allowance is exhausted, and holds nothing then", async () => {
    const of = attempt({ nanoPerUnit: 155n });
    await expect(ledger.reserve(of)).rejects.toEqual(refusedWith("ALLOWANCE_EXHAUSTED"));
    expect(await available(payer)).toBe(1_000_000n);
    await ledger.reserve({ ...of, nanoPerUnit: 154n });
  });

  it("is refused for a payer that nobody ever funded", async () => {
    await expect(ledger.reserve(attempt({ payer: "sponsor:nobody" }))).rejects.toEqual(
      refusedWith("ALLOWANCE_EXHAUSTED"),
    );
  });

  it("is the same when it is made again, open or settled", async () => {
    await ledger.reserve(attempt());
    expect(await ledger.reserve(attempt({ at: 1_500 }))).toMatchObject({ repeated: true, capUnits: 6_464 });
    await ledger.settle(receiptFor(attempt()), 2_000);
    expect(await ledger.reserve(attempt())).toMatchObject({ repeated: true });
    expect(await available(payer)).toBe(987_200n);
  });

  it("is refused under a request id that was used for something else", async () => {
    await ledger.reserve(attempt());
    await expect(ledger.reserve(attempt({ idempotencyId: id16("other") }))).rejects.toEqual(
      refusedWith("ALREADY_USED"),
    );
  });

  it("is refused while another attempt of its idempotency id runs", async () => {
    await ledger.reserve(attempt());
    await expect(ledger.reserve(successor(attempt()))).rejects.toEqual(refusedWith("ATTEMPT_OPEN"));
    const { lostAttempt: _, ...unnamed } = successor(attempt());
    await expect(ledger.reserve(unnamed)).rejects.toEqual(refusedWith("ATTEMPT_OPEN"));
  });

  it("is refused for an idempotency id that was answered, even when the client hung up", async () => {
    for (const finish of ["done", "cancelled"] as const) {
      const of = attempt({ session: id32(finish), idempotencyId: id16(finish) });
      await ledger.reserve(of);
      await ledger.settle(receiptFor(of, { finish }), 2_000);
      await expect(ledger.reserve({ ...of, session: id32(`${finish} again`) })).rejects.toEqual(
        refusedWith("ALREADY_USED"),
      );
    }
  });

  it("goes on where a cut connection cancelled the answer, when it names it, without paying the prompt again", async () => {
    await ledger.reserve(attempt());
    await ledger.settle(receiptFor(attempt(), { finish: "cancelled" }), 2_000);
    const next = successor(attempt());
    expect(await ledger.reserve(next)).toMatchObject({
      continuation: true,
      capUnits: next.continuationCapUnits,
    });
  });

  it("does not concern another account with the same idempotency id", async () => {
    await ledger.reserve(attempt());
    const other = attempt({ session: id32("other"), account: "developer:other" });
    expect(await ledger.reserve(other)).toMatchObject({ repeated: false });
  });

  it("that was released costs nothing and makes room for another attempt", async () => {
    await ledger.reserve(attempt());
    await ledger.release(attempt(), 2_000);
    await ledger.release(attempt(), 3_000);
    expect(await ledger.balance(payer)).toEqual({ availableNano: 1_000_000n, reservedNano: 0n });
    await expect(ledger.reserve(attempt())).rejects.toEqual(refusedWith("ALREADY_USED"));
    expect(await ledger.reserve(successor(attempt()))).toMatchObject({ continuation: false });
  });
});

describe("a receipt", () => {
  it("settles once: again, it answers the same", async () => {
    await ledger.reserve(attempt());
    const first = await ledger.settle(receiptFor(attempt()), 2_000);
    expect(await ledger.settle(receiptFor(attempt()), 9_000)).toEqual(first);
    expect(await available(nodeAccount(attempt().node))).toBe(first.nodeNano);
  });

  it("is refused without a reservation", async () => {
    await expect(ledger.settle(receiptFor(attempt()), 2_000)).rejects.toEqual(refusedWith("RECEIPT_INVALID"));
  });

  it("is refused when it disagrees with the reservation, by the name of the field", async () => {
    await ledger.reserve(attempt());
    const disagreeing = {
      attestationId: id32("another"),
      idempotencyId: id16("another"),
      priceId: id16("another"),
      coefficient: 999,
      capUnits: 6_400,
    };
    for (const [field, value] of Object.entries(disagreeing)) {
      await expect(ledger.settle(receiptFor(attempt(), { [field]: value }), 2_000)).rejects.toMatchObject({
        code: "RECEIPT_INVALID",
        field,
      });
    }
    await expect(
      ledger.settle(receiptFor(attempt(), { units: 640, ceilingUnits: 600 }), 2_000),
    ).rejects.toMatchObject({ code: "RECEIPT_INVALID", field: "units" });
    expect((await ledger.settle(receiptFor(attempt()), 2_000)).units).toBe(640);
  });

  it("above the cap pays nobody and leaves the attempt to be ended", async () => {
    await ledger.reserve(attempt());
    await expect(ledger.settle(receiptFor(attempt(), { units: 6_528 }), 2_000)).rejects.toEqual(
      refusedWith("QUARANTINED"),
    );
    expect(await ledger.lose(attempt(), 2_000)).toMatchObject({ chargedNano: 0n });
    expect(await available(payer)).toBe(1_000_000n);
  });

  it("is refused when another final receipt settled its attempt", async () => {
    await ledger.reserve(attempt());
    await ledger.settle(receiptFor(attempt()), 2_000);
    await expect(ledger.settle(receiptFor(attempt(), { units: 704 }), 3_000)).rejects.toEqual(
      refusedWith("RECEIPT_INVALID"),
    );
  });

  it("is kept with its signature, the running one until a final one settles", async () => {
    await ledger.reserve(attempt());
    expect(await ledger.receiptOf(attempt())).toBeUndefined();
    const running = receiptFor(attempt(), { finish: "running", units: 64, frames: 3 });
    await ledger.settle(running, 1_500);
    expect(await ledger.receiptOf(attempt())).toEqual(running);
    await ledger.settle(receiptFor(attempt()), 2_000);
    expect(await ledger.receiptOf(attempt())).toEqual(receiptFor(attempt()));
  });

  it("advances the node's acknowledgement in the same step", async () => {
    expect(await ledger.acknowledged(attempt().node)).toEqual({
      n: 0,
      units: 0,
      cumulativeNano: 0n,
      receiptsHash: firstReceiptsHash,
      index: null,
      sinceAt: 0,
    });
    const first = attempt();
    const second = attempt({ request: 1, idempotencyId: id16("second") });
    for (const of of [first, second]) await ledger.reserve(of);
    const firstHash = nextReceiptsHash(firstReceiptsHash, receiptFor(first).receipt);
    expect((await ledger.settle(receiptFor(first), 2_000)).ack).toEqual({
      n: 1,
      units: 640,
      cumulativeNano: 11_520n,
      receiptsHash: firstHash,
      index: 0,
      sinceAt: 2_000,
    });
    const { ack } = await ledger.settle(receiptFor(second), 2_000);
    expect(ack).toEqual({
      n: 2,
      units: 1_280,
      cumulativeNano: 23_040n,
      receiptsHash: nextReceiptsHash(firstHash, receiptFor(second).receipt),
      index: 0,
      sinceAt: 2_000,
    });
    expect(await ledger.acknowledged(first.node)).toEqual(ack);
  });

  it("gives each node a place in the trees with its first receipt, and never another", async () => {
    const nodes = ["first", "second", "third"].map((name) => id32(name));
    const placed = await Promise.all(nodes.map((node) => ledger.standing(node, 1_000)));
    expect(placed.map(({ index }) => index)).toEqual([0, 1, 2]);
    const again = await Promise.all(nodes.map((node) => ledger.standing(node, 9_000)));
    expect(again.map(({ index, sinceAt }) => [index, sinceAt])).toEqual([
      [0, 1_000],
      [1, 1_000],
      [2, 1_000],
    ]);
    expect((await ledger.acknowledged(id32("nobody"))).index).toBeNull();
  });
});

describe("a lost node", () => {
  const delivered = (units: number, frames: number) =>
    receiptFor(attempt(), { finish: "running", units, frames });

  it("is paid by its last running receipt, whatever order they came in", async () => {
    await ledger.reserve(attempt());
    for (const running of [delivered(192, 5), delivered(320, 9), delivered(64, 2)]) {
      expect(await ledger.settle(running, 1_500)).toMatchObject({ chargedNano: 0n });
    }
    await ledger.markLost(attempt(), 2_000);
    expect(await ledger.balance(payer)).toMatchObject({ reservedNano: 129_280n });
    expect(await ledger.lose(attempt(), 3_000)).toMatchObject({ units: 320, chargedNano: 6_400n });
    expect(await ledger.balance(payer)).toEqual({ availableNano: 993_600n, reservedNano: 0n });
  });

  it("that delivered nothing is paid nothing", async () => {
    await ledger.reserve(attempt());
    expect(await ledger.lose(attempt(), 3_000)).toMatchObject({ units: 0, chargedNano: 0n, ack: { n: 0 } });
  });

  it("that is back goes on where it was: its money is held as before, and its own receipt settles it", async () => {
    const { node } = attempt();
    await ledger.reserve(attempt());
    expect(await ledger.reopen(attempt(), node)).toBeUndefined();
    await ledger.markLost(attempt(), 2_000);
    expect(await ledger.reopen(attempt(), id32("another node"))).toBeUndefined();
    expect(await ledger.reopen(attempt(), node)).toBe(2_000);
    expect(await ledger.sweep(9_000, 9_000)).toBe(0);
    expect(await ledger.attemptOf(attempt())).toMatchObject({ state: "open" });
    expect(await ledger.balance(payer)).toMatchObject({ reservedNano: 129_280n });
    await ledger.settle(receiptFor(attempt(), { units: 128 }), 9_500);
    expect(await ledger.reopen(attempt(), node)).toBeUndefined();
    expect(await ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });

  it("is paid for a receipt that the client presents after the loss", async () => {
    await ledger.reserve(attempt());
    await ledger.markLost(attempt(), 2_000);
    await ledger.settle(delivered(320, 9), 2_500);
    expect(await ledger.lose(attempt(), 3_000)).toMatchObject({ chargedNano: 6_400n });
  });

  it("that comes back with its final receipt in time is paid for it", async () => {
    await ledger.reserve(attempt());
    await ledger.markLost(attempt(), 2_000);
    expect(await ledger.settle(receiptFor(attempt()), 3_000)).toMatchObject({ units: 640 });
    expect(await ledger.sweep(60_000, 60_000)).toBe(0);
  });

  it("that comes back too late is answered what was settled", async () => {
    await ledger.reserve(attempt());
    await ledger.settle(delivered(320, 9), 1_500);
    const lost = await ledger.lose(attempt(), 2_000);
    expect(await ledger.settle(receiptFor(attempt()), 3_000)).toEqual(lost);
    expect(await ledger.settle(delivered(384, 11), 3_000)).toEqual(lost);
  });

  it("hands over to a continuation, whose prompt is paid already", async () => {
    await ledger.reserve(attempt());
    await ledger.settle(delivered(320, 9), 1_500);
    await ledger.lose(attempt(), 2_000);
    const next = successor(attempt());
    expect(await ledger.reserve(next)).toEqual({ continuation: true, capUnits: 6_400, repeated: false });
    expect(await ledger.balance(payer)).toMatchObject({ reservedNano: 128_000n });
    await expect(ledger.settle(receiptFor(next, { capUnits: 6_464 }), 3_000)).rejects.toMatchObject({
      field: "capUnits",
    });
    await expect(ledger.settle(receiptFor(next, { capUnits: 6_400, units: 6_464 }), 3_000)).rejects.toEqual(
      refusedWith("QUARANTINED"),
    );
    await ledger.settle(receiptFor(next, { capUnits: 6_400, units: 128 }), 3_000);
    expect(await available(payer)).toBe(1_000_000n - 6_400n - 2_560n);
  });

  it("is settled by the next attempt itself when nobody settled it before", async () => {
    await ledger.deposit({ key: "just enough", account: "sponsor:tight", nano: 129_280n, at: 0 });
    const first = attempt({ payer: "sponsor:tight" });
    await ledger.reserve(first);
    await ledger.settle(receiptFor(first, { finish: "running", units: 64, frames: 1 }), 1_500);
    await ledger.markLost(first, 2_000);
    const next = successor(first, { payer: "sponsor:tight" });
    expect(await ledger.reserve(next)).toMatchObject({ continuation: true });
    expect(await ledger.balance("sponsor:tight")).toEqual({ availableNano: 0n, reservedNano: 128_000n });
  });

  it("is not settled by a next attempt that is refused", async () => {
    await ledger.reserve(attempt());
    await ledger.settle(delivered(320, 9), 1_500);
    await ledger.markLost(attempt(), 2_000);
    await expect(ledger.reserve(successor(attempt(), { nanoPerUnit: 1_000n }))).rejects.toEqual(
      refusedWith("ALLOWANCE_EXHAUSTED"),
    );
    expect(await ledger.balance(payer)).toEqual({ availableNano: 870_720n, reservedNano: 129_280n });
    expect(await available(nodeAccount(attempt().node))).toBe(0n);
  });

  it("is no continuation when nothing was delivered, or when nobody names it", async () => {
    await ledger.reserve(attempt());
    await ledger.lose(attempt(), 2_000);
    const second = successor(attempt());
    expect(await ledger.reserve(second)).toMatchObject({ continuation: false, capUnits: 6_464 });
    await ledger.settle(receiptFor(second, { finish: "running", units: 64, frames: 1 }), 2_500);
    await ledger.lose(second, 3_000);
    const { lostAttempt: _, ...unnamed } = successor(second, { session: id32("third") });
    expect(await ledger.reserve(unnamed)).toMatchObject({ continuation: false });
  });

  it("leaves the prompt paid when its continuation is lost before a word", async () => {
    await ledger.reserve(attempt());
    await ledger.settle(delivered(320, 9), 1_500);
    await ledger.markLost(attempt(), 2_000);
    const second = successor(attempt());
    await ledger.reserve(second);
    await ledger.markLost(second, 3_000);
    const third = successor(second, { session: id32("third") });
    expect(await ledger.reserve(third)).toMatchObject({ continuation: true });
  });

  it("cannot be named by another account or another question", async () => {
    await ledger.reserve(attempt());
    await ledger.settle(delivered(320, 9), 1_500);
    await ledger.lose(attempt(), 2_000);
    const stranger = successor(attempt(), { account: "developer:other" });
    const otherQuestion = successor(attempt(), { idempotencyId: id16("other") });
    const unknown = successor(attempt({ session: id32("nowhere") }));
    for (const attempt of [stranger, otherQuestion, unknown]) {
      await expect(ledger.reserve(attempt)).rejects.toEqual(refusedWith("BAD_REQUEST"));
    }
    expect(await ledger.reserve(successor(attempt()))).toMatchObject({ continuation: true });
  });

  it("is ended by the sweep when no receipt came by the deadline", async () => {
    const other = attempt({ request: 1, idempotencyId: id16("other") });
    for (const of of [attempt(), other]) await ledger.reserve(of);
    await ledger.markLost(attempt(), 2_000);
    await ledger.markLost(other, 5_000);
    expect(await ledger.sweep(2_000, 6_000)).toBe(0);
    expect(await ledger.sweep(2_001, 6_000)).toBe(1);
    expect(await ledger.attemptOf(attempt())).toMatchObject({ state: "released" });
    expect(await ledger.attemptOf(other)).toMatchObject({ state: "lost" });
  });
});
