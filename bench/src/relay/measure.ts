import type { Relay } from "./peers.ts";
import { cpuUs } from "./process-usage.ts";
import { median } from "./samples.ts";
import { type LoadResult, loadStreams } from "./stream-load.ts";

/** Latencies of a quiet relay: few streams, rounds interleaved over all relays so that noise hits each alike. */
export interface Latency {
  readonly ttftMs: number;
  readonly tokenMs: number;
}

export async function latencies(
  relays: readonly Relay[],
  load: { rounds: number; streams: number; tokens: number; gapMs: number },
): Promise<Map<string, Latency>> {
  const rounds = new Map<string, LoadResult[]>(relays.map(({ name }) => [name, []]));
  for (const { open } of relays) await loadStreams(open, { ...load, streams: 2, rampPerSecond: 10 });
  for (let round = 0; round < load.rounds; round++) {
    for (const { name, open } of relays) {
      rounds.get(name)?.push(await loadStreams(open, { ...load, rampPerSecond: 10 }));
    }
  }
  return new Map(
    [...rounds].map(([name, results]) => [
      name,
      {
        ttftMs: median(results.map(({ ttftMs }) => ttftMs.p50)),
        tokenMs: median(results.map(({ tokenMs }) => tokenMs.p50)),
      },
    ]),
  );
}

export interface Cost extends LoadResult {
  /** CPU of the relay per token that it carried, µs. */
  readonly cpuUsPerToken: number;
  /** Every token came, none after a pause of ten gaps, no stream failed. */
  readonly sustained: boolean;
}

/** CPU of a relay that carries `streams` paced streams at once. */
export async function cost(
  { open, pids }: Relay,
  load: { streams: number; tokens: number; gapMs: number },
): Promise<Cost> {
  const before = cpuUs(pids);
  const result = await loadStreams(open, { ...load, rampPerSecond: load.streams / 2 });
  return {
    ...result,
    cpuUsPerToken: (cpuUs(pids) - before) / Math.max(1, result.tokens),
    sustained: result.lost === 0 && result.failed === 0 && result.stalled === 0,
  };
}
