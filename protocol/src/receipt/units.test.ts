import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Price } from "../wire/index.ts";
import { billedUnits, capUnits, exactUnits, type TokenCounts, unitsToNano } from "./index.ts";

const price: Price = {
  id: "00".repeat(16),
  model: "spark",
  nanoPerUnit: 20n,
  promptMultiplier: 10_000,
  cachedMultiplier: 1_000,
  completionMultiplier: 80_000,
  reasoningMultiplier: 80_000,
};
const counts: TokenCounts = {
  promptTokens: 34,
  cachedTokens: 11,
  completionTokens: 100,
  reasoningTokens: 10,
  continuation: false,
};

describe("units", () => {
  it("of the settlement vector are 1,235, which cost 24,700 nano", () => {
    expect(exactUnits(counts, 1_500, price)).toBe(1_235n);
    expect(unitsToNano(1_235, price)).toBe(24_700n);
  });

  it("in a clear receipt are rounded up to 64, so that they do not tell token counts", () => {
    expect(billedUnits(counts, 1_500, price)).toBe(1_280);
    expect(billedUnits({ ...counts, completionTokens: 101 }, 1_500, price)).toBe(1_280);
  });

  it("of nothing are nothing", () => {
    const nothing = { ...counts, promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 };
    expect(billedUnits(nothing, 1_500, price)).toBe(0);
  });

  it("of a continuation leave out the prompt, which the lost attempt paid", () => {
    expect(exactUnits({ ...counts, continuation: true }, 1_500, price)).toBe(1_080n + 120n);
  });

  it.each([{ cachedTokens: 35 }, { reasoningTokens: 101 }])(
    "of counts that contradict each other (%o) do not exist",
    (wrong) => {
      expect(() => exactUnits({ ...counts, ...wrong }, 1_500, price)).toThrow(RangeError);
    },
  );

  it("of a number are exact up to the last integer that JSON holds, and refused above it", () => {
    const most = {
      ...counts,
      promptTokens: 0,
      cachedTokens: 0,
      completionTokens: 10_000,
      reasoningTokens: 0,
    };
    expect(() => billedUnits(most, Number.MAX_SAFE_INTEGER, price)).toThrow(RangeError);
  });
});

const anyCounts = fc
  .record({
    promptTokens: fc.nat(262_144),
    completionTokens: fc.nat(65_536),
    cachedShare: fc.double({ min: 0, max: 1, noNaN: true }),
    reasoningShare: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ promptTokens, completionTokens, cachedShare, reasoningShare }) => ({
    promptTokens,
    cachedTokens: Math.floor(promptTokens * cachedShare),
    completionTokens,
    reasoningTokens: Math.floor(completionTokens * reasoningShare),
    continuation: false,
  }));
const anyPrice = fc
  .record({
    promptMultiplier: fc.nat(200_000),
    cachedMultiplier: fc.nat(200_000),
    completionMultiplier: fc.nat(200_000),
    reasoningMultiplier: fc.nat(200_000),
  })
  // Cached tokens are never dearer than others: the cap rests on it.
  .map((rates) => ({ ...rates, cachedMultiplier: Math.min(rates.cachedMultiplier, rates.promptMultiplier) }));
const anyCoefficient = fc.integer({ min: 1, max: 100_000 });

describe("the cap", () => {
  it("is never below what a request of its size can cost", () => {
    fc.assert(
      fc.property(anyCounts, anyPrice, anyCoefficient, (used, rates, coefficient) => {
        const cap = capUnits(
          { bucketBytes: 262_144, maxTokens: 65_536, continuation: false },
          coefficient,
          rates,
        );
        expect(billedUnits(used, coefficient, rates)).toBeLessThanOrEqual(cap);
      }),
    );
  });

  it("is reached by a request that uses all of it", () => {
    const cap = capUnits({ bucketBytes: 1_024, maxTokens: 256, continuation: false }, 1_000, price);
    const all = {
      ...counts,
      promptTokens: 1_024,
      cachedTokens: 0,
      completionTokens: 256,
      reasoningTokens: 0,
    };
    expect(billedUnits(all, 1_000, price)).toBe(cap);
  });
});

describe("an answer in two parts", () => {
  it("never costs more than the whole one", () => {
    fc.assert(
      fc.property(
        anyCounts,
        anyPrice,
        anyCoefficient,
        fc.double({ min: 0, max: 1, noNaN: true }),
        (whole, rates, coefficient, at) => {
          const completionTokens = Math.floor(whole.completionTokens * at);
          const reasoningTokens = Math.min(whole.reasoningTokens, completionTokens);
          const first = { ...whole, completionTokens, reasoningTokens };
          const rest = {
            ...whole,
            completionTokens: whole.completionTokens - completionTokens,
            reasoningTokens: whole.reasoningTokens - reasoningTokens,
            continuation: true,
          };
          fc.pre(rest.reasoningTokens <= rest.completionTokens);
          const inParts = billedUnits(first, coefficient, rates) + billedUnits(rest, coefficient, rates);
          expect(inParts).toBeLessThanOrEqual(billedUnits(whole, coefficient, rates));
        },
      ),
    );
  });
});
