import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { id32 } from "../../test/attempts.ts";
import { openStore, type Store } from "../store/open-store.ts";
import { Figures } from "./figures.ts";

const node = id32("node");
const noon = Date.UTC(2026, 10, 22, 12);
let dataDir: string;
let store: Store;
let figures: Figures;
let now: number;
let served: number;

const ack = (n: number) => ({
  n,
  units: n * 64,
  cumulativeNano: BigInt(n) * 1_152n,
  receiptsHash: "00".repeat(32),
  index: 0,
  sinceAt: 0,
});
const open = async () => {
  store = openStore({ dataDir });
  figures = await Figures.open({
    db: store.db,
    ledger: { acknowledged: async () => ack(served) },
    linkedNodes: () => 2,
    now: () => now,
  });
};

beforeEach(async () => {
  dataDir = mkdtempSync(join(tmpdir(), "bombyx-figures-"));
  now = noon;
  served = 40;
  await open();
});
afterEach(async () => {
  await store.close();
  rmSync(dataDir, { recursive: true });
});

/** The ledger pays the node for `requests` more. */
function serve(requests: number): void {
  served += requests;
  figures.acknowledged(node, ack(served));
}

it("keeps day and minutes over a restart, what came meanwhile included", async () => {
  expect(await figures.totals(node)).toEqual({ requests: 40, units: 2_560, earnedNano: 46_080n });
  serve(3);
  now += 60_000;
  await figures.tick();
  serve(2);
  await figures.close();
  await store.close();

  served += 5;
  now += 10_000;
  await open();
  expect(await figures.totals(node)).toMatchObject({ requests: 50 });
  expect(figures.today(node)).toEqual({ requests: 10, units: 640, earnedNano: 11_520n });
  expect(figures.history()).toEqual([
    { at: noon, requests: 3, units: 192, nodes: 2 },
    { at: noon + 60_000, requests: 2, units: 128, nodes: 2 },
  ]);
});

it("adds up a minute that two processes saw, one after the other", async () => {
  await figures.totals(node);
  serve(1);
  await figures.close();
  await store.close();
  await open();
  await figures.totals(node);
  serve(4);
  await figures.close();
  expect(figures.history()).toEqual([{ at: noon, requests: 5, units: 320, nodes: 2 }]);
  await store.close();
  await open();
  expect(figures.history()).toEqual([{ at: noon, requests: 5, units: 320, nodes: 2 }]);
});

it("forgets minutes after a day", async () => {
  await figures.totals(node);
  serve(1);
  now += 60_000;
  await figures.tick();
  expect(figures.history()).toHaveLength(1);
  now += 24 * 3_600_000;
  serve(1);
  now += 60_000;
  await figures.tick();
  expect(figures.history().map(({ at }) => at)).toEqual([noon + 60_000 + 24 * 3_600_000]);
  await store.close();
  await open();
  expect(figures.history()).toHaveLength(1);
});

it("keeps the days of a whole fleet some at a time, and all of them in the end", async () => {
  const kept = async () => (await store.db.selectFrom("node_days").select("node").execute()).length;
  for (let n = 0; n < 600; n++) figures.acknowledged(id32(`node ${n}`), ack(n));
  const after: number[] = [];
  for (let tick = 0; tick < 4; tick++) {
    await figures.tick();
    after.push(await kept());
  }
  expect(after).toEqual([250, 500, 600, 600]);
  for (let n = 600; n < 1_200; n++) figures.acknowledged(id32(`node ${n}`), ack(n));
  await figures.close();
  expect(await kept()).toBe(1_200);
});

it("counts nothing for a node's new owner that the former one's brought in", async () => {
  await figures.totals(node);
  serve(3);
  // What pairing with another account leaves for figures to fill in.
  await store.db
    .insertInto("node_bases")
    .values({ node, requests: null, units: null, earned_nano: null })
    .execute();
  const none = { requests: 0, units: 0, earnedNano: 0n };
  expect([await figures.totals(node), figures.today(node)]).toEqual([none, none]);
  serve(2);
  expect(await figures.totals(node)).toEqual({ requests: 2, units: 128, earnedNano: 2_304n });
  await figures.close();
  await store.close();
  await open();
  expect(await figures.totals(node)).toMatchObject({ requests: 2 });
  expect(figures.today(node)).toMatchObject({ requests: 2 });
});
