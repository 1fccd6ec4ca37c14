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
