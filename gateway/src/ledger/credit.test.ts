import { ready } from "@bombyx/protocol/receipt";
import type { ErrorCode } from "@bombyx/protocol/wire";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { attempt, id16, id32, receiptFor } from "../../test/attempts.ts";
import { openSqlite } from "../store/sqlite.ts";
import { ledgerOn } from "./call-ledger.ts";
import { dayMs } from "./credit.ts";
import type { Attempt, Ledger } from "./index.ts";
import { creditAccount, sponsorAccount } from "./money.ts";
import { ledgerMigrations } from "./schema.ts";

const sponsor = sponsorAccount("acme");
const credit = creditAccount(7, 99);
const maximum = 1_000n;
let ledger: Ledger;

beforeAll(() => ready);
beforeEach(async () => {
  ledger = ledgerOn(openSqlite(":memory:", ledgerMigrations), 1_000);
  await ledger.deposit({ key: "deposit", account: sponsor, nano: 100_000n, at: 0 });
});
afterEach(() => ledger.close());

const refusedWith = (code: ErrorCode) => expect.objectContaining({ name: "BombyxError", code });
const available = async (account: string) => (await ledger.balance(account)).availableNano;
let asked = 0;
/** A question of a person at a bot that costs at most `maximum`. */
const question = (
  changes: Partial<Attempt> & { user?: number; bot?: number; allowanceNano?: bigint } = {},
) => {
  const { user = 99, bot = 7, allowanceNano = 10n * maximum, ...rest } = changes;
  asked += 1;
  return attempt({
    session: id32(`session ${asked}`),
    idempotencyId: id16(`question ${asked}`),
    account: `person:${bot}:${user}`,
    payer: sponsor,
    person: { user, allowanceNano, credit: creditAccount(bot, user) },
    nanoPerUnit: 1n,
    capUnits: Number(maximum),
    continuationCapUnits: Number(maximum),
    at: 1_000,
    ...rest,
  });
};
const sale = (changes: object = {}) => ({
  sponsor,
  credit,
  charge: "7:one",
  stars: 50,
  nano: 5_000n,
  at: 1_000,
  ...changes,
});

describe("a person's allowance", () => {
  it("pays before bought credit does, and its sponsor is charged", async () => {
    await ledger.sellCredit(sale());
    const first = question();
    await ledger.reserve(first);
    await ledger.settle(receiptFor(first, { units: 640 }), 2_000);
    expect(await available(sponsor)).toBe(100_000n - 5_000n - 640n);
    expect(await available(credit)).toBe(5_000n);
    const beyond = question({ allowanceNano: 1_000n });
    await ledger.reserve(beyond);
    await ledger.settle(receiptFor(beyond, { units: 640 }), 2_000);
    expect(await available(sponsor)).toBe(100_000n - 5_000n - 640n);
    expect(await available(credit)).toBe(5_000n - 640n);
  });

  it("lets through as many of 100 parallel requests as it is for, and no more", async () => {
    const outcomes = await Promise.allSettled(Array.from({ length: 100 }, () => ledger.reserve(question())));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(10);
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason).toEqual(refusedWith("ALLOWANCE_EXHAUSTED"));
    }
    expect((await ledger.audit()).sumNano).toBe(0n);
  });

  it("is one over all bots, whoever made them", async () => {
    await ledger.deposit({ key: "other", account: sponsorAccount("other"), nano: 100_000n, at: 0 });
    for (let n = 0; n < 10; n++) {
      const payer = n % 2 === 0 ? sponsor : sponsorAccount("other");
      await ledger.reserve(question({ bot: 7 + n, payer }));
    }
    await expect(ledger.reserve(question({ bot: 77 }))).rejects.toEqual(refusedWith("ALLOWANCE_EXHAUSTED"));
    // Its twin: another person at the same bot is served.
    await ledger.reserve(question({ bot: 77, user: 100 }));
  });

  it("gives back what a request did not cost, to the day that it was taken from, and begins anew at 00:00 UTC", async () => {
    const late = question({ at: dayMs - 1 });
    await ledger.reserve(late);
    const used = async (at: number) =>
      (
        await ledger.funds({
          payer: sponsor,
          person: { user: 99, allowanceNano: 0n, credit },
          at,
        })
      ).allowanceUsedNano;
    expect([await used(dayMs - 1), await used(dayMs)]).toEqual([maximum, 0n]);
    await ledger.settle(receiptFor(late, { units: 640 }), dayMs + 1);
    expect([await used(dayMs - 1), await used(dayMs)]).toEqual([640n, 0n]);
    const refused = question({ at: dayMs });
    await ledger.reserve(refused);
    await ledger.release(refused, dayMs + 1);
    expect(await used(dayMs)).toBe(0n);
  });

  it("of an empty sponsor is a refusal of its own and never a debt; credit that was bought still serves", async () => {
    await ledger.sellCredit(sale());
    const dry = sponsorAccount("dry");
    const before = await ledger.audit();
    await expect(ledger.reserve(question({ payer: dry, user: 5 }))).rejects.toEqual(
      refusedWith("SPONSOR_EMPTY"),
    );
    expect(await ledger.audit()).toEqual(before);
    await ledger.reserve(question({ payer: dry }));
    expect((await ledger.balance(credit)).reservedNano).toBe(maximum);
  });

  it("answers the same request again the same, whichever purse it was drawn on", async () => {
    await ledger.sellCredit(sale());
    const once = question({ allowanceNano: 0n });
    expect((await ledger.reserve(once)).repeated).toBe(false);
    expect((await ledger.reserve(once)).repeated).toBe(true);
    expect((await ledger.balance(credit)).reservedNano).toBe(maximum);
  });
});

