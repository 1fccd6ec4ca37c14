import { exactUnits, type TokenCounts } from "@bombyx/protocol/receipt";
import type { Price } from "@bombyx/protocol/wire";

/**
 * How far a request's money goes, in tokens. `units` is the lower of the gateway's cap and the
 * client's ceiling; classes of tokens are taken at the dearer of their prices.
 */
export interface Budget {
  readonly units: number;
  readonly coefficient: number;
  readonly price: Price;
  /** Prompt and cached tokens were paid with the attempt that was lost. */
  readonly continuation: boolean;
}

const scale = 10_000_000n;

/** The most tokens whose floor(tokens × coefficient × multiplier / 10^7) stays within `units`. */
function tokensWithin(units: bigint, coefficient: number, multiplier: number): number {
  const rate = BigInt(coefficient) * BigInt(multiplier);
  if (units < 0n) return 0;
  if (rate === 0n) return Number.MAX_SAFE_INTEGER;
  const tokens = ((units + 1n) * scale - 1n) / rate;
  return tokens > BigInt(Number.MAX_SAFE_INTEGER) ? Number.MAX_SAFE_INTEGER : Number(tokens);
}

/** Largest prompt that is run at all: `completionTokens` more must still fit behind it. */
export function promptTokensMax(budget: Budget, completionTokens: 0 | 1): number {
  if (budget.continuation) return Number.MAX_SAFE_INTEGER;
  const { price, coefficient } = budget;
  const output = BigInt(completionTokens) * BigInt(coefficient) * BigInt(outputMultiplier(price));
  const rest = BigInt(budget.units) - output / scale;
  return tokensWithin(rest, coefficient, Math.max(price.promptMultiplier, price.cachedMultiplier));
}

/** Completion tokens that the budget pays for behind this prompt. */
export function completionTokensMax(
  budget: Budget,
  prompt: Pick<TokenCounts, "promptTokens" | "cachedTokens">,
): number {
  const { price, coefficient, continuation } = budget;
  const spent = exactUnits(
    { ...prompt, completionTokens: 0, reasoningTokens: 0, continuation },
    coefficient,
    price,
  );
  return tokensWithin(BigInt(budget.units) - spent, coefficient, outputMultiplier(price));
}

const outputMultiplier = (price: Price): number =>
  Math.max(price.completionMultiplier, price.reasoningMultiplier);
