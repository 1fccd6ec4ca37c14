import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { verifySignature } from "@bombyx/protocol/session";
import { concat, fromHex, limits, linkKind, type NodeControl, utf8 } from "@bombyx/protocol/wire";
import { expect, it } from "vitest";
import { type NodeStatus, startNode } from "../src/index.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeGateway } from "./fake-gateway.ts";
import { Queue } from "./queue.ts";
import { ScriptedEngine } from "./scripted-engine.ts";
import { chain, simulatedQuotes, World } from "./world.ts";

const control = <T extends NodeControl["t"]>(world: World, t: T) =>
  world.gateway.control.nextWhere((message): message is NodeControl & { t: T } => message.t === t);

it("says who it is, attests, offers its model as measured, and reports its load", async () => {
  await using world = await World.start({ pairingCode: "PAIR-1234", name: "alder", coefficient: 1_000 });
  const hello = await control(world, "hello");
  expect(hello).toMatchObject({
    name: "alder",
    payout: "unset",
    pairingCode: "PAIR-1234",
    coefficient: 1_000,
  });
  const challenge = concat(utf8("bombyx/link-auth/v1\0"), fromHex("ab".repeat(32)));
  expect(verifySignature(fromHex(hello.signature), challenge, fromHex(hello.linkPk))).toBe(true);
  expect((await control(world, "offer")).models).toEqual([
    {
      id: "scripted",
      manifest: world.admission.statement.manifests[0],
      contextTokens: 2_048,
      slots: 4,
      prefillTokensPerSecond: 1_000,
      decodeTokensPerSecond: 100,
      embeddings: true,
    },
  ]);
  world.clock.advance(50);
  expect(await control(world, "load")).toMatchObject({ running: 0, sessions: 0 });
  const client = await world.client();
  client.send(client.seal());
  await world.engine.jobs.next();
  world.clock.advance(50);
  expect(await control(world, "load")).toMatchObject({ running: 1, sessions: 1 });
});

it("keeps the owner's key on disk for the owner alone, and is the same node after a restart", async () => {
  const stateDir = await mkdtemp(join(tmpdir(), "bombyx-node-"));
  const ids: string[] = [];
  for (const payout of ["unset", "unset", "EQ-wallet"]) {
    await using world = await World.start({ stateDir, payout });
    ids.push(world.node.nodeId);
    expect((await stat(join(stateDir, "link.key"))).mode & 0o777).toBe(0o600);
    world.ownsState = false;
  }
  expect(ids[1]).toBe(ids[0]);
  expect(ids[2]).not.toBe(ids[0]);
  await rm(stateDir, { recursive: true });
});

it("comes back after a lost link with its sessions, and a client goes on where it was", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  const reader = client.reader(request);
  job.say("before ");
  world.clock.advance(80);
  reader.read((await stream.frame()).sealed);

  await world.reconnect();
  job.say("between ");
  world.clock.advance(80);
  job.say("after");
  job.end();
  const resumed = client.resume(request, 1);
  await reader.readAll(resumed);
  expect(reader.text).toBe("before between after");
  expect((await resumed.receipt()).receipt.finish).toBe("done");
  // The session is the same, too.
  client.send(client.seal());
  await world.engine.jobs.next();
});

it("goes on past the reader's window while its link is lost, and gives it all to the client that comes back", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  const reader = client.reader(request);
  job.say("before");
  world.clock.advance(limits.tickMs);
  reader.read((await stream.frame()).sealed);

  await world.reconnect();
  const words = Array.from({ length: 6 * limits.windowFrames }, (_, n) => ` word-${n}-${"x".repeat(60)}`);
  for (const word of words) {
    job.say(word);
    world.clock.advance(limits.tickMs);
  }
  expect(job.signal.aborted).toBe(false);
  const resumed = client.resume(request, 1);
  job.end();
  await reader.readAll(resumed);
  expect(reader.text).toBe(["before", ...words].join(""));
  expect((await resumed.receipt()).receipt.finish).toBe("done");
});