describe("Stars credit", () => {
  it("is moved once per charge; the same charge with another amount or person is refused", async () => {
    await ledger.sellCredit(sale());
    await ledger.sellCredit(sale({ at: 9_000 }));
    expect([await available(credit), await available(sponsor)]).toEqual([5_000n, 95_000n]);
    for (const other of [
      { nano: 6_000n },
      { stars: 51 },
      { credit: creditAccount(7, 98) },
      { sponsor: "sponsor:x" },
    ]) {
      await expect(ledger.sellCredit(sale(other))).rejects.toEqual(refusedWith("ALREADY_USED"));
    }
    expect([await available(credit), await available(sponsor)]).toEqual([5_000n, 95_000n]);
  });

  it("on sale never exceeds what is left of the deposit, offers counted", async () => {
    const offer = (id: string, nano: bigint, user = 99) =>
      ledger.offerCredit({ sponsor, credit: creditAccount(7, user), id, nano, expiresAt: 10_000, at: 1_000 });
    await offer("a", 60_000n);
    await expect(offer("b", 60_000n, 98)).rejects.toEqual(refusedWith("CREDIT_UNAVAILABLE"));
    await expect(ledger.sellCredit(sale({ nano: 60_000n, credit: creditAccount(7, 98) }))).rejects.toEqual(
      refusedWith("CREDIT_UNAVAILABLE"),
    );
    await ledger.sellCredit(sale({ nano: 60_000n }));
    expect([await available(credit), await available(sponsor)]).toEqual([60_000n, 40_000n]);
    await expect(offer("a", 60_000n)).rejects.toEqual(refusedWith("ALREADY_USED"));
  });

  it("that was offered and not paid for is free again after its time", async () => {
    await ledger.offerCredit({ sponsor, credit, id: "a", nano: 60_000n, expiresAt: 10_000, at: 1_000 });
    expect(await available(sponsor)).toBe(40_000n);
    expect(await ledger.expireOffers(9_999)).toBe(0);
    expect(await ledger.expireOffers(10_000)).toBe(1);
    expect(await available(sponsor)).toBe(100_000n);
  });

  it("holds no more than three payments of one person at a time", async () => {
    const offer = (id: string, at = 1_000) =>
      ledger.offerCredit({ sponsor, credit, id, nano: 10n, expiresAt: at + 9_000, at });
    for (const id of ["a", "b", "c"]) await offer(id);
    await expect(offer("d")).rejects.toEqual(refusedWith("RATE_LIMITED"));
    await offer("d", 10_000);
  });

  it("goes back with a refund, twice is once, and what was spent is the sponsor's loss", async () => {
    await ledger.sellCredit(sale());
    const spending = question({ allowanceNano: 0n });
    await ledger.reserve(spending);
    await ledger.settle(receiptFor(spending, { units: 640 }), 2_000);
    const refunded = await ledger.refundCredit({ sponsor, credit, charge: "7:one", at: 3_000 });
    expect(refunded).toMatchObject({ takenBackNano: 4_360n, refundedAt: 3_000, creditNano: 0n });
    expect(await ledger.refundCredit({ sponsor, credit, charge: "7:one", at: 4_000 })).toEqual(refunded);
    expect([await available(credit), await available(sponsor)]).toEqual([0n, 99_360n]);
    expect((await ledger.audit()).sumNano).toBe(0n);
  });

  it("that a request holds while the Stars go back is taken when the request ends", async () => {
    await ledger.sellCredit(sale({ nano: 1_500n }));
    const holding = question({ allowanceNano: 0n });
    await ledger.reserve(holding);
    const refunded = await ledger.refundCredit({ sponsor, credit, charge: "7:one", at: 3_000 });
    expect(refunded).toMatchObject({ takenBackNano: 500n, creditNano: 1_000n });
    await ledger.release(holding, 4_000);
    expect([await available(credit), await available(sponsor)]).toEqual([0n, 100_000n]);
    const again = await ledger.refundCredit({ sponsor, credit, charge: "7:one", at: 5_000 });
    expect(again).toMatchObject({ takenBackNano: 1_500n });
  });

  it("of a payment whose refund was heard of first is none", async () => {
    await ledger.refundCredit({ sponsor, credit, charge: "7:one", at: 1_000 });
    const late = await ledger.sellCredit(sale({ at: 2_000 }));
    expect(late).toMatchObject({ refundedAt: 1_000, takenBackNano: 0n, creditNano: 0n, nano: 5_000n });
    expect(await available(sponsor)).toBe(100_000n);
    expect(await ledger.sellCredit(sale({ at: 3_000 }))).toEqual(late);
  });

  it("cannot be refunded by another bot, nor to another person", async () => {
    await ledger.sellCredit(sale());
    for (const other of [{ credit: creditAccount(7, 98) }, { sponsor: sponsorAccount("other") }]) {
      const refund = { sponsor, credit, charge: "7:one", at: 2_000, ...other };
      await expect(ledger.refundCredit(refund)).rejects.toEqual(refusedWith("ALREADY_USED"));
    }
    expect(await available(credit)).toBe(5_000n);
  });
});

