import type { AccountEvent } from "@bombyx/protocol/wire";
import { afterEach, beforeEach, expect, it } from "vitest";
import { ledgerOn } from "../ledger/call-ledger.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { creditAccount, sponsorAccount } from "../ledger/money.ts";
import { ledgerMigrations } from "../ledger/schema.ts";
import { openSqlite } from "../store/sqlite.ts";
import { BalanceNews } from "./balance-news.ts";

const sponsor = sponsorAccount("acme");
const credit = creditAccount(7, 99);
const policy = { allowanceNano: 0n, lowCreditNano: 100n, lowDepositNano: 1_000n };
let ledger: Ledger;
let told: Omit<AccountEvent, "id" | "at">[];
let lately: Set<string>;
const start = () =>
  new BalanceNews({
    ledger,
    policy,
    tell: (event) => told.push(event),
    toldLately: async (account) => lately.has(account),
  });
const sell = (charge: string, nano: bigint) =>
  ledger.sellCredit({ sponsor, credit, charge, stars: 1, nano, at: 0 });
const refund = (charge: string) => ledger.refundCredit({ sponsor, credit, charge, at: 0 });
const accounts = () => told.splice(0).map(({ account, name }) => `${account} ${name}`);

beforeEach(async () => {
  ledger = ledgerOn(openSqlite(":memory:", ledgerMigrations), 1_000);
  told = [];
  lately = new Set();
  await ledger.deposit({ key: "deposit", account: sponsor, nano: 10_000n, at: 0 });
});
afterEach(() => ledger.close());

it("tells once when it runs low, and again only after it was more", async () => {
  const news = start();
  await news.check();
  await sell("a", 500n);
  await news.check();
  expect(accounts()).toEqual([]);
  await refund("a");
  await news.check();
  expect(accounts()).toEqual(["person:7:99 credit"]);
  await sell("b", 50n);
  await news.check();
  expect(accounts()).toEqual([]);
  await sell("c", 500n);
  await news.check();
  await refund("c");
  await news.check();
  expect(accounts()).toEqual(["person:7:99 credit"]);
});

it("tells the developer of a deposit, and nobody of what does not move", async () => {
  const news = start();
  await news.check();
  await sell("a", 9_500n);
  await news.check();
  expect(accounts()).toEqual(["developer:acme deposit"]);
  await news.check();
  await ledger.deposit({ key: "more", account: "channel:0:ab", nano: 1n, at: 0 });
  await news.check();
  expect(accounts()).toEqual([]);
});

it("after a restart does not repeat what was told lately, and says what was not", async () => {
  await sell("a", 50n);
  lately.add("person:7:99");
  const silent = start();
  await silent.check();
  await sell("b", 10n);
  await silent.check();
  expect(accounts()).toEqual([]);
  lately.clear();
  const talking = start();
  await talking.check();
  await sell("c", 10n);
  await talking.check();
  expect(accounts()).toEqual(["person:7:99 credit"]);
});
