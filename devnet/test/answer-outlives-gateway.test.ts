import { personAccount } from "@bombyx/gateway/accounts";
import { decodeLinkMessage, linkKind } from "@bombyx/protocol/wire";
import { BombyxClient, type ClientEvent } from "@bombyx/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LedgerFile, openLedgerFile, sumOf } from "./ledger-file.ts";
import { type LinkPassage, type LinkRelay, startLinkRelay } from "./link-relay.ts";
import { botId, botKey, startNetwork, type TestNetwork } from "./network.ts";
import { below, seeded } from "./random.ts";
import { user } from "./sse.ts";
import "./patience.ts";

const seed = 20_261_123;
const random = seeded(seed);
const framesOfAnswer = 60;
/** With the private tick several tokens share a frame. */
const framesByTick = 10;
/** Frames that have passed when the gateway is killed. */
const kills = [
  ...[0, 0].map(() => ({ frames: 4 + below(random, framesOfAnswer - 4), tickMs: 0 as const })),
  ...[0, 0].map(() => ({ frames: 4 + below(random, framesByTick - 4), tickMs: 80 as const })),
];

const story = {
  messages: user("Please tell me a story about a penguin."),
  temperature: 0,
  stream: true,
  stream_options: { include_usage: true },
} as const;

interface Answer {
  readonly text: string;
  readonly completionTokens: number;
  readonly costNano: bigint;
  readonly events: readonly ClientEvent[];
}

let network: TestNetwork;
let key: string;
let ledger: LedgerFile;
/** The same answer when nothing happens. */
let whole: Answer;
const lines: LinkRelay[] = [];
let onFrame: ((passed: number) => void) | undefined;

function watch({ bytes, binary }: LinkPassage): undefined {
  if (!binary) return;
  const { kind, index } = decodeLinkMessage(bytes);
  if (kind === linkKind.request) onFrame?.(0);
  if (kind === linkKind.frame) onFrame?.(index + 1);
}

beforeAll(async () => {
  network = await startNetwork({
    pace: 60,
    instruments: {
      reach: async (part, gateway) => {
        if (part === "proxy") return gateway;
        const line = await startLinkRelay(gateway, watch);
        lines.push(line);
        return line.url;
      },
    },
  });
  key = await botKey(network);
  ledger = await openLedgerFile(network.gatewayData);
  const calm = clientOf(1);
  whole = await ask(calm);
  calm.close();
});
afterAll(async () => {
  await ledger?.[Symbol.asyncDispose]();
  await network?.[Symbol.asyncDispose]();
  for (const line of lines) await line[Symbol.asyncDispose]();
});

const clientOf = (person: number, tickMs: 0 | 80 = 0) =>
  new BombyxClient({
    gateway: network.gateway.url,
    apiKey: key,
    telegramUser: `${person}`,
    policy: { ...network.policy, tickMs },
  });

async function ask(client: BombyxClient): Promise<Answer> {
  const events: ClientEvent[] = [];
  const stop = client.observe((event) => events.push(event));
  let text = "";
  let completionTokens = 0;
  let costNano = 0n;
  for await (const chunk of await client.chat.completions.create({ ...story, model: network.model })) {
    text += chunk.choices[0]?.delta.content ?? "";
    completionTokens = chunk.usage?.completion_tokens ?? completionTokens;
    if (chunk.bombyx) costNano = BigInt(chunk.bombyx.costNano);
  }
  stop();
  return { text, completionTokens, costNano, events };
}

/** `kill -9`, once, as soon as so many frames of the answer have passed; resolves when the next gateway listens. */
function killedAfter(frames: number): Promise<void> {
  return new Promise((resolve, reject) => {
    onFrame = (passed) => {
      if (passed < frames) return;
      onFrame = undefined;
      network
        .killGateway()
        .then(() => network.restartGateway())
        .then(resolve, reject);
    };
  });
}

describe(`a gateway killed in the middle of an answer (seed ${seed})`, () => {
  it("has an undisturbed twin that is long enough", () => {
    expect(whole.completionTokens).toBeGreaterThan(framesOfAnswer);
    expect(ledger.attempts(personAccount(botId, 1))).toHaveLength(1);
  });

  it.each(kills.map((kill, i) => ({ ...kill, person: i + 2 })))(
    "after $frames frames at tick $tickMs: one continuous answer of the same node, settled once, and the session goes on",
    async ({ frames, person, tickMs }) => {
      const client = clientOf(person, tickMs);
      await client.prepare({ model: network.model });
      const killed = killedAfter(frames);
      const answer = await ask(client);
      await killed;

      expect(answer.text).toBe(whole.text);
      expect(answer.completionTokens).toBe(whole.completionTokens);
      expect(answer.costNano).toBe(whole.costNano);
      expect(answer.events.filter(({ type }) => type === "lost" || type === "evidence")).toEqual([]);
      const [attempt, ...others] = ledger.attempts(personAccount(botId, person));
      expect(others).toEqual([]);
      expect(attempt).toMatchObject({ state: "settled", finish: "done", charged_nano: whole.costNano });
      expect(attempt?.entries_nano).toBe(whole.costNano);
      expect(await ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });

      // The next question goes over the session that the killed gateway had opened.
      const next = await ask(client);
      expect(next.text).toBe(whole.text);
      const attempts = ledger.attempts(personAccount(botId, person));
      expect(attempts.map(({ session }) => session)).toEqual([attempt?.session, attempt?.session]);
      client.close();
    },
  );

  it.each([0, 1].map((frames, i) => ({ frames, person: 50 + i })))(
    "after $frames frames, of which the person has seen none: the whole answer, paid once; or none, at no cost",
    async ({ frames, person }) => {
      const client = clientOf(person);
      await client.prepare({ model: network.model });
      const killed = killedAfter(frames);
      // Nobody waits for ever before an answer begins: on a slow machine the next gateway may come too late.
      const first = await ask(client).catch((error: { code: string }) => error.code);
      await killed;
      if (typeof first === "string") {
        expect(first).toBe("GATEWAY_UNREACHABLE");
        expect(sumOf(ledger.attempts(personAccount(botId, person)), (one) => one.charged_nano)).toBe(0n);
      }
      const answer = typeof first === "string" ? await ask(client) : first;
      client.close();
      expect(answer.text).toBe(whole.text);
      expect(answer.costNano).toBe(whole.costNano);
      const attempts = ledger.attempts(personAccount(botId, person));
      expect(attempts.filter(({ finish }) => finish === "done")).toHaveLength(1);
      expect(sumOf(attempts, ({ charged_nano }) => charged_nano)).toBe(whole.costNano);
      expect((await ledger.audit()).sumNano).toBe(0n);
    },
  );
});