describe("an account's statement", () => {
  it("has one line for each answer, and pages that miss and repeat nothing", async () => {
    await ledger.sellCredit(sale({ nano: 50_000n }));
    for (let n = 0; n < 7; n++) {
      const spending = question({ allowanceNano: 0n });
      await ledger.reserve(spending);
      await ledger.settle(receiptFor(spending, { units: 640 }), 2_000 + n);
    }
    await ledger.refundCredit({ sponsor, credit, charge: "7:one", at: 9_000 });
    const whole = await ledger.statement(credit, { limit: 200 });
    expect(whole.map(({ kind }) => kind)).toEqual(["refund", ...Array(7).fill("request"), "stars"]);
    expect(whole[1]).toMatchObject({ nano: 640n, direction: "out", askedBy: "person:7:99", units: 640 });
    expect(whole.at(-1)).toMatchObject({ nano: 50_000n, direction: "in", stars: 50 });
    const signed = whole.reduce((sum, { nano, direction }) => sum + (direction === "in" ? nano : -nano), 0n);
    expect(signed).toBe(await available(credit));
    for (const limit of [1, 2, 3, 5]) {
      const pages: unknown[] = [];
      let before: number | undefined;
      do {
        const page = await ledger.statement(credit, { limit, ...(before !== undefined && { before }) });
        pages.push(...page);
        before = page.length < limit ? undefined : page.at(-1)?.id;
      } while (before !== undefined);
      expect(pages, `pages of ${limit}`).toEqual(whole);
    }
  });

  it("of a sponsor tells who asked, and deposits", async () => {
    const asking = question();
    await ledger.reserve(asking);
    await ledger.settle(receiptFor(asking, { units: 640 }), 2_000);
    expect(await ledger.statement(sponsor, { limit: 10 })).toMatchObject([
      { kind: "request", direction: "out", nano: 640n, askedBy: "person:7:99" },
      { kind: "deposit", direction: "in", nano: 100_000n, attempt: null },
    ]);
  });

  it("counts days apart, free answers apart from paid ones", async () => {
    await ledger.sellCredit(sale());
    for (const [allowanceNano, at] of [
      [10_000n, 2_000],
      [0n, 3_000],
      [0n, dayMs + 1],
    ] as const) {
      const asking = question({ allowanceNano, at });
      await ledger.reserve(asking);
      await ledger.settle(receiptFor(asking, { units: 640 }), at);
    }
    expect(await ledger.spending("person:7:99", 0)).toEqual([
      { day: 0, spentNano: 640n, freeNano: 640n, requests: 2 },
      { day: 1, spentNano: 640n, freeNano: 0n, requests: 1 },
    ]);
  });
});
