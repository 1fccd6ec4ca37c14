import { readFileSync, readlinkSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type RunningEngine, startEngine } from "./start-engine.ts";
import { answer, chat, spark } from "./test/chat.ts";

const secret = "BOMBYX_TEST_SECRET";
const story = "Tell me a short story about a penguin";
let engine: RunningEngine;
beforeAll(async () => {
  process.env[secret] = "not for the engine";
  // Slow enough to be killed in the middle.
  engine = await startEngine({ modelPath: spark, modelId: "spark", slots: 4, paceTokensPerSecond: 40 });
}, 60_000);
afterAll(async () => {
  delete process.env[secret];
  await engine.close();
});

test("four sequences run at once and each gives the answer that it gives alone", async () => {
  const questions = [
    "What is the capital of France?",
    "What is 4 + 5?",
    "What color is snow?",
    "Who are you?",
  ];
  const alone: string[] = [];
  for (const [index, question] of questions.entries()) {
    alone.push((await answer(engine, chat(question, { session: `alone-${index}` }))).text);
  }
  let most = 0;
  const watch = (): void => {
    most = Math.max(most, engine.load().running);
  };
  const together = await Promise.all(
    questions.map((question, index) => answer(engine, chat(question, { session: `s-${index}` }), watch)),
  );
  expect(together.map(({ text }) => text)).toEqual(alone);
  expect(most).toBe(4);
});

describe.runIf(process.platform === "linux")("the engine process", () => {
  const environment = (pid: number | string): string => readFileSync(`/proc/${pid}/environ`, "latin1");

  test("inherits no environment", () => {
    expect(process.env[secret]).toBe("not for the engine");
    expect(environment(engine.pid ?? 0)).not.toContain(secret);
    expect(environment(engine.pid ?? 0)).toContain("NODE_CHANNEL_FD");
  });

  test("reads the weights from a copy that no longer has a name", () => {
    expect(readlinkSync(`/proc/${engine.pid}/fd/4`)).toMatch(/\.gguf \(deleted\)$/);
  });

  test("has a network namespace of its own where the system has them", () => {
    const own = readlinkSync(`/proc/${engine.pid}/ns/net`) !== readlinkSync("/proc/self/ns/net");
    expect(own).toBe(engine.networkless);
    const interfaces = readFileSync(`/proc/${engine.pid}/net/dev`, "utf8");
    if (own) expect(interfaces).not.toMatch(/eth|ens|enp|wlan/);
  });
});

test("a job on a killed engine fails with NODE_FAILED; the engine comes back and answers", async () => {
  const crashes: Error[] = [];
  engine.onCrash((error) => crashes.push(error));
  const killed = engine.pid ?? 0;
  const lost = answer(engine, chat(story), ({ delta }) => delta && process.kill(killed, "SIGKILL"));
  await expect(lost).rejects.toMatchObject({ code: "NODE_FAILED" });
  expect(crashes).toHaveLength(1);
  const { text } = await answer(engine, chat("What is the capital of France?"));
  expect(text).toContain("Paris");
  expect(engine.pid).not.toBe(killed);
});

test("a request that is cancelled while it waits for a restart ends as cancelled", async () => {
  const lost = answer(engine, chat(story), ({ delta }) => delta && process.kill(engine.pid ?? 0, "SIGKILL"));
  await expect(lost).rejects.toMatchObject({ code: "NODE_FAILED" });
  const abort = new AbortController();
  const waiting = answer(engine, chat(story), () => undefined, abort.signal);
  await new Promise((resolve) => setImmediate(resolve));
  expect(engine.load()).toEqual({ running: 0, queued: 1 });
  abort.abort();
  expect((await waiting).result).toMatchObject({
    finishReason: "cancelled",
    counts: { completionTokens: 0 },
  });
});
