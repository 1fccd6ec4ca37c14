import { auditReceipt, runningDetailHash, verifyReceipt } from "@bombyx/protocol/receipt";
import { FramesHash } from "@bombyx/protocol/session";
import { fromHex, linkKind, type Receipt, toHex } from "@bombyx/protocol/wire";
import { expect, it } from "vitest";
import type { AnswerReader, ClientRequest } from "./client.ts";
import { price } from "./fake-gateway.ts";
import { World } from "./world.ts";

const sigPk = (world: World) => fromHex(world.admission.statement.sig_pk);

/** The running receipt as the client rebuilds it from what it sealed, read and knows. */
function runningReceipt(
  world: World,
  { head, inner }: ClientRequest,
  requestHash: string,
  reader: AnswerReader,
  nodeToClient: Uint8Array,
  at: AnswerReader["checkpoints"][number],
  units: number,
): Receipt {
  const hash = new FramesHash();
  for (const frame of reader.frames.slice(0, at.frame)) hash.push(frame);
  const counts = { ...at.counts, continuation: head.continuation };
  return {
    v: 1,
    attestationId: world.admission.attestationId,
    session: head.session,
    request: head.request,
    idempotencyId: head.idempotencyId,
    manifest: world.admission.statement.manifests[0]!,
    priceId: head.priceId,
    coefficient: 1_000,
    capUnits: head.capUnits,
    ceilingUnits: inner.ceilingUnits,
    units,
    frames: at.frame,
    finish: "running",
    requestHash,
    framesHash: toHex(hash.digest),
    detailHash: toHex(runningDetailHash(nodeToClient, head.request, counts)),
  };
}

it.each([1, 2] as const)(
  "answers a sealed request in sealed frames and ends with a receipt the client can audit (suite %i)",
  async (suite) => {
    await using world = await World.start();
    const client = await world.client(suite);
    const request = client.seal({ temperature: 0.5, max_tokens: 50 });
    const stream = client.send(request);
    const job = await world.engine.jobs.next();
    expect(job.job).toMatchObject({
      kind: "chat",
      messages: [{ role: "user", content: "Hello" }],
      temperature: 0.5,
      maxTokens: 50,
      session: client.session,
    });

    const reader = client.reader(request);
    world.clock.advance(80);
    reader.read((await stream.frame()).sealed);
    expect(reader.pings).toBe(1);
    job.say("Good ");
    job.say("day");
    world.clock.advance(80);
    reader.read((await stream.frame()).sealed);
    expect(reader.deltas).toEqual([{ text: "Good day" }]);
    job.say("!");
    job.end();
    await reader.readAll(stream);
    expect(reader.text).toBe("Good day!");

    const receipt = verifyReceipt(await stream.receipt(), sigPk(world));
    expect(reader.detail).toMatchObject({
      promptTokens: 10,
      completionTokens: 3,
      finishReason: "stop",
      seed: 7,
    });
    auditReceipt(receipt, reader.detail, price);
    const hash = new FramesHash();
    for (const frame of reader.frames) hash.push(frame);
    expect(receipt).toMatchObject({
      finish: "done",
      frames: reader.frames.length,
      framesHash: toHex(hash.digest),
      units: 64,
      idempotencyId: request.head.idempotencyId,
    });
    // 256 bytes and one tag each, behind the header of the first.
    expect(new Set(reader.frames.slice(1).map(({ length }) => length))).toEqual(new Set([256 + 17]));
  },
);

it("sends one frame per tick, whatever the model does, from acceptance on", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  const reader = client.reader(request);
  for (const words of [0, 40, 0, 3]) {
    for (let i = 0; i < words; i++) job.say("word ");
    world.clock.advance(79);
    expect(stream.messages.here).toEqual([]);
    world.clock.advance(1);
    reader.read((await stream.frame()).sealed);
  }
  expect(reader.frames.length).toBe(4);
});

it("signs with each frame of words a running receipt that the client rebuilds from the counts", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  const reader = client.reader(request);
  for (const word of ["one ", "two ", "three "]) {
    job.say(word);
    world.clock.advance(80);
    reader.read((await stream.frame()).sealed);
  }
  expect(reader.checkpoints.map(({ counts }) => counts.completionTokens)).toEqual([1, 2, 3]);

  job.end();
  await reader.readAll(stream);
  const { requestHash } = (await stream.receipt()).receipt;
  const last = reader.checkpoints[2]!;
  const rebuild = (units: number) =>
    runningReceipt(world, request, requestHash, reader, client.keys.nodeToClient, last, units);
  const signature = toHex(last.signature);
  // 10 prompt tokens, and three of completion at eight units each: 34, rounded up.
  expect(verifyReceipt({ receipt: rebuild(64), signature }, sigPk(world))).toMatchObject({ units: 64 });
  expect(() => verifyReceipt({ receipt: rebuild(128), signature }, sigPk(world))).toThrow(/not signed/);
});