it("stops the model when nobody came back for half a minute, and has the receipt ready", async () => {
  await using world = await World.start();
  const client = await world.client();
  client.send(client.seal());
  const job = await world.engine.jobs.next();
  for (let i = 0; i < 3; i++) job.say("word ");
  const waitMs = await world.reconnect();
  world.clock.advance(limits.lostLinkMs - waitMs - 1);
  expect(job.signal.aborted).toBe(false);
  world.clock.advance(1);
  expect(job.signal.aborted).toBe(true);
  expect((await world.gateway.resent.next()).receipt).toMatchObject({ finish: "cancelled", units: 64 });
});

it("sends a receipt again after reconnecting until it is acknowledged, and then no more", async () => {
  await using world = await World.start();
  world.gateway.acknowledges = false;
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  (await world.engine.jobs.next()).end();
  await client.reader(request).readAll(stream);
  const signed = await stream.receipt();

  world.gateway.acknowledges = true;
  await world.reconnect();
  expect(await world.gateway.resent.next()).toEqual(signed);
  await world.statuses.nextWhere(({ state }) => state === "paid");
  await world.reconnect();
  await world.gateway.roundTrip();
  expect(world.gateway.resent.here).toEqual([]);
});

it.each([
  ["its signature is not the gateway's", "signature"],
  ["it names another account", "account"],
  ["it names another vault", "vault"],
  ["it chains another receipt", "receiptsHash"],
] as const)("takes no Ack for a receipt when %s", async (_, field) => {
  await using world = await World.start();
  const genuine = world.gateway.tamper;
  world.gateway.tamper = (ack, sign) => {
    if (field === "signature") return { ack, signature: "00".repeat(64) };
    const forged = { ...ack, [field]: "ee".repeat(32) };
    return { ack: forged, signature: sign(forged) };
  };
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  (await world.engine.jobs.next()).end();
  await client.reader(request).readAll(stream);
  const signed = await stream.receipt();
  await world.gateway.roundTrip();
  world.gateway.tamper = genuine;
  await world.reconnect();
  expect(await world.gateway.resent.next()).toEqual(signed);
});

it("has the last Ack on disk, the owner's proof of what is owed, before it says that it was paid", async () => {
  await using world = await World.start();
  const client = await world.client();
  for (let i = 0; i < 3; i++) {
    const request = client.seal();
    const stream = client.send(request);
    (await world.engine.jobs.next()).end();
    await client.reader(request).readAll(stream);
  }
  await world.statuses.nextWhere((status) => status.state === "paid" && status.requests === 3);
  // The node still runs: whatever ends it now, this is kept.
  const folder = join(world.stateDir, "settlement", world.node.nodeId.slice(0, 16));
  const { last } = JSON.parse(await readFile(join(folder, "acks.json"), "utf8"));
  expect(last.ack).toMatchObject({ n: 3, cumulativeNano: String(3n * 64n * 20n) });
  expect(last.signature).toMatch(/^[0-9a-f]{128}$/);
});

it("serves nothing more at 1,000 unacknowledged receipts, and goes on when they are acknowledged", async () => {
  await using world = await World.start();
  world.gateway.acknowledges = false;
  for (let i = 0; i < limits.unacknowledgedReceipts / 50; i++) {
    const client = await world.client(1);
    for (let k = 0; k < 50; k++) {
      const request = client.seal({}, { tickMs: 0 });
      const stream = client.send(request);
      (await world.engine.jobs.next()).end();
      await stream.receipt();
    }
  }
  world.clock.advance(1_000);
  await expect(world.client(1)).rejects.toThrow(/NODE_BUSY/);
  expect(await world.statuses.nextWhere(({ state }) => state === "held")).toMatchObject({
    code: "unacknowledged",
  });
  world.gateway.acknowledges = true;
  await world.reconnect();
  await world.statuses.nextWhere(({ state }) => state === "serving");
  await world.client(1);
}, 60_000);

