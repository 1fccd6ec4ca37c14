import { exactUnits } from "@bombyx/protocol/receipt";
import fc from "fast-check";
import { expect, it } from "vitest";
import { type Budget, completionTokensMax, promptTokensMax } from "./budget.ts";

const multiplier = fc.integer({ min: 1, max: 100_000 });
const budgets = fc.record({
  units: fc.integer({ min: 0, max: 10_000_000 }),
  coefficient: fc.integer({ min: 1, max: 10_000 }),
  continuation: fc.boolean(),
  price: fc
    .record({
      promptMultiplier: multiplier,
      cachedMultiplier: multiplier,
      completionMultiplier: multiplier,
      reasoningMultiplier: multiplier,
    })
    .map((multipliers) => ({ id: "", model: "m", nanoPerUnit: 1n, ...multipliers })),
});

/** Units when all output is of the dearer class. */
function worst(budget: Budget, promptTokens: number, completionTokens: number): bigint {
  const { price, continuation } = budget;
  const reasoning = price.reasoningMultiplier >= price.completionMultiplier;
  return exactUnits(
    {
      promptTokens,
      cachedTokens: price.cachedMultiplier >= price.promptMultiplier ? promptTokens : 0,
      completionTokens,
      reasoningTokens: reasoning ? completionTokens : 0,
      continuation,
    },
    budget.coefficient,
    price,
  );
}

it("pays for as many completion tokens as fit behind a prompt, and for not one more", () => {
  fc.assert(
    fc.property(budgets, fc.integer({ min: 0, max: 5_000 }), (budget, promptTokens) => {
      const tokens = completionTokensMax(budget, { promptTokens, cachedTokens: 0 });
      const spent = exactUnits(
        {
          promptTokens,
          cachedTokens: 0,
          completionTokens: 0,
          reasoningTokens: 0,
          continuation: budget.continuation,
        },
        budget.coefficient,
        budget.price,
      );
      if (spent > BigInt(budget.units)) expect(tokens).toBe(0);
      else {
        const { price, coefficient } = budget;
        const dearest =
          BigInt(coefficient) * BigInt(Math.max(price.completionMultiplier, price.reasoningMultiplier));
        expect(spent + (BigInt(tokens) * dearest) / 10_000_000n).toBeLessThanOrEqual(BigInt(budget.units));
        expect(spent + (BigInt(tokens + 1) * dearest) / 10_000_000n).toBeGreaterThan(BigInt(budget.units));
      }
    }),
  );
});

it("admits no prompt that leaves no token, and none is refused that does", () => {
  fc.assert(
    fc.property(budgets, (budget) => {
      const paid = { ...budget, continuation: false };
      const tokens = promptTokensMax(paid, 1);
      if (tokens > 0) expect(worst(paid, tokens, 1)).toBeLessThanOrEqual(BigInt(budget.units));
      expect(worst(paid, tokens + 1, 1)).toBeGreaterThan(BigInt(budget.units));
    }),
  );
});

it("bounds no prompt of a continuation, which was paid before", () => {
  fc.assert(
    fc.property(budgets, (budget) => {
      expect(promptTokensMax({ ...budget, continuation: true }, 1)).toBe(Number.MAX_SAFE_INTEGER);
    }),
  );
});
