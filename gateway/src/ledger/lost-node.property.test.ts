import { billedUnits, capUnits, exactUnits, ready, unitStep } from "@bombyx/protocol/receipt";
import type { Price } from "@bombyx/protocol/wire";
import fc from "fast-check";
import { beforeAll, expect, it } from "vitest";
import { attempt, id32, receiptFor } from "../../test/attempts.ts";
import { openSqlite } from "../store/sqlite.ts";
import { ledgerOn } from "./call-ledger.ts";
import { type Attempt, nodeAccount, operatorAccount } from "./index.ts";
import { ledgerMigrations } from "./schema.ts";

const payer = "sponsor:acme";
const deposited = 10n ** 15n;
const feeBps = 1_000;

const multiplier = fc.integer({ min: 0, max: 100_000 });
const answer = fc
  .record({
    promptTokens: fc.integer({ min: 1, max: 1_000 }),
    cached: fc.double({ min: 0, max: 1, noNaN: true }),
    completionTokens: fc.integer({ min: 1, max: 1_024 }),
    reasoning: fc.double({ min: 0, max: 1, noNaN: true }),
    coefficient: fc.integer({ min: 1, max: 5_000 }),
    nanoPerUnit: fc.bigInt({ min: 1n, max: 50n }),
    promptMultiplier: multiplier,
    cachedDiscount: fc.integer({ min: 1, max: 20 }),
    completionMultiplier: multiplier,
    reasoningMultiplier: multiplier,
  })
  .chain((price) =>
    fc.record({
      price: fc.constant(price),
      // After how many delivered tokens each node is lost; the last one finishes.
      losses: fc.array(fc.integer({ min: 0, max: price.completionTokens }), { maxLength: 4 }),
      // Whether the client names the loss before it asks again, or leaves it to the next attempt.
      presented: fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }),
    }),
  );

beforeAll(() => ready);

it("pays each delivered token once and each node its part, and never more than one uninterrupted answer", async () => {
  let handovers = 0;
  await fc.assert(
    fc.asyncProperty(answer, async ({ price: random, losses, presented }) => {
      const { promptTokens, completionTokens, coefficient, nanoPerUnit } = random;
      const cachedMultiplier = Math.floor(random.promptMultiplier / random.cachedDiscount);
      const price: Price = { ...random, cachedMultiplier, id: id32("price").slice(0, 32), model: "spark" };
      const cachedTokens = Math.floor(promptTokens * random.cached);
      const reasoningTokens = Math.floor(completionTokens * random.reasoning);
      const countsOf = (from: number, to: number, continuation: boolean) => ({
        promptTokens,
        cachedTokens,
        completionTokens: to - from,
        // Reasoning comes first.
        reasoningTokens: Math.min(to, reasoningTokens) - Math.min(from, reasoningTokens),
        continuation,
      });
      const bucket = { bucketBytes: 4_096, maxTokens: 1_024 };
      const ledger = ledgerOn(openSqlite(":memory:", ledgerMigrations), feeBps);
      try {
        await ledger.deposit({ key: "allowance", account: payer, nano: deposited, at: 0 });
        const stops = [...losses.toSorted((a, b) => a - b), completionTokens];
        let delivered = 0;
        let before: Attempt | undefined;
        let exact = 0n;
        const parts: { node: string; nodeNano: bigint; chargedNano: bigint }[] = [];
        for (const [n, stop] of stops.entries()) {
          const of = attempt({
            session: id32(`session ${n}`),
            node: id32(`node ${n}`),
            attestationId: id32(`attestation ${n}`),
            nanoPerUnit,
            coefficient,
            capUnits: capUnits({ ...bucket, continuation: false }, coefficient, price),
            continuationCapUnits: capUnits({ ...bucket, continuation: true }, coefficient, price),
            // A client names the attempt that began the answer; with nothing delivered it just asks again.
            ...(before !== undefined && delivered > 0 && { lostAttempt: before }),
          });
          const { continuation, capUnits: cap } = await ledger.reserve(of);
          if (continuation) handovers++;
          const finished = n === stops.length - 1;
          const counts = countsOf(delivered, stop, continuation);
          const units = billedUnits(counts, coefficient, price);
          const receipt = receiptFor(of, {
            units,
            capUnits: cap,
            ceilingUnits: cap,
            finish: finished ? "done" : "running",
            frames: stop - delivered + 1,
          });
          if (finished) {
            const settlement = await ledger.settle(receipt, 2_000);
            parts.push({ node: of.node, ...settlement });
            exact += exactUnits(counts, coefficient, price);
          } else {
            await ledger.markLost(of, 2_000);
            if (stop > delivered) {
              await ledger.settle(receipt, 2_000);
              if (presented[n]) await ledger.lose(of, 2_000);
              exact += exactUnits(counts, coefficient, price);
              parts.push({
                node: of.node,
                chargedNano: BigInt(units) * nanoPerUnit,
                nodeNano:
                  BigInt(units) * nanoPerUnit - (BigInt(units) * nanoPerUnit * BigInt(feeBps)) / 10_000n,
              });
              before = of;
            } else {
              await ledger.lose(of, 2_000);
            }
          }
          delivered = stop;
        }

        const { availableNano, reservedNano } = await ledger.balance(payer);
        const charged = deposited - availableNano;
        const whole = billedUnits(countsOf(0, completionTokens, false), coefficient, price);
        expect(reservedNano).toBe(0n);
        expect(charged).toBeLessThanOrEqual(BigInt(whole) * nanoPerUnit);
        // Nor less than what was delivered, but for the rounding at each handover.
        expect(charged).toBeGreaterThanOrEqual((exact - unitStep * BigInt(parts.length)) * nanoPerUnit);
        expect(parts.reduce((sum, part) => sum + part.chargedNano, 0n)).toBe(charged);
        for (const { node, nodeNano } of parts) {
          expect((await ledger.balance(nodeAccount(node))).availableNano).toBe(nodeNano);
        }
        const fees = parts.reduce((sum, part) => sum + part.chargedNano - part.nodeNano, 0n);
        expect((await ledger.balance(operatorAccount)).availableNano).toBe(fees);
        expect(await ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
      } finally {
        await ledger.close();
      }
    }),
    { numRuns: 150 },
  );
  expect(handovers).toBeGreaterThan(25);
});