it("keeps trying while the gateway is out of reach, says so, and is admitted when it is there", async () => {
  const gateway = await FakeGateway.start();
  const { url } = gateway;
  await gateway.close();
  const clock = new FakeClock();
  const statuses = new Queue<NodeStatus>();
  const stateDir = await mkdtemp(join(tmpdir(), "bombyx-node-"));
  const starting = startNode({
    gateway: url,
    stateDir,
    name: "patient",
    engine: new ScriptedEngine(),
    quotes: await simulatedQuotes(),
    chain,
    clock,
    random: () => 0.5,
    onStatus: (status) => statuses.push(status),
  });
  const waits: number[] = [];
  for (let i = 0; i < 4; i++) {
    const status = await statuses.next();
    if (status.state !== "waiting") throw new Error("admitted by nobody");
    expect(status.message).toContain("ECONNREFUSED");
    waits.push(status.waitMs);
    if (i < 3) clock.advance(status.waitMs);
  }
  // Half of a doubling span each.
  expect(waits).toEqual([125, 250, 500, 1_000]);
  const late = await FakeGateway.start(Number(new URL(url).port));
  clock.advance(1_000);
  const node = await starting;
  expect(await statuses.next()).toMatchObject({ state: "admitted" });
  await node.close();
  await late.close();
  await rm(stateDir, { recursive: true });
});

it("gives up when the gateway refuses it for good, with the gateway's own words", async () => {
  const gateway = await FakeGateway.start();
  gateway.refusal = { t: "refused", code: "PAIRING_INVALID", message: "This code was used.", fatal: true };
  const engine = new ScriptedEngine();
  const stateDir = await mkdtemp(join(tmpdir(), "bombyx-node-"));
  const options = {
    gateway: gateway.url,
    stateDir,
    name: "n",
    engine,
    quotes: await simulatedQuotes(),
    chain,
  };
  await expect(startNode(options)).rejects.toMatchObject({
    code: "LINK_AUTH",
    message: expect.stringMatching(/PAIRING_INVALID.*This code was used/),
  });
  expect(engine.closed).toBe(true);

  gateway.refusal = { ...gateway.refusal, fatal: false };
  const statuses = new Queue<NodeStatus>();
  const clock = new FakeClock();
  const patient = startNode({
    ...options,
    clock,
    random: () => 0.5,
    onStatus: (status) => statuses.push(status),
  });
  expect(await statuses.next()).toMatchObject({ state: "waiting", code: "PAIRING_INVALID" });
  gateway.refusal = undefined;
  clock.advance(1_000);
  await (await patient).close();
  await gateway.close();
  await rm(stateDir, { recursive: true });
});

it("lets running answers end when it is stopped, takes nothing new meanwhile, and then erases its keys", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal({}, { tickMs: 0 });
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  const closed = world.node.close(60_000);
  await control(world, "draining");
  expect(await client.send(client.seal()).failed()).toMatchObject({ code: "DRAINING" });
  job.say("the end");
  job.end();
  const reader = await client.reader(request).readAll(stream);
  expect(reader.text).toBe("the end");
  expect((await stream.receipt()).receipt.finish).toBe("done");
  await closed;
  expect(world.engine.closed).toBe(true);
  expect(world.engine.forgotten).toEqual([client.session]);
});

it("stops what still runs when its time to stop is over", async () => {
  await using world = await World.start();
  const client = await world.client();
  const stream = client.send(client.seal());
  const job = await world.engine.jobs.next();
  const closed = world.node.close(1_000);
  await control(world, "draining");
  world.clock.advance(1_000);
  expect((await stream.receipt()).receipt.finish).toBe("cancelled");
  await closed;
  expect(job.signal.aborted).toBe(true);
});

it("drops a gateway that falls silent, and comes back", async () => {
  await using world = await World.start();
  world.gateway.mute();
  world.clock.advance(30_000);
  await world.readmission();
  const client = await world.client();
  client.send(client.seal());
  await world.engine.jobs.next();
});

it("ends a link whose gateway speaks another protocol, and tries again", async () => {
  await using world = await World.start();
  world.gateway.sendData(linkKind.request, 0xffff, 0, new Uint8Array(3));
  await world.gateway.roundTrip();
  world.gateway.sendRaw(new Uint8Array([9, 9, 9]));
  await world.readmission();
  await world.client();
});