it("gives the gateway a running receipt in the clear every 64 frames, and none before", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  const reader = client.reader(request);
  for (let i = 0; i < 130; i++) {
    job.say("word ");
    world.clock.advance(80);
    const { index, sealed } = await stream.frame();
    reader.read(sealed);
    stream.send(linkKind.window, index + 1);
    // The node has taken the window message once it answers a later one.
    if (index % 8 === 7) await world.gateway.roundTrip();
  }
  expect(stream.receipts.map(({ receipt }) => [receipt.frames, receipt.finish, receipt.units])).toEqual([
    [64, "running", 576],
    [128, "running", 1_088],
  ]);
  for (const signed of stream.receipts) verifyReceipt(signed, sigPk(world));
});

it("sends what is ready in one turn of the event loop when the client asked for tick 0", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal({}, { tickMs: 0 });
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  const reader = client.reader(request);
  job.say("a");
  job.say("b");
  reader.read((await stream.frame()).sealed);
  expect(reader.deltas).toEqual([{ text: "ab" }]);
  job.say("c");
  reader.read((await stream.frame()).sealed);
  job.end();
  await reader.readAll(stream);
  expect(reader.text).toBe("abc");
  expect(reader.pings).toBe(0);
});

it("carries tool calls, reasoning and lines that are longer than a frame", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  const values = Array.from({ length: 300 }, (_, i) => i / 7);
  job.delta({ reasoning: "Hm" });
  job.delta({ reasoning: "m." });
  job.delta({ toolCall: { index: 0, id: "call_1", name: "weather", arguments: "" } });
  job.delta({ toolCall: { index: 0, arguments: '{"city":' } });
  job.delta({ toolCall: { index: 0, arguments: '"Tbilisi"}' } });
  job.delta({ embedding: { index: 0, values } });
  job.end();
  const reader = await client.reader(request).readAll(stream);
  expect(reader.deltas).toEqual([
    { reasoning: "Hmm." },
    { toolCall: { index: 0, id: "call_1", name: "weather", arguments: '{"city":"Tbilisi"}' } },
    { embedding: { index: 0, values } },
  ]);
  // A checkpoint counts whole lines only: the embedding's token when its last frame is there.
  expect(reader.checkpoints.map(({ counts }) => counts.completionTokens).at(-2)).toBe(5);
  expect(reader.checkpoints.at(-1)?.counts.completionTokens).toBe(6);
});

it("sends a request's frames again when the same bytes come again, and refuses other bytes", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  job.say("once");
  job.end();
  const first = await client.reader(request).readAll(stream);
  const receipt = await stream.receipt();

  const again = client.send(request);
  const second = await client.reader(request).readAll(again);
  expect(second.frames).toEqual(first.frames);
  expect(await again.receipt()).toEqual(receipt);
  expect(world.engine.jobs.here).toEqual([]);

  const other = client.seal({ temperature: 1 }, {}, { request: request.head.request });
  expect(await client.send(other).failed()).toMatchObject({ code: "ALREADY_USED" });
  await world.pass(60_000);
  expect(await client.send(request).failed()).toMatchObject({ code: "ALREADY_USED" });
});

it("takes request ids in any order, each once, up to 63", async () => {
  await using world = await World.start();
  const client = await world.client();
  for (const id of [63, 0, 40]) {
    const request = client.seal({}, {}, { request: id });
    const stream = client.send(request);
    (await world.engine.jobs.next()).end();
    await client.reader(request).readAll(stream);
    expect((await stream.receipt()).receipt.request).toBe(id);
  }
});

it("goes on from any frame on another stream, which takes over from the first", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  const reader = client.reader(request);
  for (const word of ["one ", "two ", "three "]) {
    job.say(word);
    world.clock.advance(80);
    if (word !== "three ") reader.read((await stream.frame()).sealed);
  }
  const resumed = client.resume(request, 2);
  const { index, sealed } = await resumed.frame();
  expect(index).toBe(2);
  reader.read(sealed);
  // The first stream is over: its cancel does nothing any more.
  stream.send(linkKind.cancel, 2);
  await world.gateway.roundTrip();
  expect(job.signal.aborted).toBe(false);
  job.say("four");
  job.end();
  await reader.readAll(resumed);
  expect(reader.text).toBe("one two three four");
  expect((await resumed.receipt()).receipt.finish).toBe("done");
});

