import { ready } from "@bombyx/protocol/receipt";
import { BombyxError } from "@bombyx/protocol/wire";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { attempt, id16, id32, receiptFor } from "../../test/attempts.ts";
import { openSqlite } from "../store/sqlite.ts";
import { ledgerOn } from "./call-ledger.ts";
import { type Attempt, type Ledger, nodeAccount, operatorAccount, sponsorAccount } from "./index.ts";
import { continuationsMost } from "./ledger.ts";
import { ledgerMigrations } from "./schema.ts";

/** Few names, so that random steps meet: duplicates, rivals and late comers are the rule. */
const names = fc.integer({ min: 0, max: 3 });
const slots = fc.integer({ min: 0, max: 5 });
const units = fc.integer({ min: 0, max: 12 });
/** Every payer begins with what a small attempt can cost. */
const firstNano = 50;

const step = fc.oneof(
  fc.record({
    do: fc.constant("deposit" as const),
    key: names,
    to: names,
    nano: fc.integer({ min: 0, max: 400 }),
  }),
  fc.record({
    do: fc.constant("reserve" as const),
    slot: slots,
    question: names,
    payer: names,
    cap: units,
    lost: fc.option(slots, { nil: undefined }),
  }),
  fc.record({
    do: fc.constant("settle" as const),
    slot: slots,
    units,
    frames: fc.integer({ min: 0, max: 4 }),
    finish: fc.constantFrom("done" as const, "running" as const, "cancelled" as const),
  }),
  fc.record({
    do: fc.constantFrom("markLost" as const, "reopen" as const, "lose" as const, "release" as const),
    slot: slots,
  }),
  fc.record({ do: fc.constant("sweep" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never;

interface ModelAttempt {
  readonly of: Attempt;
  readonly cap: number;
  readonly continuation: boolean;
  state: "open" | "lost" | "settled" | "released";
  running?: { units: number; frames: number };
  paid?: { units: number; frames: number; finish: string };
}

/** The ledger as one would write it with nothing to lose: no file, no entries, nobody else. */
class Model {
  readonly deposits = new Map<number, { to: number; nano: number }>();
  readonly attempts = new Map<number, ModelAttempt>();
  readonly order: ModelAttempt[] = [];

  /** What `balance` must say. */
  available(payer: string): bigint {
    let nano = 0n;
    for (const { to, nano: more } of this.deposits.values())
      if (sponsorAccount(`${to}`) === payer) nano += BigInt(more);
    for (const { of, state, cap, paid } of this.order) {
      if (of.payer !== payer) continue;
      if (state === "open" || state === "lost") nano -= BigInt(cap) * of.nanoPerUnit;
      if (state === "settled") nano -= BigInt(paid?.units ?? 0) * of.nanoPerUnit;
    }
    return nano;
  }

  end(attempt: ModelAttempt): void {
    if (attempt.state !== "open" && attempt.state !== "lost") return;
    attempt.state = attempt.running === undefined ? "released" : "settled";
    if (attempt.running !== undefined) attempt.paid = { ...attempt.running, finish: "running" };
  }

  /** Applies a step. @returns the code of the refusal that it must meet. */
  apply(step: Step): string | undefined {
    switch (step.do) {
      case "deposit": {
        if (step.nano === 0) return undefined;
        const known = this.deposits.get(step.key);
        if (known === undefined) this.deposits.set(step.key, step);
        else if (known.to !== step.to || known.nano !== step.nano) return "ALREADY_USED";
        return undefined;
      }
      case "reserve":
        return this.#reserve(step);
      case "settle":
        return this.#settle(step);
      case "sweep":
        for (const attempt of this.order) if (attempt.state === "lost") this.end(attempt);
        return undefined;
    }
    const attempt = this.attempts.get(step.slot);
    if (attempt === undefined) {
      return step.do === "markLost" || step.do === "reopen" ? undefined : "REQUEST_UNKNOWN";
    }
    if (step.do === "lose") this.end(attempt);
    else if (step.do === "markLost" && attempt.state === "open") attempt.state = "lost";
    else if (step.do === "reopen" && attempt.state === "lost") attempt.state = "open";
    else if (step.do === "release" && (attempt.state === "open" || attempt.state === "lost"))
      attempt.state = "released";
    return undefined;
  }

  #reserve(step: Step & { do: "reserve" }): string | undefined {
    const of = attemptOf(step);
    const known = this.attempts.get(step.slot);
    if (known !== undefined) {
      const { at: _, ...content } = of;
      const { at: __, ...before } = known.of;
      const same = JSON.stringify(content, big) === JSON.stringify(before, big);
      return same && known.state !== "released" ? undefined : "ALREADY_USED";
    }
    const former = this.order.findLast((other) => other.of.idempotencyId === of.idempotencyId);
    if (former?.state === "open") return "ATTEMPT_OPEN";
    const cut =
      former?.paid?.finish === "cancelled" &&
      step.lost !== undefined &&
      former === this.attempts.get(step.lost);
    if (former?.state === "settled" && former.paid?.finish !== "running" && !cut) return "ALREADY_USED";
    const named = step.lost === undefined ? undefined : this.attempts.get(step.lost);
    if (step.lost !== undefined && named?.of.idempotencyId !== of.idempotencyId) return "BAD_REQUEST";
    const before = former && { ...former };
    if (former?.state === "lost") this.end(former);
    const others = this.order.filter((other) => other.of.idempotencyId === of.idempotencyId);
    const free = others.filter((other) => other.continuation && other.state !== "released").length;
    const continuation =
      named !== undefined && (named.continuation || (named.paid?.units ?? 0) > 0) && free < continuationsMost;
    const cap = continuation ? of.continuationCapUnits : of.capUnits;
    if (this.available(of.payer) < BigInt(cap) * of.nanoPerUnit) {
      if (former !== undefined) Object.assign(former, { paid: undefined }, before);
      return "ALLOWANCE_EXHAUSTED";
    }
    const attempt: ModelAttempt = { of, cap, continuation, state: "open" };
    this.attempts.set(step.slot, attempt);
    this.order.push(attempt);
    return undefined;
  }

  #settle(step: Step & { do: "settle" }): string | undefined {
    const attempt = this.attempts.get(step.slot);
    if (attempt === undefined) return "RECEIPT_INVALID";
    if (step.units > attempt.cap) return "QUARANTINED";
    const { state, paid } = attempt;
    if (state === "settled" && step.finish !== "running" && paid !== undefined && paid.finish !== "running") {
      const { units, frames, finish } = step;
      return units === paid.units && frames === paid.frames && finish === paid.finish
        ? undefined
        : "RECEIPT_INVALID";
    }
    if (state !== "open" && state !== "lost") return undefined;
    if (step.finish !== "running") {
      attempt.state = "settled";
      attempt.paid = step;
    } else if (attempt.running === undefined || step.frames > attempt.running.frames) attempt.running = step;
    return undefined;
  }
}

const big = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}` : value);

const attemptOf = (step: Step & { do: "reserve" }): Attempt =>
  attempt({
    session: id32(`slot ${step.slot}`),
    node: id32(`node ${step.slot % 2}`),
    idempotencyId: id16(`question ${step.question}`),
    payer: sponsorAccount(`${step.payer}`),
    nanoPerUnit: 7n,
    capUnits: step.cap,
    continuationCapUnits: Math.max(0, step.cap - 2),
    ...(step.lost !== undefined && { lostAttempt: { session: id32(`slot ${step.lost}`), request: 0 } }),
  });

async function play(ledger: Ledger, model: Model, step: Step): Promise<string | undefined> {
  const id = (slot: number) => ({ session: id32(`slot ${slot}`), request: 0 });
  const known = "slot" in step ? model.attempts.get(step.slot) : undefined;
  try {
    if (step.do === "deposit") {
      const { key, to, nano } = step;
      await ledger.deposit({ key: `${key}`, account: sponsorAccount(`${to}`), nano: BigInt(nano), at: 0 });
    } else if (step.do === "reserve") await ledger.reserve(attemptOf(step));
    else if (step.do === "settle") {
      const known = model.attempts.get(step.slot);
      const of = known?.of ?? attempt(id(step.slot));
      const { units, frames, finish } = step;
      await ledger.settle(receiptFor(of, { capUnits: known?.cap ?? 0, units, frames, finish }), 2_000);
    } else if (step.do === "sweep") await ledger.sweep(10_000, 10_000);
    else if (step.do === "markLost") await ledger.markLost(id(step.slot), 5_000);
    else if (step.do === "reopen") await ledger.reopen(id(step.slot), known?.of.node ?? "");
    else if (step.do === "lose") await ledger.lose(id(step.slot), 6_000);
    else await ledger.release(id(step.slot), 6_000);
    return undefined;
  } catch (error) {
    return error instanceof BombyxError ? error.code : String(error);
  }
}

beforeAll(() => ready);

it("does what its model does, to the nano and to the code, whatever comes in whatever order", async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 60, size: "max" }), async (steps) => {
      const ledger = ledgerOn(openSqlite(":memory:", ledgerMigrations), 1_000);
      try {
        const model = new Model();
        const deposits = [0, 1, 2, 3].map(
          (to) => ({ do: "deposit", key: 10 + to, to, nano: firstNano }) as const,
        );
        for (const step of [...deposits, ...steps]) {
          const answered = await play(ledger, model, step);
          const expected = model.apply(step);
          expect(answered).toBe(expected);
          seen.set(
            `${step.do} ${answered ?? "done"}`,
            (seen.get(`${step.do} ${answered ?? "done"}`) ?? 0) + 1,
          );
          expect((await ledger.audit()).sumNano).toBe(0n);
        }
        for (const name of [0, 1, 2, 3]) {
          const { availableNano } = await ledger.balance(sponsorAccount(`${name}`));
          expect(availableNano).toBe(model.available(sponsorAccount(`${name}`)));
          expect(availableNano).toBeGreaterThanOrEqual(0n);
        }
        const paid = model.order.reduce(
          (sum, { state, paid }) => sum + (state === "settled" ? (paid?.units ?? 0) : 0),
          0,
        );
        const earned = [operatorAccount, nodeAccount(id32("node 0")), nodeAccount(id32("node 1"))];
        const balances = await Promise.all(earned.map((account) => ledger.balance(account)));
        expect(balances.reduce((sum, { availableNano }) => sum + availableNano, 0n)).toBe(7n * BigInt(paid));
      } finally {
        await ledger.close();
      }
    }),
    { numRuns: 100 },
  );
  // The steps must have met every answer that there is, or this test shows less than it says.
  const answers = [
    "deposit done",
    "deposit ALREADY_USED",
    "reserve done",
    "reserve ALREADY_USED",
    "reserve ATTEMPT_OPEN",
    "reserve ALLOWANCE_EXHAUSTED",
    "reserve BAD_REQUEST",
    "settle done",
    "settle RECEIPT_INVALID",
    "settle QUARANTINED",
    "lose done",
    "release done",
    "sweep done",
  ];
  expect(answers.filter((answer) => !seen.has(answer))).toEqual([]);
});
