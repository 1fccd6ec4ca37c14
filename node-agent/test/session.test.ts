import { newKemKeyPair } from "@bombyx/protocol/session";
import { limits, linkKind } from "@bombyx/protocol/wire";
import { expect, it } from "vitest";
import { Client } from "./client.ts";
import { World } from "./world.ts";

it("refuses a handshake for another attestation or another key, and one that is not authentic", async () => {
  await using world = await World.start();
  const { statement, attestationId } = world.admission;
  const refusal = (message: Uint8Array) => world.gateway.open(linkKind.handshake, 0, message).failed();

  const elsewhere = Client.handshake(statement, "00".repeat(32), 2);
  expect(await refusal(elsewhere.message)).toMatchObject({ code: "REATTEST" });
  const foreign = newKemKeyPair();
  const otherKey = Client.handshake(statement, attestationId, 2).message;
  otherKey.set(foreign.id, 33);
  expect(await refusal(otherKey)).toMatchObject({ code: "REATTEST" });
  const forged = Client.handshake(statement, attestationId, 2).message;
  forged[forged.length - 1]! ^= 1;
  expect(await refusal(forged)).toMatchObject({ code: "HANDSHAKE_INVALID" });
  const downgraded = Client.handshake(statement, attestationId, 2).message;
  downgraded[0] = 1;
  expect(await refusal(downgraded)).toMatchObject({ code: "HANDSHAKE_INVALID" });
  await Client.connect(world.gateway, world.admission);
});

it("takes 50 handshakes a second from a link, and says when to come back", async () => {
  await using world = await World.start();
  for (let i = 0; i < limits.handshakesPerSecondPerLink; i++) await world.client(1);
  const { message } = Client.handshake(world.admission.statement, world.admission.attestationId, 1);
  const refused = await world.gateway.open(linkKind.handshake, 0, message).failed();
  expect(refused).toMatchObject({ code: "RATE_LIMITED", retryAfterMs: 20 });
  world.clock.advance(20);
  await world.client(1);
});

it("holds 4,096 sessions, and lets the oldest go that never asked for anything when another comes", async () => {
  await using world = await World.start();
  const asking = await world.client(1);
  const request = asking.seal({}, { tickMs: 0 });
  const stream = asking.send(request);
  const job = await world.engine.jobs.next();
  const silent = await world.client(1);
  for (let i = 2; i <= limits.sessionsPerNode; i++) {
    if (i % 50 === 0) world.clock.advance(1_000);
    await world.client(1);
  }
  // One more than there is room for: the silent one has gone, the one that asked has not.
  expect(await silent.send(silent.seal()).failed()).toMatchObject({ code: "SESSION_UNKNOWN" });
  job.say("still here");
  job.end();
  expect((await asking.reader(request).readAll(stream)).text).toBe("still here");
}, 120_000);

it("serves honest clients through a flood of 10,000 handshakes that nobody finishes", async () => {
  await using world = await World.start();
  const honest = await world.client();
  const request = honest.seal({}, { tickMs: 0 });
  const stream = honest.send(request);
  const job = await world.engine.jobs.next();
  const { message } = Client.handshake(world.admission.statement, world.admission.attestationId, 2);
  const flood = Array.from({ length: 10_000 }, () => world.gateway.open(linkKind.handshake, 0, message));
  job.say("through the flood");
  job.end();
  expect((await honest.reader(request).readAll(stream)).text).toBe("through the flood");
  const last = flood.at(-1)!;
  expect(await last.failed()).toMatchObject({ code: "RATE_LIMITED" });
  world.clock.advance(1_000);
  await world.client();
}, 120_000);

it("ends a session after 15 idle minutes, and not before", async () => {
  await using world = await World.start();
  const client = await world.client();
  await world.pass(limits.sessionIdleMs - 1_000);
  const request = client.seal();
  const stream = client.send(request);
  (await world.engine.jobs.next()).end();
  await client.reader(request).readAll(stream);
  await world.pass(limits.sessionIdleMs);
  expect(await client.send(client.seal()).failed()).toMatchObject({ code: "SESSION_UNKNOWN" });
  expect(world.engine.forgotten).toEqual([client.session]);
});

it("ends a session when all its request ids are used and no frame is kept", async () => {
  await using world = await World.start();
  const client = await world.client();
  for (let i = 0; i < limits.requestsPerSession; i++) {
    const request = client.seal();
    const stream = client.send(request);
    (await world.engine.jobs.next()).end();
    await client.reader(request).readAll(stream);
  }
  expect(world.engine.forgotten).toEqual([]);
  await world.pass(limits.replayMs + 30_000);
  expect(world.engine.forgotten).toEqual([client.session]);
});

it("tells each stream of a dead engine so, sealed, and bills only what was delivered", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  for (let i = 0; i < 12; i++) job.say("word ");
  world.clock.advance(80);
  const reader = client.reader(request);
  reader.read((await stream.frame()).sealed);
  job.say("never sent ");
  world.engine.crash(job);
  while (!reader.final) reader.read((await stream.frame()).sealed);
  expect(reader.error).toMatchObject({ code: "NODE_FAILED" });
  expect(await stream.failed()).toMatchObject({ code: "NODE_FAILED" });
});

it("sends a running receipt for what a dead engine had delivered", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  for (let i = 0; i < 12; i++) job.say("word ");
  world.clock.advance(80);
  await stream.frame();
  world.engine.crash(job);
  // 10 + 12 × 8 = 106
  expect((await stream.receipt()).receipt).toMatchObject({ finish: "running", units: 128 });
  expect(await stream.failed()).toMatchObject({ code: "NODE_FAILED" });
});

it("ends a session on which the engine has died twice, and keeps one on which it died once", async () => {
  await using world = await World.start();
  const [twice, once] = [await world.client(), await world.client()];
  const crash = async (client: Client) => {
    const stream = client.send(client.seal());
    world.engine.crash(await world.engine.jobs.next());
    await stream.failed();
  };
  await crash(twice);
  await crash(twice);
  await crash(once);
  expect(await twice.send(twice.seal()).failed()).toMatchObject({ code: "SESSION_UNKNOWN" });
  once.send(once.seal());
  await world.engine.jobs.next();
});

it("counts a crash that takes two answers of a session once", async () => {
  await using world = await World.start();
  const client = await world.client();
  const streams = [client.send(client.seal()), client.send(client.seal())];
  world.engine.crash(await world.engine.jobs.next(), await world.engine.jobs.next());
  for (const stream of streams) await stream.failed();
  client.send(client.seal());
  await world.engine.jobs.next();
});
