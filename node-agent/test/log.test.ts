import { expect, it } from "vitest";
import { nodeLog } from "../src/log.ts";
import { World } from "./world.ts";

/** A log that keeps its lines. */
function keptLog() {
  const lines: string[] = [];
  return { lines, log: nodeLog({ write: (line) => void lines.push(line) }, "debug") };
}

it("logs ids, units and codes of a request, and nothing that was said", async () => {
  const { lines, log } = keptLog();
  await using world = await World.start({ log });
  const client = await world.client();
  const request = client.seal({ messages: [{ role: "user", content: "CANARY-question" }] });
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  job.say("CANARY-answer");
  job.end();
  await client.reader(request).readAll(stream);
  const refused = client.seal({ "CANARY-field": "CANARY-value" });
  await client.reader(refused).readAll(client.send(refused));
  world.engine.crash();
  await world.gateway.roundTrip();

  const ended = lines.map((line) => JSON.parse(line)).filter(({ msg }) => msg === "request.end");
  expect(ended).toMatchObject([
    { session: client.session, request: 0, units: 64, finish: "done" },
    { session: client.session, request: 1, code: "UNKNOWN_FIELD" },
  ]);
  expect(lines.join("")).not.toContain("CANARY");
  expect(lines.join("")).not.toContain("127.0.0.1");
});

it("drops every field that is not on its list", () => {
  const { lines, log } = keptLog();
  const fields = { session: "s", prompt: "CANARY", address: "127.0.0.1" };
  log.info("event", fields);
  expect(JSON.parse(lines[0]!)).toEqual({ level: 30, time: expect.any(Number), session: "s", msg: "event" });
});
