/** What an estimate assumes: a model of eight billion parameters at four bit, its weights read once per step. */
export const estimateModel = { parametersBillion: 8, weightsGB: 5 } as const;

/** Of the memory's bandwidth on the data sheet, what an engine reaches. */
const reached = 0.6;
/** How much more eight answers at once yield than one. */
const batchGain = 2.5;

export interface EarningEstimate {
  /** Tokens per second of all answers together, while it is busy. */
  readonly tokensPerSecond: number;
  /** Owner's part for one day, nanoTON, when requests keep it busy for `low` or `high` of its hours. */
  readonly lowNano: bigint;
  readonly highNano: bigint;
}

/** Share of the hours that requests keep a machine busy, in percent: demand is nobody's promise. */
export const busyPercent = { low: 5, high: 50 } as const;

/**
 * What a machine may earn in a day at a gateway's own price, output tokens only. An estimate and no promise:
 * the bandwidth of the data sheet, one example model, and a guess of demand.
 */
export function estimateDay({
  bandwidthGBs,
  hoursPerDay,
  price,
  ownerShareBps,
}: {
  bandwidthGBs: number;
  hoursPerDay: number;
  /** Of a unit, and units of an output token in 1/10000. */
  price: { nanoPerUnit: bigint; completionMultiplier: number };
  ownerShareBps: number;
}): EarningEstimate {
  const tokensPerSecond = Math.round((bandwidthGBs / estimateModel.weightsGB) * reached * batchGain);
  const tokens = BigInt(tokensPerSecond) * BigInt(Math.round(hoursPerDay * 3_600));
  const fullNano =
    (tokens * price.nanoPerUnit * BigInt(price.completionMultiplier) * BigInt(ownerShareBps)) / 100_000_000n;
  return {
    tokensPerSecond,
    lowNano: (fullNano * BigInt(busyPercent.low)) / 100n,
    highNano: (fullNano * BigInt(busyPercent.high)) / 100n,
  };
}
