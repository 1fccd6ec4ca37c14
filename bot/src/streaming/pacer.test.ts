import { describe, expect, it } from "vitest";
import type { Clock } from "../clock.ts";
import { editGapMs } from "./edit-screen.ts";
import { type FrameResult, invisible, Pacer, shown } from "./pacer.ts";

/** A clock that stands still until it is told. */
class HeldClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ at: number; run: () => void }>();

  now(): number {
    return this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    const timer = { at: this.#now + delayMs, run };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  async pass(ms: number): Promise<void> {
    const until = this.#now + ms;
    for (;;) {
      await settled();
      const [next] = [...this.#timers].filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#now = next.at;
      next.run();
    }
    this.#now = until;
    await settled();
  }
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function pacer(options: { gapMs?: number; refreshMs?: number; results?: FrameResult[] } = {}) {
  const clock = new HeldClock();
  const frames: [at: number, text: string][] = [];
  const { gapMs = 400, refreshMs, results = [] } = options;
  const send = async (text: string): Promise<FrameResult> => {
    frames.push([clock.now(), text]);
    return results.shift() ?? shown;
  };
  const pace = { clock, gapMs: () => gapMs, send, ...(refreshMs !== undefined && { refreshMs }) };
  return { clock, frames, pacer: new Pacer(pace) };
}

describe("a growing text", () => {
  it("is shown at once, then as often as may be, always the newest", async () => {
    const { clock, frames, pacer: screen } = pacer();
    screen.show("");
    await clock.pass(100);
    for (const text of ["a", "ab", "abc"]) screen.show(text);
    await clock.pass(300);
    screen.show("abcd");
    await clock.pass(1_000);
    screen.show("abcde");
    expect(frames).toEqual([
      [0, ""],
      [400, "abc"],
      [800, "abcd"],
      [1_400, "abcde"],
    ]);
  });

  it("is sent again before it fades, when the model is silent", async () => {
    const { clock, frames, pacer: screen } = pacer({ refreshMs: 20_000 });
    screen.show("a");
    await clock.pass(45_000);
    expect(frames.map(([at]) => at)).toEqual([0, 20_000, 40_000]);
  });

  it("waits as long as Telegram says, then shows the newest", async () => {
    const { clock, frames, pacer: screen } = pacer({ results: [{ pauseMs: 7_000, again: true }] });
    screen.show("a");
    await clock.pass(1_000);
    screen.show("ab");
    await clock.pass(10_000);
    expect(frames).toEqual([
      [0, "a"],
      [7_000, "ab"],
    ]);
  });

  it("that cannot be shown is not tried for ever", async () => {
    const { clock, frames, pacer: screen } = pacer({ results: [invisible] });
    screen.show("a");
    await clock.pass(60_000);
    screen.show("ab");
    await clock.pass(60_000);
    expect(frames).toHaveLength(1);
  });

  it("is not shown any more after its end", async () => {
    const { clock, frames, pacer: screen } = pacer({ refreshMs: 5_000 });
    screen.show("a");
    await clock.pass(0);
    screen.show("ab");
    await screen.end();
    screen.show("abc");
    await clock.pass(60_000);
    expect(frames).toEqual([[0, "a"]]);
  });

  it("that hangs on its way does not hold up the answer", async () => {
    const clock = new HeldClock();
    const never = new Promise<FrameResult>(() => undefined);
    const screen = new Pacer({ clock, gapMs: () => 400, send: () => never });
    screen.show("a");
    let ended = false;
    const ending = screen.end().then(() => {
      ended = true;
    });
    await clock.pass(2_999);
    expect(ended).toBe(false);
    await clock.pass(1);
    await ending;
  });

  it("in a group stays below 20 messages in any minute, and never two in a second", () => {
    const at = [0];
    for (let frames = 1; (at.at(-1) ?? 0) < 300_000; frames++) at.push((at.at(-1) ?? 0) + editGapMs(frames));
    for (const from of at) {
      // The final edit comes on top.
      expect(at.filter((time) => time >= from && time < from + 60_000).length).toBeLessThanOrEqual(19);
    }
    expect(Math.min(...at.slice(1).map((time, i) => time - (at[i] ?? 0)))).toBeGreaterThanOrEqual(1_000);
  });
});
