import { describe, expect, it } from "vitest";
import { DurableAnswers } from "./durable-answers.ts";

/** A disk that is done when the test says so. */
function slowDisk() {
  const syncs: ((error: Error | null) => void)[] = [];
  const posted: string[][] = [];
  const answers = new DurableAnswers<string>(
    (done) => syncs.push(done),
    (batch) => posted.push([...batch]),
  );
  return { syncs, posted, answers };
}

describe("an outcome that has to survive a power cut", () => {
  it("is told when a sync that began behind its commit has ended", () => {
    const { syncs, posted, answers } = slowDisk();
    answers.committed(["a"]);
    answers.committed(["b"]);
    answers.committed(["c"]);
    expect([syncs.length, posted]).toEqual([1, []]);
    syncs[0]?.(null);
    expect([syncs.length, posted]).toEqual([2, [["a"]]]);
    syncs[1]?.(null);
    expect([syncs.length, posted]).toEqual([2, [["a"], ["b", "c"]]]);
  });

  it("is never told when the disk fails, nor is anything after it", () => {
    const { syncs, posted, answers } = slowDisk();
    answers.committed(["a"]);
    answers.committed(["b"]);
    expect(() => syncs[0]?.(new Error("no space"))).toThrow("no space");
    expect([syncs.length, posted]).toEqual([1, []]);
  });

  it("is waited for before the file is closed, and so is what nobody asked about", async () => {
    const { syncs, answers } = slowDisk();
    answers.committed([]);
    let closed = false;
    const closing = answers.settled().then(() => {
      closed = true;
    });
    await Promise.resolve();
    expect(closed).toBe(false);
    syncs[0]?.(null);
    await closing;
    expect(closed).toBe(true);
  });
});
