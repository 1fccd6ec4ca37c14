import { BombyxError } from "@bombyx/protocol/wire";
import { expect, test } from "vitest";
import { serverSentEvents } from "./server-sent-events.ts";

async function all(events: AsyncIterable<string>): Promise<string[]> {
  const seen: string[] = [];
  for await (const event of events) seen.push(event);
  return seen;
}

test("a comment keeps the connection while the model is silent, and no chunk is lost by it", async () => {
  const chunk = Promise.withResolvers<{ word: string }>();
  async function* chunks() {
    yield await chunk.promise;
  }
  const events: string[] = [];
  for await (const event of serverSentEvents(chunks(), 0)) {
    events.push(event);
    if (events.length === 1) chunk.resolve({ word: "silk" });
  }
  expect(events[0]).toBe(": keep-alive\n\n");
  expect(events.filter((event) => !event.startsWith(":"))).toEqual([
    'data: {"word":"silk"}\n\n',
    "data: [DONE]\n\n",
  ]);
});

test("an error in the middle is an event, and takes the place of [DONE]", async () => {
  async function* chunks() {
    yield 1;
    throw new BombyxError("TRUNCATED", "Broke off.");
  }
  const events = await all(serverSentEvents(chunks()));
  expect(events).toHaveLength(2);
  expect(events[1]).toContain('"code":"TRUNCATED"');
});

test("an unexpected failure does not pass on its own text, which may quote a prompt", async () => {
  // biome-ignore lint/correctness/useYield: it fails before it yields
  async function* chunks(): AsyncGenerator<never> {
    throw new TypeError("cannot read CANARY");
  }
  const [event] = await all(serverSentEvents(chunks()));
  expect(event).toContain('"code":"INTERNAL"');
  expect(event).not.toContain("CANARY");
});
