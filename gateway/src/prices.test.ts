import { exactUnits, priceId, ready, unitsToNano } from "@bombyx/protocol/receipt";
import type { Price } from "@bombyx/protocol/wire";
import { beforeAll, describe, expect, it } from "vitest";
import { builtInPrice, PriceList } from "./prices.ts";

const counts = {
  promptTokens: 34,
  cachedTokens: 11,
  completionTokens: 100,
  reasoningTokens: 10,
  continuation: false,
};
const dear = { model: "oak", ...builtInPrice, nanoPerUnit: 75n, completionMultiplier: 160_000 };

beforeAll(() => ready);

describe("a price list", () => {
  it("has the settlement's vector as its default: 1,235 units, 24,700 nano at a coefficient of 1.5", () => {
    const price = new PriceList([]).for("any");
    const units = exactUnits(counts, 1_500, price);
    expect(units).toBe(1_235n);
    expect(unitsToNano(Number(units), price)).toBe(24_700n);
    // The node's coefficient is part of the units: at 1.0 the same answer is cheaper.
    expect(exactUnits(counts, 1_000, price)).toBe(824n);
  });

  it("asks of each model its own row, every class of tokens by its own multiplier", () => {
    const prices = new PriceList([dear]);
    expect(prices.for("oak")).toMatchObject(dear);
    expect(prices.for("elm")).toMatchObject({ model: "elm", ...builtInPrice });
    const only = (changes: Partial<typeof counts>) =>
      exactUnits(
        {
          promptTokens: 0,
          cachedTokens: 0,
          completionTokens: 0,
          reasoningTokens: 0,
          continuation: false,
          ...changes,
        },
        1_000,
        prices.for("oak"),
      );
    expect(only({ promptTokens: 100 })).toBe(100n);
    expect(only({ promptTokens: 100, cachedTokens: 100 })).toBe(10n);
    expect(only({ completionTokens: 100 })).toBe(1_600n);
    expect(only({ completionTokens: 100, reasoningTokens: 100 })).toBe(800n);
  });

  it("knows a row by its content, tells of each once, and offers no other", () => {
    const told: Price[] = [];
    const prices = new PriceList([dear], builtInPrice, (price) => told.push(price));
    const elm = prices.for("elm");
    prices.for("elm");
    expect(told.map(({ model }) => model)).toEqual(["oak", "elm"]);
    const { id, ...row } = elm;
    expect(id).toBe(priceId(row));
    expect(prices.byId(id)).toBe(elm);
    expect(prices.byId("00".repeat(16))).toBeUndefined();
    expect(prices.rows()).toHaveLength(2);
  });
});
