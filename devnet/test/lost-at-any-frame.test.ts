import { readFile } from "node:fs/promises";
import { personAccount } from "@bombyx/gateway/accounts";
import { decodeLinkMessage, fromUtf8, linkKind } from "@bombyx/protocol/wire";
import { BombyxClient, type ClientEvent } from "@bombyx/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LedgerFile, openLedgerFile, sumOf } from "./ledger-file.ts";
import { type LinkPassage, type LinkRelay, startLinkRelay } from "./link-relay.ts";
import { botId, botKey, everyNodeServes, startNetwork, type TestNetwork } from "./network.ts";
import { below, seeded } from "./random.ts";
import { user } from "./sse.ts";
import "./patience.ts";

/** Frames that pass before the line is cut; 0 cuts at the request, before the first. */
const seed = 20_261_122;
const random = seeded(seed);
const framesOfAnswer = 60;
const cutsAfter = [0, 1, ...Array.from({ length: 8 }, () => 2 + below(random, framesOfAnswer - 2))];

const story = {
  messages: user("Please tell me a story about a penguin."),
  temperature: 0,
  stream: true,
  stream_options: { include_usage: true },
} as const;

/** Where a node sends a receipt whose own stream is gone. */
const resentStream = 0;
/** Sessions whose lost node came back with its receipt, and how many of these were answered. */
const returned = new Set<string>();
let acknowledged = 0;

/** The line of one node, and when it is to be cut. */
class Line {
  relay: LinkRelay | undefined;
  /** Called with each frame's number of one answer, 0 for the request itself. */
  onFrame: ((frame: number) => "cut" | undefined) | undefined;

  watch({ from, bytes, binary }: LinkPassage): "cut" | undefined {
    if (!binary) {
      const control = JSON.parse(bytes.toString());
      if (from === "gateway" && control.t === "ack" && control.stream === resentStream) acknowledged++;
      return undefined;
    }
    const { kind, stream, index, payload } = decodeLinkMessage(bytes);
    if (kind === linkKind.receipt && stream === resentStream) {
      returned.add(JSON.parse(fromUtf8(payload)).receipt.session);
    }
    if (kind === linkKind.request) return this.onFrame?.(0);
    return kind === linkKind.frame ? this.onFrame?.(index + 1) : undefined;
  }
}

let network: TestNetwork;
let key: string;
let ledger: LedgerFile;
const lines: Line[] = [];
/** The same answer when nothing happens. */
let whole: Answer;

beforeAll(async () => {
  network = await startNetwork({
    pace: 100,
    instruments: {
      reach: async (part, gateway) => {
        if (part === "proxy") return gateway;
        const line = new Line();
        line.relay = await startLinkRelay(gateway, (passage) => line.watch(passage));
        lines.push(line);
        return line.relay.url;
      },
    },
  });
  key = await botKey(network);
  ledger = await openLedgerFile(network.gatewayData);
  whole = await ask(1);
});
afterAll(async () => {
  await ledger?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
  for (const { relay } of lines) await relay?.[Symbol.asyncDispose]();
});

interface Answer {
  readonly text: string;
  readonly completionTokens: number;
  readonly costNano: bigint;
  readonly events: readonly ClientEvent[];
}

/** A new person asks, with both nodes there and a session on each. */
async function ask(person: number, ready: () => void = () => {}): Promise<Answer> {
  const client = new BombyxClient({
    gateway: network.gateway.url,
    apiKey: key,
    telegramUser: `${person}`,
    policy: { ...network.policy, tickMs: 0 },
  });
  const events: ClientEvent[] = [];
  client.observe((event) => events.push(event));
  await client.prepare({ model: network.model });
  ready();
  let text = "";
  let completionTokens = 0;
  let costNano = 0n;
  for await (const chunk of await client.chat.completions.create({ ...story, model: network.model })) {
    text += chunk.choices[0]?.delta.content ?? "";
    completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
    if (chunk.bombyx) costNano = BigInt(chunk.bombyx.costNano);
  }
  client.close();
  return { text, completionTokens, costNano, events };
}

/** Cuts the line of whichever node answers, once, as soon as `frames` of its frames have passed. */
function cutAfter(frames: number): () => void {
  let cut = false;
  for (const line of lines) {
    line.onFrame = (frame) => {
      if (cut || frame < frames + (frames === 0 ? 0 : 1)) return undefined;
      cut = true;
      return "cut";
    };
  }
  return () => {
    for (const line of lines) line.onFrame = undefined;
  };
}

describe(`a node lost at a random frame (seed ${seed})`, () => {
  it("has an undisturbed twin that is long enough to be cut anywhere", async () => {
    expect(whole.completionTokens).toBeGreaterThan(framesOfAnswer);
    expect(whole.events.filter(({ type }) => type === "lost")).toEqual([]);
    const [attempt, ...others] = ledger.attempts(personAccount(botId, 1));
    expect(others).toEqual([]);
    expect(attempt).toMatchObject({ state: "settled", finish: "done", charged_nano: whole.costNano });
  });

  it.each(cutsAfter.map((frames, i) => ({ frames, person: i + 2 })))(
    "after $frames frames: one continuous answer, each part paid to its node, never more than it costs whole",
    async ({ frames, person }) => {
      await everyNodeServes(network);
      let disarm = () => {};
      const answer = await ask(person, () => {
        disarm = cutAfter(frames);
      });
      disarm();

      expect(answer.text).toBe(whole.text);
      expect(answer.completionTokens).toBe(whole.completionTokens);
      expect(answer.events.filter(({ type }) => type === "lost")).toMatchObject([{ midAnswer: frames > 0 }]);

      const attempts = ledger.attempts(personAccount(botId, person));
      expect(attempts).toHaveLength(2);
      const [lost, last] = attempts;
      expect(new Set(attempts.map(({ node }) => node)).size).toBe(2);
      expect(new Set(attempts.map(({ idempotency_id }) => idempotency_id)).size).toBe(1);
      expect(last).toMatchObject({ state: "settled", finish: "done" });
      expect(lost).toMatchObject(
        frames > 0 ? { state: "settled", finish: "running" } : { state: "released", units: 0n },
      );
      // Each part is what its node's entries say, and together they are what the client was told.
      for (const { entries_nano, charged_nano } of attempts) expect(entries_nano).toBe(charged_nano);
      const charged = sumOf(attempts, ({ charged_nano }) => charged_nano);
      expect(charged).toBe(answer.costNano);
      expect(charged).toBeLessThanOrEqual(whole.costNano);
      if (frames > 0) expect(lost?.charged_nano).toBeGreaterThan(0n);
      expect(await ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
    },
  );

  it("stays paid once when the lost nodes come back with receipts of their own", async () => {
    const before = ledger.attempts();
    // Nobody reads the rest of a cut answer: its node waits half a minute for a reader and signs what it has.
    const cutMidAnswer = cutsAfter.filter((frames) => frames > 0).length;
    await expect.poll(() => returned.size, { timeout: 45_000, interval: 50 }).toBe(cutMidAnswer);
    await expect.poll(() => acknowledged, { timeout: 5_000, interval: 20 }).toBe(cutMidAnswer);
    expect(ledger.attempts()).toEqual(before);
    expect(await ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
    for (const { logFile } of network.nodes) {
      expect(await readFile(logFile, "utf8")).not.toContain("ack.refused");
    }
  });
});
