/** p50 and p99 of a list; NaN-free: an empty list gives 0. */
export function quantiles(values: readonly number[]): { p50: number; p99: number } {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { p50: at(0.5), p99: at(0.99) };
}

export const median = (values: readonly number[]): number => quantiles(values).p50;
