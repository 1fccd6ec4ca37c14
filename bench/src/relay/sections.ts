import { fileURLToPath } from "node:url";
import { type Contenders, streamTokens, tickMs, tokenGapMs, tokensPerTick } from "./contenders.ts";
import { atLeast, atMost, type Goal } from "./goals.ts";
import { idleLinkBytes } from "./idle-links.ts";
import { type Cost, cost, type Latency, latencies } from "./measure.ts";
import type { Relay } from "./peers.ts";
import { relayCore, startPinned } from "./pinned.ts";

export interface Bench {
  readonly contenders: Contenders;
  readonly figures: Record<string, number>;
  readonly reach: (...goals: Goal[]) => void;
  readonly say: (line: string) => void;
  /** What a reader of the figures has to know about them. */
  readonly note: (line: string) => void;
}

/** Above this share, what is late may be late in the load's own core. */
const saturated = 0.95;

/** Says where a figure is the load's as much as the relay's, and why streams failed. */
function annotate({ note }: Bench, { name }: Relay, streams: number, one: Cost): void {
  if (one.loadBusy > saturated)
    note(
      `${name} at ${streams} streams: the load's core was ${Math.round(one.loadBusy * 100)} % busy, pauses and latencies may be its own`,
    );
  if (one.failure !== undefined) note(`${name} at ${streams} streams: ${one.failed} failed: ${one.failure}`);
}

const quiet = { rounds: 3, streams: 10, tokens: 40, gapMs: tokenGapMs };
const busy = { streams: 500, tokens: streamTokens, gapMs: tokenGapMs };
const ledgerRate = fileURLToPath(new URL("./ledger-rate.ts", import.meta.url));

/** Each can run alone; together they are the whole bench. */
export const sections = {
  latency,
  cpu,
  ledger,
  capacity,
  links,
  tick,
} satisfies Record<string, (bench: Bench) => Promise<void>>;
export type SectionName = keyof typeof sections;
export const sectionNames = Object.keys(sections) as SectionName[];

async function latency({ contenders, figures, reach, say }: Bench): Promise<void> {
  const [direct, portkey] = [await contenders.direct(), await contenders.portkey()];
  const [plain, sealed] = [await contenders.plain(), await contenders.sealed()];
  say(`latency: ${quiet.rounds} interleaved rounds of ${quiet.streams} streams`);
  const latency = await latencies([...(await contenders.peers()), plain, sealed], quiet);
  for (const [name, { ttftMs, tokenMs }] of latency) {
    figures[`${name}: TTFT p50, ms`] = ttftMs;
    figures[`${name}: token p50, ms`] = tokenMs;
  }
  const of = (relay: Relay) => latencyOf(latency, relay);
  const addedTtft = (relay: Relay) => of(relay).ttftMs - of(direct).ttftMs;
  reach(
    atMost("added TTFT p50", addedTtft(sealed), 5, "ms"),
    atMost("added token latency p50", of(sealed).tokenMs - of(direct).tokenMs, 0.5, "ms"),
    atMost("sealed against plain, TTFT p50", of(sealed).ttftMs - of(plain).ttftMs, 2, "ms"),
  );
  if (portkey)
    reach(atMost("added TTFT p50, ours / Portkey", addedTtft(sealed) / addedTtft(portkey), 0.25, "×"));
}

async function cpu(bench: Bench): Promise<void> {
  const { contenders, figures, reach, say } = bench;
  const [nginx, portkey] = [await contenders.nginx(), await contenders.portkey()];
  const [plain, sealed] = [await contenders.plain(), await contenders.sealed()];
  say("CPU at 500 streams of 20 tokens/s, two interleaved rounds");
  const costs = new Map<string, Cost>();
  for (let round = 0; round < 2; round++) {
    for (const relay of [nginx, portkey, plain, sealed]) {
      if (!relay) continue;
      const one = await cost(relay, busy);
      annotate(bench, relay, busy.streams, one);
      // Whoever is late reads more at once and pays less for each: the quieter round is the dearer and the truer.
      const other = costs.get(relay.name);
      if (!other || one.loadBusy < other.loadBusy) costs.set(relay.name, one);
    }
  }
  const cpuOf = ({ name }: Relay): number => costs.get(name)?.cpuUsPerToken ?? Number.NaN;
  for (const [name, one] of costs) {
    figures[`${name}: CPU per token at 500 streams, µs`] = one.cpuUsPerToken;
    figures[`${name}: token p50 at 500 streams, ms`] = one.tokenMs.p50;
    figures[`${name}: lost tokens at 500 streams`] = one.lost;
    figures[`${name}: load core busy at 500 streams`] = one.loadBusy;
  }
  reach(
    atMost("gateway CPU per token at 500 streams", cpuOf(sealed), 30, "µs"),
    atMost("gateway CPU, sealed / plain", cpuOf(sealed) / cpuOf(plain), 1.1, "×"),
  );
  if (nginx) reach(atMost("gateway CPU, ours / nginx", cpuOf(sealed) / cpuOf(nginx), 2, "×"));
  if (portkey) reach(atMost("gateway CPU, ours / Portkey", cpuOf(sealed) / cpuOf(portkey), 0.33, "×"));
}

