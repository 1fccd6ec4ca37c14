import { auditReceipt, verifyReceipt } from "@bombyx/protocol/receipt";
import { FramesHash } from "@bombyx/protocol/session";
import { fromHex, toHex } from "@bombyx/protocol/wire";
import { expect, it } from "vitest";
import { price } from "./fake-gateway.ts";
import { World } from "./world.ts";

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

    const receipt = verifyReceipt(await stream.receipt(), fromHex(world.admission.statement.sig_pk));
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
    expect(reader.frames.slice(1).every(({ length }) => length === 256 + 17)).toBe(true);
  },
);
