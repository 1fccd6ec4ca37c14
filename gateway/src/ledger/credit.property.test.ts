import { ready } from "@bombyx/protocol/receipt";
import { BombyxError, starLimits } from "@bombyx/protocol/wire";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { attempt, id16, id32, receiptFor } from "../../test/attempts.ts";
import { openSqlite } from "../store/sqlite.ts";
import { ledgerOn } from "./call-ledger.ts";
import { dayMs } from "./credit.ts";
import type { Attempt, Ledger } from "./index.ts";
import { creditAccount, nodeAccount, operatorAccount, sponsorAccount } from "./money.ts";
import { ledgerMigrations } from "./schema.ts";

/** Two bots of two developers, two people at each: few names, so that steps meet. */
const bots = fc.integer({ min: 1, max: 2 });
const users = fc.integer({ min: 1, max: 2 });
const names = fc.integer({ min: 0, max: 4 });
const allowanceNano = 60n;
const unitNano = 2n;

const step = fc.oneof(
  fc.record({ do: fc.constant("deposit" as const), bot: bots, nano: fc.integer({ min: 1, max: 200 }) }),
  fc.record({
    do: fc.constant("offer" as const),
    bot: bots,
    user: users,
    id: names,
    nano: fc.constantFrom(0, 0, 0, 1, 4),
  }),
  // One person who taps Pay again and again.
  fc.record({ do: fc.constant("taps" as const), bot: bots, user: users }),
  fc.record({ do: fc.constant("sell" as const), bot: bots, user: users, charge: names, nano: names }),
  fc.record({ do: fc.constant("refund" as const), bot: bots, user: users, charge: names }),
  fc.record({
    do: fc.constant("reserve" as const),
    bot: bots,
    user: users,
    slot: fc.integer({ min: 0, max: 40 }),
    cap: fc.integer({ min: 0, max: 40 }),
  }),
  fc.record({
    do: fc.constant("settle" as const),
    slot: fc.integer({ min: 0, max: 40 }),
    part: fc.integer({ min: 0, max: 100 }),
  }),
  fc.record({
    do: fc.constantFrom("release" as const, "lose" as const),
    slot: fc.integer({ min: 0, max: 40 }),
  }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.constantFrom(1_000, starLimits.offerMs, dayMs) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

/** Nano of a sale: 0 to 4 become amounts that do and do not fit. */
const nanoOf = (n: number) => BigInt([10, 40, 80, 200, 900][n] ?? 10);

class World {
  readonly ledger: Ledger;
  readonly attempts = new Map<number, Attempt>();
  readonly charges = new Set<string>();
  at = 1_000;
  deposits = 0;
  deposited = 0n;

  constructor(ledger: Ledger) {
    this.ledger = ledger;
  }

  async play(step: Step): Promise<string | undefined> {
    const { ledger, at } = this;
    try {
      switch (step.do) {
        case "pass":
          this.at += step.ms;
          await ledger.expireOffers(this.at);
          return undefined;
        case "deposit":
          await ledger.deposit({
            key: `${this.deposits++}`,
            account: sponsorAccount(`${step.bot}`),
            nano: BigInt(step.nano),
            at,
          });
          this.deposited += BigInt(step.nano);
          return undefined;
        case "offer":
          await ledger.offerCredit({
            ...this.#whose(step),
            id: `${step.id}`,
            nano: nanoOf(step.nano),
            expiresAt: at + starLimits.offerMs,
            at,
          });
          return undefined;
        case "taps":
          for (let tap = 0; tap <= starLimits.offersOfPerson; tap++) {
            const id = `tap ${at}/${tap}`;
            const expiresAt = at + starLimits.offerMs;
            await ledger.offerCredit({ ...this.#whose(step), id, nano: 1n, expiresAt, at });
          }
          return undefined;
        case "sell":
          this.charges.add(`${step.bot}:${step.charge}`);
          await ledger.sellCredit({
            ...this.#whose(step),
            charge: `${step.bot}:${step.charge}`,
            stars: 1,
            nano: nanoOf(step.nano),
            at,
          });
          return undefined;
        case "refund":
          await ledger.refundCredit({ ...this.#whose(step), charge: `${step.bot}:${step.charge}`, at });
          return undefined;
        case "reserve": {
          const { bot, user, slot, cap } = step;
          const of = attempt({
            session: id32(`slot ${slot}`),
            idempotencyId: id16(`question ${slot}`),
            account: `person:${bot}:${user}`,
            payer: sponsorAccount(`${bot}`),
            person: { user, allowanceNano, credit: creditAccount(bot, user) },
            nanoPerUnit: unitNano,
            capUnits: cap,
            continuationCapUnits: cap,
            at,
          });
          await ledger.reserve(of);
          this.attempts.set(slot, of);
          return undefined;
        }
        case "settle": {
          const of = this.attempts.get(step.slot);
          if (of === undefined) return undefined;
          await ledger.settle(receiptFor(of, { units: Math.floor((of.capUnits * step.part) / 100) }), at);
          return undefined;
        }
        default: {
          const of = this.attempts.get(step.slot);
          if (of !== undefined) await ledger[step.do](of, at);
          return undefined;
        }
      }
    } catch (error) {
      if (!(error instanceof BombyxError)) throw error;
      return error.code;
    }
  }

  #whose({ bot, user }: { bot: number; user: number }) {
    return { sponsor: sponsorAccount(`${bot}`), credit: creditAccount(bot, user) };
  }
}

beforeAll(() => ready);

it("keeps every promise within what was paid in, to the nano, whatever comes in whatever order", async () => {
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 80, size: "max" }), async (steps) => {
      const ledger = ledgerOn(openSqlite(":memory:", ledgerMigrations), 1_000);
      try {
        const world = new World(ledger);
        await world.play({ do: "deposit", bot: 1, nano: 400 });
        for (const step of steps) {
          const answered = await world.play(step);
          seen.add(`${step.do} ${answered ?? "done"}`);
          // Sum zero, no account below what it holds, each allowance what its attempts say.
          expect((await ledger.audit()).sumNano).toBe(0n);
          const accounts = [1, 2].flatMap((bot) => [
            sponsorAccount(`${bot}`),
            creditAccount(bot, 1),
            creditAccount(bot, 2),
          ]);
          const earned = [operatorAccount, nodeAccount(id32("node"))];
          let all = 0n;
          for (const account of [...accounts, ...earned]) {
            const { availableNano, reservedNano } = await ledger.balance(account);
            expect(availableNano, account).toBeGreaterThanOrEqual(0n);
            all += availableNano + reservedNano;
          }
          // What was promised, held, spent and left is what was paid in: nobody's word makes money.
          expect(all).toBe(world.deposited);
          for (const user of [1, 2]) {
            const person = { user, allowanceNano, credit: creditAccount(1, user) };
            const { allowanceUsedNano } = await ledger.funds({
              payer: sponsorAccount("1"),
              person,
              at: world.at,
            });
            expect(allowanceUsedNano).toBeGreaterThanOrEqual(0n);
            expect(allowanceUsedNano).toBeLessThanOrEqual(allowanceNano);
          }
        }
        // Whoever bought and whoever sold agree on each payment.
        for (const charge of world.charges) {
          const [bot = ""] = charge.split(":");
          for (const user of [1, 2]) {
            const credit = creditAccount(Number(bot), user);
            const again = await ledger
              .refundCredit({ sponsor: sponsorAccount(bot), credit, charge, at: world.at })
              .catch((error: BombyxError) => error.code);
            if (typeof again === "string") expect(again).toBe("ALREADY_USED");
            else expect(again.takenBackNano <= again.nano).toBe(true);
          }
        }
      } finally {
        await ledger.close();
      }
    }),
    { numRuns: 100 },
  );
  const answers = [
    "offer done",
    "offer CREDIT_UNAVAILABLE",
    "offer ALREADY_USED",
    "taps RATE_LIMITED",
    "sell done",
    "sell CREDIT_UNAVAILABLE",
    "sell ALREADY_USED",
    "refund done",
    "refund ALREADY_USED",
    "reserve done",
    "reserve ALLOWANCE_EXHAUSTED",
    "reserve SPONSOR_EMPTY",
    "settle done",
    "release done",
    "lose done",
  ];
  expect(answers.filter((answer) => !seen.has(answer))).toEqual([]);
});
