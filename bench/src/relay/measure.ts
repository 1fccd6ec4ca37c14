import type { Relay } from "./peers.ts";
import { loadCore } from "./pinned.ts";
import { busyShare, type CoreTicks, coreTicks, cpuUs } from "./process-usage.ts";
import { median } from "./samples.ts";
import { type LoadResult, loadStreams, type OpenStream } from "./stream-load.ts";

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
  for (const relay of relays) await loadStreams(relay, { ...load, streams: 2, rampPerSecond: 10 });
  for (let round = 0; round < load.rounds; round++) {
    for (const relay of relays) {
      rounds.get(relay.name)?.push(await loadStreams(relay, { ...load, rampPerSecond: 10 }));
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
  /** CPU of the relay per token that it carried while all streams ran, µs. */
  readonly cpuUsPerToken: number;
  /** How busy the core of sources and clients was meanwhile, 0 to 1: near 1, latencies are theirs and not the relay's. */
  readonly loadBusy: number;
  /** Every token came, none after a pause of ten gaps, no stream failed. */
  readonly sustained: boolean;
}

const rampMs = 2_000;
const marginMs = 500;

/**
 * CPU of a relay that carries `streams` paced streams at once, taken while all of them run: what begins
 * and ends a request is not part of a token's cost.
 */
export async function cost(
  { open, warm, pids }: Relay,
  load: { streams: number; tokens: number; gapMs: number },
): Promise<Cost> {
  let tokens = 0;
  await warm(load.streams);
  const marks: { cpuUs: number; tokens: number; load: CoreTicks }[] = [];
  const mark = () => marks.push({ cpuUs: cpuUs(pids), tokens, load: coreTicks(loadCore) });
  const timers = [
    setTimeout(mark, rampMs + marginMs),
    setTimeout(mark, Math.max(rampMs + 2 * marginMs, load.tokens * load.gapMs - marginMs)),
  ];
  const counted: OpenStream = (count, onStamp) =>
    open(count, (stampUs) => {
      tokens++;
      onStamp(stampUs);
    });
  const result = await loadStreams(
    { open: counted, warm: async () => {} },
    {
      ...load,
      rampPerSecond: (load.streams * 1_000) / rampMs,
    },
  );
  for (const timer of timers) clearTimeout(timer);
  const [begin, end] = marks;
  const spent =
    begin && end ? (end.cpuUs - begin.cpuUs) / Math.max(1, end.tokens - begin.tokens) : Number.NaN;
  return {
    ...result,
    cpuUsPerToken: spent,
    loadBusy: begin && end ? busyShare(begin.load, end.load) : Number.NaN,
    sustained: result.lost === 0 && result.failed === 0 && result.stalled === 0,
  };
}
