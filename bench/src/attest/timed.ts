import type { Sample } from "./sample.ts";

/** ms: the first call, and each of those behind it. */
export interface Timings {
  readonly first: number;
  readonly warm: readonly number[];
}

export const bytesOf = (base64: string): Uint8Array<ArrayBuffer> =>
  Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** Calls `verify` once, warms it up, then times `rounds` calls one by one. */
export async function timed(verify: () => unknown, rounds: number): Promise<Timings> {
  const one = async () => {
    const from = performance.now();
    await verify();
    return performance.now() - from;
  };
  const first = await one();
  for (let i = 0; i < rounds / 4; i++) await one();
  const warm: number[] = [];
  for (let i = 0; i < rounds; i++) warm.push(await one());
  return { first, warm };
}

/** What a contender's entry hangs on the global object of its page or process. */
export type Run = (sample: Sample, rounds: number) => Promise<Timings>;