it("refuses to resume what it does not keep", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  (await world.engine.jobs.next()).end();
  const { frames } = await client.reader(request).readAll(stream);
  expect(await client.resume(request, frames.length + 1).failed()).toMatchObject({ code: "REQUEST_UNKNOWN" });
  const unused = client.seal();
  expect(await client.resume(unused, 0).failed()).toMatchObject({ code: "REQUEST_UNKNOWN" });
  const resumed = client.resume(request, frames.length);
  expect((await resumed.receipt()).receipt.finish).toBe("done");
});

it("stops the model at once when the client hangs up, and bills what was generated", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  for (let i = 0; i < 12; i++) job.say("word ");
  world.clock.advance(80);
  const reader = client.reader(request);
  reader.read((await stream.frame()).sealed);
  stream.send(linkKind.cancel, 1);
  const receipt = verifyReceipt(await stream.receipt(), sigPk(world));
  expect(job.signal.aborted).toBe(true);
  // 10 + 12 × 8 = 106
  expect(receipt).toMatchObject({ finish: "cancelled", units: 128 });

  // Who hung up may fetch the rest: what was generated, and the detail that the receipt commits to.
  await reader.readAll(client.resume(request, 1));
  expect(reader.text).toBe("word ".repeat(12));
  expect(reader.detail).toMatchObject({ finishReason: "cancelled", completionTokens: 12 });
  auditReceipt(receipt, reader.detail, price);
});

it("ends a cancelled answer within a second even when the engine does not", async () => {
  await using world = await World.start();
  world.engine.obeysAbort = false;
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  job.say("word ");
  world.clock.advance(80);
  await stream.frame();
  stream.send(linkKind.cancel, 1);
  await world.gateway.roundTrip();
  world.clock.advance(1_000);
  expect((await stream.receipt()).receipt).toMatchObject({ finish: "cancelled", units: 64 });
});

it("runs at most 16 frames ahead of what the relay wrote, and goes on when it has written more", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal();
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  const reader = client.reader(request);
  for (let i = 0; i < 20; i++) {
    job.say(`${i} `);
    world.clock.advance(80);
  }
  for (let i = 0; i < 16; i++) reader.read((await stream.frame()).sealed);
  await world.gateway.roundTrip();
  expect(stream.messages.here).toEqual([]);
  stream.send(linkKind.window, 8);
  await world.gateway.roundTrip();
  world.clock.advance(80);
  job.end();
  await reader.readAll(stream);
  expect(reader.text).toBe(Array.from({ length: 20 }, (_, i) => `${i} `).join(""));
});

it("cancels an answer whose reader has stalled for ten seconds", async () => {
  await using world = await World.start();
  const client = await world.client();
  const stream = client.send(client.seal());
  const job = await world.engine.jobs.next();
  job.say("word ");
  world.clock.advance(16 * 80);
  world.clock.advance(80);
  for (let i = 0; i < 16; i++) await stream.frame();
  world.clock.advance(9_900);
  expect(job.signal.aborted).toBe(false);
  world.clock.advance(100);
  expect(job.signal.aborted).toBe(true);
  expect((await stream.receipt()).receipt.finish).toBe("cancelled");
});

it("stops with finish reason length where the client's ceiling ends", async () => {
  await using world = await World.start();
  const client = await world.client();
  // 10 prompt tokens leave 54 units: six tokens at eight each.
  const request = client.seal({}, { ceilingUnits: 64 });
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  for (let i = 0; i < 9; i++) job.say(`${i}`);
  const reader = await client.reader(request).readAll(stream);
  expect(job.signal.aborted).toBe(true);
  expect(reader.text).toBe("012345");
  expect(reader.detail).toMatchObject({ finishReason: "length", completionTokens: 6 });
  const { receipt } = await stream.receipt();
  expect(receipt).toMatchObject({ finish: "done", units: 64 });
  auditReceipt(receipt, reader.detail, price);
});

it("does not bill the prompt of a continuation again, and hands the engine what was delivered", async () => {
  await using world = await World.start();
  const client = await world.client();
  const request = client.seal({}, { prefix: "Once upon" }, { continuation: true });
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  expect(job.job).toMatchObject({ prefix: "Once upon" });
  for (let i = 0; i < 9; i++) job.say("x");
  job.end();
  const reader = await client.reader(request).readAll(stream);
  const { receipt } = await stream.receipt();
  // 9 × 8 = 72, rounded down.
  expect(receipt.units).toBe(64);
  expect(reader.detail.continuation).toBe(true);
  auditReceipt(receipt, reader.detail, price);
});
