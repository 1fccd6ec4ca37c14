import type { Price } from "../wire/price.ts";
import type { ReceiptDetail } from "../wire/sealed-content.ts";

/** Clear receipts round up to this many units, so that they do not tell token counts. */
export const unitStep = 64n;

export type TokenCounts = Pick<
  ReceiptDetail,
  "promptTokens" | "cachedTokens" | "completionTokens" | "reasoningTokens" | "continuation"
>;
type Rates = Pick<
  Price,
  "promptMultiplier" | "cachedMultiplier" | "completionMultiplier" | "reasoningMultiplier"
>;

const classUnits = (tokens: number, coefficient: number, multiplier: number): bigint =>
  (BigInt(tokens) * BigInt(coefficient) * BigInt(multiplier)) / 10_000_000n;

/**
 * Units of one answer (SETTLEMENT, "Off chain"): per class of tokens
 * floor(tokens × coefficient / 1000 × multiplier / 10000). A continuation pays for what it adds only.
 * @throws RangeError when counts contradict each other.
 */
export function exactUnits(counts: TokenCounts, coefficient: number, price: Rates): bigint {
  const prompt = counts.promptTokens - counts.cachedTokens;
  const completion = counts.completionTokens - counts.reasoningTokens;
  if (prompt < 0 || completion < 0) throw new RangeError("cached or reasoning tokens exceed their whole");
  const output =
    classUnits(completion, coefficient, price.completionMultiplier) +
    classUnits(counts.reasoningTokens, coefficient, price.reasoningMultiplier);
  if (counts.continuation) return output;
  return (
    classUnits(prompt, coefficient, price.promptMultiplier) +
    classUnits(counts.cachedTokens, coefficient, price.cachedMultiplier) +
    output
  );
}

/**
 * Billed units: {@link exactUnits} rounded up to {@link unitStep}; a continuation's are rounded down,
 * because the attempt that it takes over from was rounded up: in parts, an answer never costs more than whole.
 * @throws RangeError when counts contradict each other, or above the integers that JSON holds exactly.
 */
export function billedUnits(counts: TokenCounts, coefficient: number, price: Rates): number {
  const units = exactUnits(counts, coefficient, price);
  const roundUp = counts.continuation ? 0n : unitStep - 1n;
  const billed = Number(((units + roundUp) / unitStep) * unitStep);
  if (!Number.isSafeInteger(billed)) throw new RangeError(`${units} units are more than a receipt can hold`);
  return billed;
}

/**
 * What a request of this padded size and declared maximum can cost at most: a token is at least one
 * byte of the request. The gateway reserves it, client and node compute the same.
 */
export function capUnits(
  request: { bucketBytes: number; maxTokens: number; continuation: boolean },
  coefficient: number,
  price: Rates,
): number {
  const worstCompletion = price.completionMultiplier >= price.reasoningMultiplier ? 0 : request.maxTokens;
  return billedUnits(
    {
      promptTokens: request.bucketBytes,
      cachedTokens: 0,
      completionTokens: request.maxTokens,
      reasoningTokens: worstCompletion,
      continuation: request.continuation,
    },
    coefficient,
    price,
  );
}

/** nanoTON for units. */
export const unitsToNano = (units: number, price: Pick<Price, "nanoPerUnit">): bigint =>
  BigInt(units) * price.nanoPerUnit;
