import { sealRequest } from "@bombyx/protocol/session";
import { envelopeKind, toHex, utf8 } from "@bombyx/protocol/wire";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { sealedHead, type TestClient } from "./support/client.ts";
import { startNetwork, type TestNetwork } from "./support/network.ts";
import { dialRaw } from "./support/raw.ts";

const funded = 10n ** 12n;
const answerNano = 128n * 20n;

let network: TestNetwork;
let client: TestClient;
let developer: string;
let tests = 0;

beforeAll(async () => {
  network = await startNetwork({ queueDeadlineMs: 20 });
});
afterAll(() => network.close());
beforeEach(async () => {
  developer = `mallory-${++tests}`;
  await network.fund(developer, funded);
  client = await network.clientOf(developer);
});
afterEach(() => network.killNodes());

async function linked(slots = 4) {
  const model = `silk-${tests}`;
  const node = await network.join({ model, slots });
  const priceId = await client.priceId(model);
  return { node, priceId, session: await client.openSession(node.identity) };
}

describe("an answer is never free", () => {
  it("to a client that is sent away and asks for the same again", async () => {
    const { node, priceId, session } = await linked(1);
    const first = client.ask(session, { priceId });
    const running = await node.requests.next();
    const again = {
      priceId,
      request: 1,
      sealed: sealRequest(session, 1, utf8("for nothing")),
      idempotencyId: "2".repeat(32),
    };
    expect((await client.ask(session, again).refusal()).error).toMatchObject({ code: "NODE_BUSY" });
    expect((await client.ask(session, again).refusal()).error).toMatchObject({ code: "ALREADY_USED" });
    expect((await client.resume(session, 1, 0).refusal()).error).toMatchObject({ code: "REQUEST_UNKNOWN" });
    expect(node.requests.size).toBe(0);

    running.answer("paid");
    await first.text();
    await first.json(envelopeKind.receipt);
    expect(await settled()).toBe(answerNano);
  });

  it("to a client that asks for frames before its body is whole", async () => {
    const { node, priceId, session } = await linked();
    const sealed = sealRequest(session, 0, utf8("for nothing"));
    const head = { ...client.headers, ...sealedHead({ priceId }), "content-length": String(sealed.length) };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
    const path = `/v1/sealed/${toHex(session.sessionId)}/0`;
    const socket = await dialRaw(
      client.url,
      `POST ${path} HTTP/1.1\r\nHost: gateway\r\n${lines.join("")}\r\n`,
    );
    const id = { session: toHex(session.sessionId), request: 0 };
    while ((await network.gateway.ledger.attemptOf(id)) === undefined);

    expect((await client.resume(session, 0, 0).refusal()).error).toMatchObject({ code: "ATTEMPT_OPEN" });
    socket.write(sealed);
    const request = await node.requests.next();
    expect(node.resumptions.size).toBe(0);
    request.answer("paid");
    while ((await settled()) === 0n);
    expect(await settled()).toBe(answerNano);
    socket.destroy();
  });

  it("to a client that asks for a frame that never was, and then for the first", async () => {
    const { node, priceId, session } = await linked();
    const first = client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("one");
    await first.text();

    const never = client.resume(session, 0, 4_000_000_000);
    const resumption = await node.resumptions.next();
    request.refuse({ code: "REQUEST_UNKNOWN", message: "no such frame" }, resumption.stream);
    expect((await never.refusal()).error).toMatchObject({ code: "REQUEST_UNKNOWN" });
    // The node, which still answers the first connection, is told that nobody reads it.
    await request.cancels.next();

    const again = client.resume(session, 0, 0);
    const { stream } = await node.resumptions.next();
    request.say("two", true);
    request.replay(stream, 0);
    request.settle({ finish: "cancelled" }, stream);
    expect(await again.text()).toBe("one");
    expect(await again.text()).toBe("two");
    await again.json(envelopeKind.receipt);
    expect(await settled()).toBe(answerNano);
  });

  const settled = async () => {
    const { availableNano, reservedNano } = await network.gateway.ledger.balance(`sponsor:${developer}`);
    return funded - availableNano - reservedNano;
  };
});
