import { fileURLToPath } from "node:url";
import { type BombyxRelay, bombyxRelay } from "./bombyx-relay.ts";
import { atLeast, atMost, type Goal } from "./goals.ts";
import { idleLinkBytes } from "./idle-links.ts";
import { type Cost, cost, latencies } from "./measure.ts";
import { directRelay, nginxRelay, portkeyRelay, type Relay } from "./peers.ts";
import { loadCore, pinSelf, relayCore, startPinned } from "./pinned.ts";

const sseSource = fileURLToPath(new URL("./sse-source.ts", import.meta.url));
const ledgerRate = fileURLToPath(new URL("./ledger-rate.ts", import.meta.url));
/** 20 tokens/s. A private tick of 80 ms carries 1.6 of them per frame. */
const tokenGapMs = 50;
const tickMs = 80;
const tokensPerTick = tickMs / tokenGapMs;
const frames = 160;
const quiet = { rounds: 2, streams: 10, tokens: frames, gapMs: tokenGapMs };

export interface RelayReport {
  readonly figures: Record<string, number>;
  readonly goals: readonly Goal[];
  readonly missing: readonly string[];
}

/** Direct, nginx, Portkey and ours, side by side in one run. `say` is told what is being measured. */
export async function benchRelay(say: (line: string) => void): Promise<RelayReport> {
  const missing: string[] = [];
  if (!pinSelf()) missing.push("taskset, or a second core: relay and load share one");
  const figures: Record<string, number> = {};
  const goals: Goal[] = [];
  const reach = (...reached: Goal[]): void => {
    goals.push(...reached);
    for (const { name, measured, unit } of reached) say(`  ${name}: ${measured} ${unit}`);
  };
  const source = await startPinned(loadCore, [process.execPath, sseSource], { GAP_MS: String(tokenGapMs) });
  const sourceUrl = `http://127.0.0.1:${source.ready.port}`;
  const running: Relay[] = [];
  const began = async <T extends Relay>(
    relay: Promise<T | undefined>,
    name: string,
  ): Promise<T | undefined> => {
    const up = await relay;
    if (up) running.push(up);
    else missing.push(name);
    return up;
  };
  try {
    const direct = directRelay(sourceUrl);
    const nginx = await began(nginxRelay(sourceUrl), "nginx (Debian: apt-get install nginx-light)");
    const portkey = await began(portkeyRelay(sourceUrl), "@portkey-ai/gateway (npm ci --prefix bench/peers)");
    say("opening sessions with our gateway");
    const [plain, sealed] = [
      await began(bombyxRelay({ sealed: false, gapMs: tokenGapMs, frames, sessions: 1_000 }), "ours"),
      await began(bombyxRelay({ sealed: true, gapMs: tokenGapMs, frames, sessions: 500 }), "ours"),
    ] as [BombyxRelay, BombyxRelay];
    const peers = [direct, nginx, portkey].filter((relay) => relay !== undefined);

    say("latency: two interleaved rounds of ten streams");
    const latency = await latencies([...peers, plain, sealed], quiet);
    const of = (relay: Relay | undefined) =>
      latency.get(relay?.name ?? "") ?? { ttftMs: Number.NaN, tokenMs: Number.NaN };
    for (const [name, { ttftMs, tokenMs }] of latency) {
      figures[`${name}: TTFT p50, ms`] = ttftMs;
      figures[`${name}: token p50, ms`] = tokenMs;
    }
    const addedTtft = (relay: Relay | undefined) => of(relay).ttftMs - of(direct).ttftMs;
    reach(
      atMost("added TTFT p50", addedTtft(sealed), 5, "ms"),
      atMost("added token latency p50", of(sealed).tokenMs - of(direct).tokenMs, 0.5, "ms"),
      atMost("sealed against plain, TTFT p50", of(sealed).ttftMs - of(plain).ttftMs, 2, "ms"),
    );
    if (portkey)
      reach(atMost("added TTFT p50, ours / Portkey", addedTtft(sealed) / addedTtft(portkey), 0.25, "×"));

    say("CPU at 500 streams of 20 tokens/s, two interleaved rounds");
    const busy = { streams: 500, tokens: frames, gapMs: tokenGapMs };
    const costs = new Map<string, Cost[]>();
    for (let round = 0; round < 2; round++) {
      for (const relay of [nginx, portkey, plain, sealed]) {
        if (relay) costs.set(relay.name, [...(costs.get(relay.name) ?? []), await cost(relay, busy)]);
      }
    }
    const cpu = (relay: Relay | undefined): number =>
      Math.min(...(costs.get(relay?.name ?? "") ?? []).map(({ cpuUsPerToken }) => cpuUsPerToken));
    for (const [name, results] of costs) {
      figures[`${name}: CPU per token at 500 streams, µs`] = Math.min(
        ...results.map((one) => one.cpuUsPerToken),
      );
      figures[`${name}: token p50 at 500 streams, ms`] = Math.min(...results.map((one) => one.tokenMs.p50));
      figures[`${name}: lost tokens at 500 streams`] = Math.max(...results.map((one) => one.lost));
    }
    reach(
      atMost("gateway CPU per token at 500 streams", cpu(sealed), 30, "µs"),
      atMost("gateway CPU, sealed / plain", cpu(sealed) / cpu(plain), 1.1, "×"),
    );
    if (nginx) reach(atMost("gateway CPU, ours / nginx", cpu(sealed) / cpu(nginx), 2, "×"));
    if (portkey) reach(atMost("gateway CPU, ours / Portkey", cpu(sealed) / cpu(portkey), 0.33, "×"));

    say("the ledger while 500 streams run");
    const [streams, pairs] = await Promise.all([cost(sealed, busy), ledgerPairsPerSecond(8_000)]);
    figures["ledger: reserve and settle pairs/s beside 500 streams"] = pairs;
    reach(
      atLeast("ledger, reserve + settle beside 500 streams", pairs, 2_000, "/s"),
      atMost("tokens lost meanwhile", streams.lost, 0, ""),
    );

    say("1,000 streams on one core");
    // Not sealed: the gateway cannot tell, and a thousand clients' and nodes' sealing does not fit on the load's core.
    const many = await cost(plain, { ...busy, streams: 1_000 });
    figures["bombyx plain: CPU per token at 1,000 streams, µs"] = many.cpuUsPerToken;
    figures["bombyx plain: token p50 at 1,000 streams, ms"] = many.tokenMs.p50;
    figures["bombyx plain: streams of 1,000 with a pause above ten gaps"] = many.stalled;
    reach(
      atLeast("streams sustained on one core", many.sustained ? 1_000 : 0, 1_000, ""),
      atMost("frames lost at 1,000 streams", many.lost, 0, ""),
    );
    if (portkey) {
      const theirs = await mostSustained(portkey, [250, 300, 350, 450, 600], busy);
      figures[`${portkey.name}: streams sustained`] = theirs;
      reach(atLeast("streams sustained, ours / Portkey", (many.sustained ? 1_000 : 0) / theirs, 3, "×"));
    }

    say("idle node links");
    const bytes = await idleLinkBytes(sealed.network, 1_000);
    figures["bombyx: resident bytes per idle node link"] = bytes;
    reach(atMost("memory per idle node link", bytes / 1_000, 10, "kB"));

    say("the private tick of 80 ms");
    const ticking = await bombyxRelay({
      sealed: true,
      gapMs: tickMs,
      frames: frames / tokensPerTick,
      sessions: 500,
    });
    running.push(ticking);
    const tickLoad = { tokens: frames / tokensPerTick, gapMs: tickMs };
    const tick = await latencies([ticking], { ...quiet, ...tickLoad });
    const tickLatency = tick.get(ticking.name) ?? { ttftMs: Number.NaN, tokenMs: Number.NaN };
    figures["bombyx tick 80: TTFT p50, ms"] = tickLatency.ttftMs;
    figures["bombyx tick 80: frame p50, ms"] = tickLatency.tokenMs;
    const tickCost = await cost(ticking, { ...tickLoad, streams: 500 });
    figures["bombyx tick 80: CPU per token at 500 streams, µs"] = tickCost.cpuUsPerToken / tokensPerTick;
    reach(
      atMost("tick 80: added TTFT p50", tickLatency.ttftMs - of(direct).ttftMs, 5, "ms"),
      atMost(
        "tick 80: gateway CPU per token at 500 streams",
        tickCost.cpuUsPerToken / tokensPerTick,
        30,
        "µs",
      ),
    );
    return { figures, goals, missing };
  } finally {
    await Promise.all(running.map((relay) => relay.stop()));
    await source.stop();
  }
}

/** The most streams of the list that the relay carries without loss, stall or failure; it stops at the first that fails. */
async function mostSustained(
  relay: Relay,
  counts: readonly number[],
  load: { tokens: number; gapMs: number },
): Promise<number> {
  let most = 1;
  for (const streams of counts) {
    const { sustained } = await cost(relay, { ...load, streams });
    if (!sustained) break;
    most = streams;
  }
  return most;
}

/** The gateway keeps its ledger in a thread of its own process: it has the relay's core, not the load's. */
async function ledgerPairsPerSecond(pairs: number): Promise<number> {
  const ledger = await startPinned(relayCore, [process.execPath, "-C", "bombyx-source", ledgerRate], {
    PAIRS: String(pairs),
  });
  await ledger.stop();
  return Number(ledger.ready.pairsPerSecond);
}
