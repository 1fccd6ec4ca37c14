import {
  computeGasPrices,
  computeStorageFees,
  type GasLimitsPrices,
  type MsgPrices,
  type StoragePrices,
} from "@ton/ton";

/** The basechain's, as a network's configuration has them. */
export interface Prices {
  readonly gas: GasLimitsPrices;
  readonly messages: MsgPrices;
  readonly storage: StoragePrices[];
}

/** Code and data of a contract at most, and the gas of the empty message that deploys it (tests compare both). */
export interface Footprint {
  readonly bits: number;
  readonly cells: number;
  readonly arrivalGas: number;
}

export const footprints = {
  vault: { bits: 22_000, cells: 38, arrivalGas: 645 },
  registry: { bits: 120_000, cells: 620, arrivalGas: 745 },
} as const satisfies Record<string, Footprint>;

const fiveYearsSeconds = 5 * 365 * 24 * 3600;

/** Five years' rent at these prices, in nano. */
export function rentNano({ storage }: Prices, { bits, cells }: Footprint): bigint {
  const newest = storage.reduce((one, other) => (other.utime_since > one.utime_since ? other : one));
  const now = Number(newest.utime_since) + fiveYearsSeconds;
  return computeStorageFees({
    now,
    lastPaid: now - fiveYearsSeconds,
    storagePrices: [newest],
    storageStat: { bits, cells, publicCells: 0 },
    special: false,
    masterchain: false,
  });
}

/** What `gas` costs, in nano. */
export function gasNano({ gas: { flatLimit, flatGasPrice, other } }: Prices, gas: number): bigint {
  return computeGasPrices(BigInt(gas), { flatLimit, flatPrice: flatGasPrice, price: other.gasPrice });
}
