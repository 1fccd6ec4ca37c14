import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  cost,
  expectedServiceMs,
  full,
  nextPenalty,
  nextServiceMs,
  type Offer,
  remembered,
} from "./offer.ts";
import { pick, scores, shortage } from "./pick.ts";

const now = 1_000;

const offerOf = (change: Partial<Offer> = {}): Offer => ({
  node: "n",
  owner: "o",
  available: true,
  validUntil: now + 1,
  slots: 4,
  inFlight: 0,
  queued: 0,
  queueLimit: 16,
  serviceMs: 1_000,
  penalty: 1,
  ...change,
});

const anyOffer = fc.record({
  owner: fc.constantFrom("a", "b", "c"),
  available: fc.boolean(),
  validUntil: fc.integer({ min: now - 2, max: now + 2 }),
  slots: fc.integer({ min: 1, max: 8 }),
  inFlight: fc.integer({ min: 0, max: 8 }),
  queued: fc.integer({ min: 0, max: 4 }),
  queueLimit: fc.integer({ min: 0, max: 4 }),
  serviceMs: fc.double({ min: 1, max: 10_000, noNaN: true }),
  penalty: fc.integer({ min: 1, max: 16 }),
});
const anyFleet = fc
  .array(anyOffer, { maxLength: 80 })
  .map((offers): Offer[] => offers.map((offer, at) => ({ ...offer, node: `n${at}` })));

/** Uniform, and the same in every run. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("candidates", () => {
  it("never are excluded, draining, unattested or full, are different nodes, cheapest first, five at most", () => {
    fc.assert(
      fc.property(anyFleet, fc.nat(), fc.uniqueArray(fc.nat(80)), (fleet, seed, excluded) => {
        const not = new Set(excluded.map((at) => `n${at}`));
        const picked = pick(fleet, { now, not, random: seeded(seed) });
        for (const offer of picked) {
          expect(offer.available && now < offer.validUntil && !full(offer) && !not.has(offer.node)).toBe(
            true,
          );
        }
        const costs = picked.map(cost);
        expect(costs).toEqual([...costs].sort((a, b) => a - b));
        expect(new Set(picked.map(({ node }) => node)).size).toBe(picked.length);
        expect(picked.length).toBeLessThanOrEqual(5);
      }),
    );
  });

  it("are found whenever there are any, however few are eligible", () => {
    fc.assert(
      fc.property(anyFleet, fc.nat(), (fleet, seed) => {
        const eligible = fleet.filter((offer) => offer.available && now < offer.validUntil && !full(offer));
        const picked = pick(fleet, { now, random: seeded(seed) });
        expect(picked.length).toBe(Math.min(5, eligible.length));
      }),
    );
  });

  it("weigh at most 1, and less the more they cost", () => {
    const picked = [offerOf(), offerOf({ serviceMs: 2_000 }), offerOf({ serviceMs: 1e9 })];
    expect(scores(picked)).toEqual([1, 1 / 16, 1e-6]);
    expect(scores([])).toEqual([]);
  });
});

describe("a node's cost", () => {
  it("is its service time, times those before and the newcomer, over its slots", () => {
    expect(cost(offerOf({ serviceMs: 800, inFlight: 4, queued: 3, slots: 4 }))).toBe(1_600);
  });

  it("doubles with a failure, up to sixteen times, and halves with each success", () => {
    let penalty = 1;
    for (let i = 0; i < 9; i++) penalty = nextPenalty(penalty, true);
    expect(penalty).toBe(16);
    expect(nextPenalty(penalty, false)).toBe(8);
    expect(nextPenalty(1, false)).toBe(1);
  });

  it("forgets what it saw of a node that gets no requests, so that one bad spell starves nobody", () => {
    expect(remembered(16, 1, 0)).toBe(16);
    expect(remembered(16, 1, 30_000)).toBe(8.5);
    expect(remembered(16, 1, 600_000)).toBeCloseTo(1, 4);
    // It forgets luck as well: a node that once was fast is judged by its benchmark again.
    expect(remembered(10, 1_000, 600_000)).toBeCloseTo(1_000, 2);
  });

  it("follows what it is seen to take", () => {
    expect(nextServiceMs(1_000, 2_000)).toBe(1_200);
  });

  it("starts from the node's own benchmark: 512 tokens in, 128 out of a slot's share", () => {
    const slow = { slots: 2, prefillTokensPerSecond: 512, decodeTokensPerSecond: 64 };
    expect(expectedServiceMs(slow)).toBe(5_000);
  });
});

describe("a shortage", () => {
  it("is none to wait for without a servable node, else tells when a slot should be free", () => {
    expect(shortage([offerOf({ available: false })], now)).toEqual({ reason: "none" });
    expect(shortage([offerOf({ serviceMs: 8_000 }), offerOf({ serviceMs: 20_000 })], now)).toEqual({
      reason: "full",
      retryAfterMs: 2_000,
    });
  });
});

describe("best of eight in a heterogeneous fleet", () => {
  it("has a p99 within 1.2 times that of looking at every node and knowing its true speed", () => {
    const sampled = simulate((fleet, random) => pick(fleet, { now: 0, random, count: 1 })[0]);
    const omniscient = simulate((fleet) =>
      fleet.reduce((best, offer) => (trueCost(offer) < trueCost(best) ? offer : best)),
    );
    expect(sampled.p99).toBeLessThanOrEqual(1.2 * omniscient.p99);
    // The control: choosing at random is far from it.
    const blind = simulate((fleet, random) => fleet[Math.floor(random() * fleet.length)]);
    expect(blind.p99).toBeGreaterThan(3 * omniscient.p99);
  });
});

interface SimulatedNode extends Offer {
  inFlight: number;
  queued: number;
  serviceMs: number;
  readonly trueMs: number;
  /** When each slot is free again. */
  readonly slotFreeAt: number[];
}

