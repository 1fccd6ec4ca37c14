import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ErrorCode } from "@bombyx/protocol/wire";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { attempt, id16, id32, receiptFor } from "../../test/attempts.ts";
import { type Ledger, ledgerFile, openLedger } from "./index.ts";

const payer = "sponsor:acme";
let dataDir: string;
let ledger: Ledger;

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "bombyx-ledger-"));
  ledger = await openLedger({ dataDir });
  await ledger.deposit({ key: "allowance", account: payer, nano: 1_000_000n, at: 0 });
});

afterEach(async () => {
  await ledger.close();
  rmSync(dataDir, { recursive: true });
});

const refusedWith = (code: ErrorCode) => expect.objectContaining({ name: "BombyxError", code });
const available = async (account: string) => (await ledger.balance(account)).availableNano;

describe("the ledger's file", () => {
  it("keeps everything over a restart; what was open waits for its receipt, then the sweep ends it", async () => {
    const other = attempt({ request: 1, idempotencyId: id16("other") });
    for (const of of [attempt(), other]) await ledger.reserve(of);
    await ledger.close();
    ledger = await openLedger({ dataDir, takeOverAt: 10_000 });
    expect(await ledger.balance(payer)).toEqual({ availableNano: 741_440n, reservedNano: 258_560n });
    await ledger.settle(receiptFor(attempt()), 11_000);
    expect(await ledger.sweep(10_001, 70_000)).toBe(1);
    expect(await ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
    expect(await available(payer)).toBe(987_200n);
  });

  it("is shared with a command beside the server, which takes nothing over", async () => {
    await ledger.reserve(attempt());
    const beside = await openLedger({ dataDir });
    await beside.deposit({ key: "top up", account: payer, nano: 500n, at: 0 });
    await beside.close();
    expect(await ledger.attemptOf(attempt())).toMatchObject({ state: "open" });
    expect(await available(payer)).toBe(871_220n);
  });

  it("is append-only where money moved", async () => {
    const file = new DatabaseSync(join(dataDir, ledgerFile));
    expect(() => file.exec("UPDATE entries SET nano = nano + 1")).toThrow(/append-only/);
    expect(() => file.exec("DELETE FROM entries")).toThrow(/append-only/);
    file.close();
  });

  it.each([
    [
      "a balance",
      "UPDATE balances SET nano = nano + 1 WHERE account = 'sponsor:acme'",
      /balance of sponsor:acme/,
    ],
    [
      "a hold",
      "UPDATE attempts SET reserved_nano = reserved_nano - 1 WHERE state = 'open'",
      /reserved by sponsor:acme/,
    ],
    ["a node's total", "UPDATE acks SET cumulative_nano = 1", /acknowledged to/],
  ])("does not open when somebody changed %s by hand", async (_, change, message) => {
    const second = attempt({ request: 1, idempotencyId: id16("second") });
    for (const of of [attempt(), second]) await ledger.reserve(of);
    await ledger.settle(receiptFor(attempt()), 2_000);
    await ledger.close();
    const file = new DatabaseSync(join(dataDir, ledgerFile));
    file.exec(change);
    file.close();
    await expect(openLedger({ dataDir })).rejects.toThrow(message);
  });

  it("takes an attempt's name from whatever has one, and survives a call that cannot be sent", async () => {
    const named = { ...attempt(), abort: () => undefined };
    await expect(ledger.reserve(named)).rejects.toEqual(refusedWith("INTERNAL"));
    await ledger.reserve(attempt());
    await ledger.markLost(named, 2_000);
    expect(await ledger.attemptOf(named)).toMatchObject({ state: "lost" });
  });

  it("refuses calls after it closed", async () => {
    await ledger.close();
    await expect(ledger.balance(payer)).rejects.toEqual(refusedWith("INTERNAL"));
  });

  it("admits exactly as many of 100 parallel requests as the balance pays for", async () => {
    const each = 100_000n;
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, (_, n) =>
        ledger.reserve(
          attempt({ session: id32(`s${n}`), idempotencyId: id16(`q${n}`), capUnits: 1, nanoPerUnit: each }),
        ),
      ),
    );
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(outcomes.length - refused.length).toBe(10);
    for (const { reason } of refused) expect(reason).toEqual(refusedWith("ALLOWANCE_EXHAUSTED"));
    expect(await ledger.balance(payer)).toEqual({ availableNano: 0n, reservedNano: 1_000_000n });
  });

  it("lets a refused call's neighbours in the same batch stand", async () => {
    const good = attempt();
    const bad = attempt({ session: id32("bad"), idempotencyId: id16("bad"), nanoPerUnit: 10_000n });
    const alsoGood = attempt({ session: id32("also"), idempotencyId: id16("also") });
    const outcomes = await Promise.allSettled([good, bad, alsoGood].map((of) => ledger.reserve(of)));
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(await ledger.balance(payer)).toMatchObject({ reservedNano: 258_560n });
  });
});
