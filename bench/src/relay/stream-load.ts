import { nowUs } from "./clock.ts";
import { quantiles } from "./samples.ts";

/** One streamed answer: calls `onStamp` with each token's stamp, resolves at its end, rejects when cut. */
export type OpenStream = (tokens: number, onStamp: (stampUs: number) => void) => Promise<void>;

export interface Streams {
  readonly open: OpenStream;
  /** Opens so many connections, so that none is opened while it is measured. */
  readonly warm: (connections: number) => Promise<void>;
}

export interface LoadResult {
  readonly ttftMs: { p50: number; p99: number };
  /** From the source's write to the client's read, tokens after the first. */
  readonly tokenMs: { p50: number; p99: number };
  readonly tokens: number;
  readonly lost: number;
  readonly failed: number;
  /** Why the first of them failed. */
  readonly failure: string | undefined;
  /** Streams with a pause above ten gaps. */
  readonly stalled: number;
  readonly wallMs: number;
}

/** Opens `streams` answers, `rampPerSecond` new ones a second, and waits for all. */
export async function loadStreams(
  { open, warm }: Streams,
  load: { streams: number; tokens: number; gapMs: number; rampPerSecond: number },
): Promise<LoadResult> {
  await warm(load.streams);
  const ttft: number[] = [];
  const latency: number[] = [];
  let received = 0;
  let failed = 0;
  let failure: string | undefined;
  let stalled = 0;
  const startedAt = performance.now();
  const one = async (index: number): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, (index * 1_000) / load.rampPerSecond));
    const sentUs = nowUs();
    let previousUs = 0;
    let worstUs = 0;
    try {
      await open(load.tokens, (stampUs) => {
        const atUs = nowUs();
        received++;
        if (previousUs === 0) ttft.push((atUs - sentUs) / 1_000);
        else {
          latency.push((atUs - stampUs) / 1_000);
          worstUs = Math.max(worstUs, atUs - previousUs);
        }
        previousUs = atUs;
      });
    } catch (error) {
      failed++;
      failure ??= String(error);
    }
    if (worstUs > load.gapMs * 10_000) stalled++;
  };
  await Promise.all(Array.from({ length: load.streams }, (_, index) => one(index)));
  return {
    ttftMs: quantiles(ttft),
    tokenMs: quantiles(latency),
    tokens: received,
    lost: load.streams * load.tokens - received,
    failed,
    failure,
    stalled,
    wallMs: performance.now() - startedAt,
  };
}
