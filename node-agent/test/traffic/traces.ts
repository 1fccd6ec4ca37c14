import {
  AnswerOpener,
  initiateHandshake,
  newKemKeyPair,
  newSigningKeyPair,
  respondToHandshake,
  type SessionKeys,
  sessionIdHex,
} from "@bombyx/protocol/session";
import type { SignedReceipt } from "@bombyx/protocol/wire";
import { Answer } from "../../src/enclave/answer.ts";
import { Meter } from "../../src/enclave/meter.ts";
import { FakeClock } from "../fake-clock.ts";
import { price } from "../fake-gateway.ts";
import { deviation, mean, type Trace } from "./classifier.ts";

/**
 * Five kinds of answers that differ as kinds do: in how many bytes a token has, how much that varies, and in
 * the rhythm in which tokens come (a draft model that guesses well gives several at once). The mean pace is one.
 */
const kinds = [
  { bytes: 2, spread: 1, burst: 1 },
  { bytes: 4, spread: 2, burst: 1 },
  { bytes: 4, spread: 2, burst: 3 },
  { bytes: 7, spread: 2, burst: 1 },
  { bytes: 9, spread: 5, burst: 2 },
] as const;
export const classes: number = kinds.length;

const tokens = 48;
const tokenMs = 25;

export interface Shape {
  /** As shipped: 80 ms and padded frames. Otherwise frames go when ready and show their content's length. */
  readonly shaped: boolean;
  /** Whether kinds differ in the time until the first token, or in the number of tokens, too. */
  readonly differ?: "first token" | "length";
}

/** `count` traces, kinds in turn, of answers of one length to prompts of one bucket. */
export async function traces(count: number, shape: Shape, seed: number): Promise<Trace[]> {
  const random = generator(seed);
  const found: Trace[] = [];
  for (let i = 0; i < count; i++) found.push(await trace(i % classes, shape, random));
  return shuffled(found, random);
}

async function trace(label: number, { shaped, differ }: Shape, random: () => number): Promise<Trace> {
  const kind = kinds[label] ?? kinds[0];
  const keys = sessionKeys();
  const clock = new FakeClock();
  const opener = new AnswerOpener(keys, 0);
  const seen: { at: number; size: number }[] = [];
  const receipts: number[] = [];
  const answer = new Answer({
    keys,
    request: 0,
    tickMs: shaped ? 80 : 0,
    billing: {
      meter: new Meter(terms(keys), keys.nodeToClient, newSigningKeyPair().privateKey),
      budget: { units: 1_000_000, coefficient: 1_000, price, continuation: false },
    },
    clock,
    receipts: {
      waiting: 0,
      final: ({ receipt }: SignedReceipt) => receipts.push(receipt.units, receipt.frames),
    },
    onFinal() {},
  });
  const attachment = answer.attach(
    {
      writable: true,
      frame(index, sealed) {
        const content = opener.open(sealed).parts.reduce((size, { payload }) => size + payload.length, 0);
        seen.push({ at: clock.monotonicMs(), size: shaped ? sealed.length : content });
        attachment?.wrote(index + 1);
      },
      receipt: ({ receipt }) => receipts.push(receipt.units, receipt.frames),
      failed() {},
    },
    0,
  );
  const until = differ === "first token" ? 100 + label * 250 : 200 + random() * 300;
  clock.advance(Math.round(until));
  const length = differ === "length" ? tokens + label * 24 : tokens;
  for (let said = 0; said < length; ) {
    const burst = Math.min(kind.burst, length - said);
    clock.advance(Math.round(burst * tokenMs * (0.8 + random() * 0.4)));
    for (let i = 0; i < burst; i++) {
      said++;
      const bytes = Math.max(1, Math.round(kind.bytes + (random() * 2 - 1) * kind.spread));
      const counts = { promptTokens: 20, cachedTokens: 0, completionTokens: said, reasoningTokens: 0 };
      answer.progress({ delta: { text: "x".repeat(bytes) }, counts });
    }
    if (!shaped) await new Promise(setImmediate);
  }
  answer.finish({
    counts: { promptTokens: 20, cachedTokens: 0, completionTokens: length, reasoningTokens: 0 },
    finishReason: "stop",
    seed: 1,
    sampler: { temperature: 0.8, topP: 0.95, topK: 40 },
  });
  clock.advance(1_000);
  return { label, features: features(seen, receipts) };
}

/** Frame sizes, gaps, the first gap, and what the clear receipts say. */
function features(seen: readonly { at: number; size: number }[], receipts: readonly number[]): number[] {
  const sizes = seen.map(({ size }) => size);
  const gaps = seen.map(({ at }, i) => at - (seen[i - 1]?.at ?? 0));
  const padded = (values: readonly number[], length: number) =>
    Array.from({ length }, (_, i) => values[i] ?? -1);
  return [
    seen.length,
    gaps[0] ?? -1,
    mean(sizes),
    deviation(sizes),
    mean(gaps),
    deviation(gaps),
    ...padded(sizes, 24),
    ...padded(gaps, 24),
    ...padded(receipts, 4),
  ];
}

function sessionKeys(): SessionKeys {
  const kem = newKemKeyPair();
  const prefix = { suite: 1, attestationId: new Uint8Array(32), kemId: kem.id } as const;
  const { message } = initiateHandshake(prefix, { id: kem.id, x25519: kem.x25519.publicKey });
  return respondToHandshake(message, kem).session;
}

const terms = (keys: SessionKeys) => ({
  attestationId: "00".repeat(32),
  session: sessionIdHex(keys),
  request: 0,
  idempotencyId: "00".repeat(16),
  manifest: "00".repeat(32),
  price,
  coefficient: 1_000,
  capUnits: 1_000_000,
  ceilingUnits: 1_000_000,
  requestHash: "00".repeat(32),
});

/** mulberry32: the same seed, the same traces. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  return items
    .map((item) => ({ item, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
}