const trueCost = ({ trueMs, inFlight, slots }: SimulatedNode): number => (trueMs * (inFlight + 1)) / slots;

/** A hundred nodes, tenfold spread of speed, 80 % load, Poisson arrivals; completion times. */
function simulate(choose: (fleet: SimulatedNode[], random: () => number) => SimulatedNode | undefined): {
  p99: number;
} {
  const random = seeded(7);
  const fleet = Array.from({ length: 100 }, (_, at): SimulatedNode => {
    const trueMs = 100 * 10 ** random();
    const slots = 1 + Math.floor(random() * 4);
    return {
      ...offerOf({
        node: `n${at}`,
        slots,
        validUntil: Number.POSITIVE_INFINITY,
        queueLimit: Number.POSITIVE_INFINITY,
      }),
      inFlight: 0,
      queued: 0,
      // Its benchmark is off by up to a third.
      serviceMs: trueMs * (0.67 + 0.66 * random()),
      trueMs,
      slotFreeAt: new Array<number>(slots).fill(0),
    };
  });
  const capacityPerMs = fleet.reduce((sum, { slots, trueMs }) => sum + slots / trueMs, 0);
  const done: { at: number; node: SimulatedNode; tookMs: number }[] = [];
  const latencies: number[] = [];
  let at = 0;
  for (let i = 0; i < 12_000; i++) {
    at += -Math.log(1 - random()) / (0.8 * capacityPerMs);
    for (let first = done[0]; first && first.at <= at; first = done[0]) {
      done.shift();
      first.node.inFlight--;
      first.node.serviceMs = nextServiceMs(first.node.serviceMs, first.tookMs);
    }
    const node = choose(fleet, random);
    if (!node) throw new Error("nobody was chosen");
    const slot = node.slotFreeAt.indexOf(Math.min(...node.slotFreeAt));
    const startAt = Math.max(at, node.slotFreeAt[slot] ?? 0);
    const tookMs = node.trueMs * (0.5 + random());
    const endAt = startAt + tookMs;
    node.slotFreeAt[slot] = endAt;
    node.inFlight++;
    const later = done.findLastIndex((entry) => entry.at <= endAt);
    done.splice(later + 1, 0, { at: endAt, node, tookMs });
    if (i > 2_000) latencies.push(endAt - at);
  }
  latencies.sort((a, b) => a - b);
  return { p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0 };
}
