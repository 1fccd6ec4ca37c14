import { ready } from "@bombyx/protocol/receipt";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { attempt, id16, id32, receiptFor } from "../../test/attempts.ts";
import { openSqlite } from "../store/sqlite.ts";
import { ledgerOn } from "./call-ledger.ts";
import { channelAccount, neverAgain } from "./channel-ledger.ts";
import type { Attempt, Ledger } from "./ledger.ts";
import { ledgerMigrations } from "./schema.ts";

const address = `0:${"ab".repeat(32)}`;
const account = channelAccount(address);
/** What one {@link attempt} may cost, and what its receipt charges. */
const capNano = 6_464n * 20n;
const costNano = 640n * 20n;
const limitNano = 2n * costNano;

let ledger: Ledger;
beforeAll(() => ready);
beforeEach(async () => {
  ledger = ledgerOn(openSqlite(":memory:", ledgerMigrations), 1_000);
  await credit(100n * capNano, "1");
  await ledger.setChannelTerms({ account, unsignedLimitNano: limitNano, pausedUntilAt: 0 });
});

const credit = (depositedNano: bigint, key: string) =>
  ledger.creditChannel({ account, depositedNano, key, at: 1 });
const request = (n: number): Attempt =>
  attempt({ session: id32(`${n}`), idempotencyId: id16(`${n}`), account: "developer:ann", payer: account });
const answer = async (n: number) => {
  await ledger.reserve(request(n));
  await ledger.settle(receiptFor(request(n)), 2_000);
};
const sign = (totalNano: bigint, voucherKey = "11".repeat(32)) =>
  ledger.acceptVoucher({ account, totalNano, voucherKey, signature: "22".repeat(64) });
const state = async () => {
  const found = await ledger.channelAccount(account);
  if (!found) throw new Error("no channel");
  return found;
};

describe("what the chain says of a channel", () => {
  it("is credited once, however often and in whatever order it is shown", async () => {
    const before = await state();
    await credit(100n * capNano, "1");
    await credit(120n * capNano, "3");
    await credit(110n * capNano, "2");
    await credit(120n * capNano, "3");
    expect(await state()).toEqual({
      ...before,
      depositedNano: 120n * capNano,
      availableNano: 120n * capNano,
    });
    expect(await ledger.audit()).toMatchObject({ sumNano: 0n, entries: 2 });
  });

  it("counts as signed what went to the vault by a voucher that never came here", async () => {
    await answer(1);
    await ledger.redeemedFromChannel({ account, totalNano: costNano });
    expect(await state()).toMatchObject({ signedNano: costNano, redeemedNano: costNano, voucher: null });
    // The vault refused it: it came back.
    await ledger.redeemedFromChannel({ account, totalNano: 0n });
    expect(await state()).toMatchObject({ signedNano: 0n });
  });

  it("is not believed of an account that is no channel", async () => {
    await expect(
      ledger.creditChannel({ account: "sponsor:ann", depositedNano: 1n, key: "1", at: 1 }),
    ).rejects.toMatchObject({ code: "INTERNAL" });
  });
});

describe("a channel that pays", () => {
  it("is refused at the unsigned limit before anything is reserved, and told the total to sign", async () => {
    await answer(1);
    await answer(2);
    await expect(ledger.reserve(request(3))).rejects.toMatchObject({
      code: "VOUCHER_REQUIRED",
      totalNano: `${2n * costNano}`,
    });
    expect(await ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
    expect(await ledger.attemptOf(request(3))).toBeUndefined();
    await sign(2n * costNano);
    await answer(3);
    expect(await state()).toMatchObject({ spentNano: 3n * costNano, signedNano: 2n * costNano });
  });

  it("has what runs counted as spent: a client that signs nothing runs one request too many at most", async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, (_, n) => ledger.reserve(request(n))),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    const [refused] = outcomes.filter((outcome) => outcome.status === "rejected");
    // Nothing is owed yet, so there is nothing to sign: it may come again.
    expect(refused?.reason).toMatchObject({
      code: "VOUCHER_REQUIRED",
      totalNano: "0",
      retryAfterMs: expect.any(Number),
    });
  });

  it("is never overdrawn", async () => {
    await ledger.setChannelTerms({ account, unsignedLimitNano: 10n ** 12n, pausedUntilAt: 0 });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 150 }, (_, n) => ledger.reserve(request(n))),
    );
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    expect(outcomes.length - refused.length).toBe(100);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: "ALLOWANCE_EXHAUSTED" });
    expect(await state()).toMatchObject({ availableNano: 0n, reservedNano: 100n * capNano });
    expect((await ledger.audit()).sumNano).toBe(0n);
  });

  it("is not served while it pauses or closes, and again after the pause", async () => {
    const pause = (pausedUntilAt: number) =>
      ledger.setChannelTerms({ account, unsignedLimitNano: limitNano, pausedUntilAt });
    await pause(5_000);
    await expect(ledger.reserve({ ...request(1), at: 4_000 })).rejects.toMatchObject({
      code: "CHANNEL_CLOSING",
      retryAfterMs: 1_000,
    });
    await ledger.reserve({ ...request(1), at: 5_000 });
    await pause(neverAgain);
    await expect(ledger.reserve(request(2))).rejects.toMatchObject({
      code: "CHANNEL_CLOSING",
      retryAfterMs: undefined,
    });
  });

  it("is unknown before anything was paid in", async () => {
    const payer = channelAccount(`0:${"cd".repeat(32)}`);
    await expect(ledger.reserve({ ...request(1), payer })).rejects.toMatchObject({ code: "CHANNEL_UNKNOWN" });
  });
});

describe("a voucher", () => {
  it("only grows: a lower one is refused with what is known, the same again changes nothing", async () => {
    await sign(1_000n);
    const before = await state();
    expect(await sign(1_000n, "33".repeat(32))).toEqual(before);
    await expect(sign(999n)).rejects.toMatchObject({ code: "VOUCHER_LOWER", totalNano: "1000" });
    expect(await state()).toEqual(before);
    expect((await sign(1_001n)).voucher?.totalNano).toBe(1_001n);
  });

  it("covers what is paid in, and not a nano more", async () => {
    await expect(sign(100n * capNano + 1n)).rejects.toMatchObject({ code: "VOUCHER_ABOVE_DEPOSIT" });
    expect((await state()).voucher).toBeNull();
    expect((await sign(100n * capNano)).signedNano).toBe(100n * capNano);
  });
});

describe("a channel that was closed", () => {
  it("gives back what its owner has on chain, once, and not what still runs", async () => {
    await answer(1);
    await ledger.reserve(request(2));
    await ledger.drainChannel({ account, key: "closed", at: 3 });
    const drained = await ledger.drainChannel({ account, key: "closed", at: 4 });
    expect(drained).toMatchObject({
      withdrawnNano: 99n * capNano - costNano,
      reservedNano: capNano,
      availableNano: 0n,
      spentNano: costNano,
    });
    await ledger.settle(receiptFor(request(2)), 5);
    await ledger.drainChannel({ account, key: "closed/2", at: 6 });
    expect(await state()).toMatchObject({ spentNano: 2n * costNano, reservedNano: 0n, availableNano: 0n });
    expect((await ledger.audit()).sumNano).toBe(0n);
  });
});