async function ledger({ contenders, figures, reach, say }: Bench): Promise<void> {
  const sealed = await contenders.sealed();
  say("the ledger while 500 streams run");
  const [streams, pairs] = await Promise.all([cost(sealed, busy), ledgerPairsPerSecond(8_000)]);
  figures["ledger: reserve and settle pairs/s beside 500 streams"] = pairs;
  figures["ledger: load core busy meanwhile"] = streams.loadBusy;
  reach(
    atLeast("ledger, reserve + settle beside 500 streams", pairs, 2_000, "/s"),
    atMost("tokens lost meanwhile", streams.lost, 0, ""),
  );
}

async function capacity(bench: Bench): Promise<void> {
  const { contenders, figures, reach, say } = bench;
  const portkey = await contenders.portkey();
  const plain = await contenders.plain();
  say("1,000 streams on one core, and more");
  // Not sealed: the gateway cannot tell, and a thousand clients' and nodes' sealing does not fit on the load's core.
  const ours = await sustained(bench, plain, [1_000, 1_250, 1_500, 1_750, 2_000]);
  const [thousand] = ours.costs;
  figures["bombyx plain: CPU per token at 1,000 streams, µs"] = thousand?.cpuUsPerToken ?? Number.NaN;
  figures["bombyx plain: token p50 at 1,000 streams, ms"] = thousand?.tokenMs.p50 ?? Number.NaN;
  figures["bombyx plain: streams of 1,000 with a pause above ten gaps"] = thousand?.stalled ?? Number.NaN;
  figures["bombyx plain: load core busy at 1,000 streams"] = thousand?.loadBusy ?? Number.NaN;
  figures["bombyx plain: streams sustained"] = ours.streams;
  figures["bombyx plain: load core busy at the last count tried"] = ours.costs.at(-1)?.loadBusy ?? Number.NaN;
  reach(
    atLeast("streams sustained on one core", ours.streams, 1_000, ""),
    atMost("frames lost at 1,000 streams", thousand?.lost ?? Number.NaN, 0, ""),
  );
  if (!portkey) return;
  const theirs = await sustained(bench, portkey, [300, 350, 400, 450, 500, 550, 600, 650]);
  figures[`${portkey.name}: streams sustained`] = theirs.streams;
  figures[`${portkey.name}: load core busy at the last count tried`] =
    theirs.costs.at(-1)?.loadBusy ?? Number.NaN;
  reach(atLeast("streams sustained, ours / Portkey", ours.streams / theirs.streams, 3, "×"));
}

async function links({ contenders, figures, reach, say }: Bench): Promise<void> {
  const { network } = await contenders.sealed();
  say("idle node links");
  const bytes = await idleLinkBytes(network, 2_000, contenders.inspectorPort);
  figures["bombyx: resident bytes per idle node link"] = bytes;
  reach(atMost("memory per idle node link", bytes / 1_000, 10, "kB"));
}

async function tick({ contenders, figures, reach, say }: Bench): Promise<void> {
  const [direct, ticking] = [await contenders.direct(), await contenders.ticking()];
  say("the private tick of 80 ms");
  const load = { tokens: streamTokens / tokensPerTick, gapMs: tickMs };
  const latency = await latencies([direct, ticking], { ...quiet, ...load, tokens: quiet.tokens });
  const { ttftMs, tokenMs } = latencyOf(latency, ticking);
  figures["bombyx tick 80: TTFT p50, ms"] = ttftMs;
  figures["bombyx tick 80: frame p50, ms"] = tokenMs;
  const { cpuUsPerToken } = await cost(ticking, { ...load, streams: 500 });
  figures["bombyx tick 80: CPU per token at 500 streams, µs"] = cpuUsPerToken / tokensPerTick;
  reach(
    atMost("tick 80: added TTFT p50", ttftMs - latencyOf(latency, direct).ttftMs, 5, "ms"),
    atMost("tick 80: gateway CPU per token at 500 streams", cpuUsPerToken / tokensPerTick, 30, "µs"),
  );
}

const latencyOf = (latencies: ReadonlyMap<string, Latency>, { name }: Relay): Latency =>
  latencies.get(name) ?? { ttftMs: Number.NaN, tokenMs: Number.NaN };

/** The most streams of the list that the relay carries without loss, stall or failure; it stops at the first that fails. */
async function sustained(
  bench: Bench,
  relay: Relay,
  counts: readonly number[],
): Promise<{ streams: number; costs: readonly Cost[] }> {
  const costs: Cost[] = [];
  let most = 0;
  for (const streams of counts) {
    const one = await cost(relay, { ...busy, streams });
    annotate(bench, relay, streams, one);
    costs.push(one);
    if (!one.sustained) break;
    most = streams;
  }
  return { streams: most, costs };
}

/** The gateway keeps its ledger in a thread of its own process: it has the relay's core, not the load's. */
async function ledgerPairsPerSecond(pairs: number): Promise<number> {
  const ledger = await startPinned(relayCore, [process.execPath, "-C", "bombyx-source", ledgerRate], {
    PAIRS: String(pairs),
  });
  await ledger.stop();
  return Number(ledger.ready.pairsPerSecond);
}
