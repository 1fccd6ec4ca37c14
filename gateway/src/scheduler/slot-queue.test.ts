import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { SlotQueue } from "./slot-queue.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const queueOf = (slots: number, limit: number) => new SlotQueue({ slots, limit, deadlineMs: 1_000 });

describe("a node's queue", () => {
  it("lends its slots at once, then in the order of arrival, and refuses beyond its limit", async () => {
    const queue = queueOf(1, 2);
    const first = queue.enter();
    const second = queue.enter();
    const third = queue.enter();
    expect(queue.enter()).toBeUndefined();
    expect([queue.inFlight, queue.queued]).toEqual([1, 2]);
    await first?.ready;
    first?.release();
    await second?.ready;
    expect([queue.inFlight, queue.queued]).toEqual([1, 1]);
    second?.release();
    await third?.ready;
    third?.release();
    expect([queue.inFlight, queue.queued]).toEqual([0, 0]);
  });

  it("refuses whoever waits past the deadline as NODE_BUSY, and frees the place", async () => {
    const queue = queueOf(1, 1);
    queue.enter();
    const late = queue.enter();
    vi.advanceTimersByTime(1_000);
    await expect(late?.ready).rejects.toMatchObject({ code: "NODE_BUSY" });
    late?.release();
    expect([queue.inFlight, queue.queued]).toEqual([1, 0]);
  });

  it("lets a waiting one leave without a slot, and counts a slot given back twice once", async () => {
    const queue = queueOf(1, 2);
    const first = queue.enter();
    const leaving = queue.enter();
    const staying = queue.enter();
    leaving?.release();
    await expect(leaving?.ready).rejects.toMatchObject({ code: "CANCELLED" });
    first?.release();
    first?.release();
    await staying?.ready;
    expect([queue.inFlight, queue.queued]).toEqual([1, 0]);
  });

  it("grants more at once when the node offers more slots", async () => {
    const queue = queueOf(1, 2);
    queue.enter();
    const waiting = queue.enter();
    queue.slots = 2;
    await waiting?.ready;
    expect(queue.inFlight).toBe(2);
  });
});
