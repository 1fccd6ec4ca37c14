/** One figure beside what it has to reach. */
export interface Goal {
  readonly name: string;
  readonly measured: number;
  readonly unit: string;
  readonly limit: number;
  readonly holds: boolean;
}

const round = (value: number): number => Number(value.toPrecision(4));

export const atMost = (name: string, measured: number, limit: number, unit: string): Goal => ({
  name,
  measured: round(measured),
  unit,
  limit: round(limit),
  holds: measured <= limit,
});

export const atLeast = (name: string, measured: number, limit: number, unit: string): Goal => ({
  name,
  measured: round(measured),
  unit,
  limit: round(limit),
  holds: measured >= limit,
});
