import { type SessionKeys, sealRequest } from "@bombyx/protocol/session";
import { envelopeKind, type SignedReceipt, toHex, utf8 } from "@bombyx/protocol/wire";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Answer, TestClient } from "./support/client.ts";
import { startNetwork, type TestNetwork } from "./support/network.ts";
import type { NodeRequest, ScriptedNode } from "./support/scripted-node.ts";

/** Answers under way are not waited for: the gateway is gone at once. */
const drainMs = 0;

let network: TestNetwork;
let client: TestClient;
let node: ScriptedNode;
let priceId: string;
let session: SessionKeys;
let developer: string;
let model: string;
let tests = 0;

beforeAll(async () => {
  network = await startNetwork({ drainMs });
});
afterAll(() => network.close());

beforeEach(async () => {
  developer = `ann-${++tests}`;
  model = `spark-${tests}`;
  await network.fund(developer, 10n ** 12n);
  client = await network.clientOf(developer);
  node = await network.join({ model });
  priceId = await client.priceId(model);
  session = await client.openSession(node.identity);
});
afterEach(async () => {
  network.killNodes();
  const { ledger } = network.gateway;
  do await ledger.sweep(Date.now() + 3_600_000, Date.now());
  while ((await audit()).openReservations > 0);
});

const audit = () => network.gateway.ledger.audit();
const attemptId = () => ({ session: toHex(session.sessionId), request: 0 });
const stateOf = async () => (await network.gateway.ledger.attemptOf(attemptId()))?.state;

/** The same node, with the sessions that it had. */
const back = () => network.join({ model, identity: node.identity }, node.sessions);

/** An answer of which `texts` arrived when the gateway went away. */
async function cutBehind(...texts: string[]): Promise<NodeRequest> {
  const answer = client.ask(session, { priceId });
  const request = await node.requests.next();
  for (const text of texts) {
    request.say(text);
    expect(await answer.text()).toBe(text);
  }
  await network.restart(() => node.kill());
  expect(await answer.next()).toBe("end");
  expect(await stateOf()).toBe("lost");
  return request;
}

async function expectFrames(resumed: Answer, request: NodeRequest, from: number, until: number) {
  for (let at = from; at < until; at++) {
    const envelope = await resumed.next();
    if (envelope === "end") throw new Error(`frame ${at} did not come`);
    expect(envelope.kind).toBe(envelopeKind.sealed);
    expect(Buffer.compare(envelope.payload, request.sent[at] ?? new Uint8Array())).toBe(0);
  }
}

describe("an answer whose gateway is gone", () => {
  it("goes on at the next one, byte for byte, and settles once by its own receipt", async () => {
    const request = await cutBehind("one", " two");
    const again = await back();
    const resumed = client.resume(session, 0, 2);
    const { stream, from } = await again.resumptions.next();
    expect(from).toBe(2);
    expect(await stateOf()).toBe("open");
    request.say(" three");
    request.say(" four", true);
    request.replayOn(again, stream, from);
    await expectFrames(resumed, request, 2, 4);
    request.settleOn(again, stream);
    const { receipt } = await resumed.json<SignedReceipt>(envelopeKind.receipt);
    expect(receipt).toMatchObject({ finish: "done", frames: 4, units: 128 });
    expect(await resumed.next()).toBe("end");
    const { ack } = await again.expect("ack");
    expect(ack).toMatchObject({ n: 1 });
    expect(await stateOf()).toBe("settled");
    const { availableNano, reservedNano } = await network.gateway.ledger.balance(`sponsor:${developer}`);
    expect([availableNano, reservedNano]).toEqual([10n ** 12n - 2_560n, 0n]);
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });

  it("waits for its node, when the client is back before it", async () => {
    const request = await cutBehind("one");
    const resumed = client.resume(session, 0, 1);
    const again = await back();
    const { stream, from } = await again.resumptions.next();
    request.say(" two", true);
    request.replayOn(again, stream, from);
    await expectFrames(resumed, request, 1, 2);
    request.settleOn(again, stream);
    await resumed.json(envelopeKind.receipt);
    expect(await stateOf()).toBe("settled");
  });

  it("is shown to the account that asked, and to no other", async () => {
    const request = await cutBehind("one");
    const again = await back();
    await network.fund(`eve-${tests}`, 10n ** 12n);
    const eve = await network.clientOf(`eve-${tests}`);
    const { status, error } = await eve.resume(session, 0, 0).refusal();
    expect([status, error.code]).toEqual([403, "FORBIDDEN"]);
    expect((await client.resume(session, 7, 0).refusal()).error.code).toBe("REQUEST_UNKNOWN");
    expect(again.resumptions.size).toBe(0);
    expect(await stateOf()).toBe("lost");
    // Its untampered twin.
    const resumed = client.resume(session, 0, 0);
    const { stream } = await again.resumptions.next();
    request.replayOn(again, stream, 0);
    await expectFrames(resumed, request, 0, 1);
  });

  it("stays lost when its node does not have it any more, and is paid by what the client brings", async () => {
    const request = await cutBehind("one");
    const again = await back();
    const resumed = client.resume(session, 0, 1);
    const { stream } = await again.resumptions.next();
    request.refuseOn(again, stream, { code: "REQUEST_UNKNOWN", message: "not kept here" });
    expect((await resumed.refusal()).error.code).toBe("REQUEST_UNKNOWN");
    expect(await stateOf()).toBe("lost");
    const checkpoint = request.signed({ finish: "running", units: 64 });
    const presented = await client.call("POST", "/v1/receipts", { body: JSON.stringify(checkpoint) });
    expect(presented.json).toEqual({ units: 64, chargedNano: "1280" });
    // What is paid in part is not shown whole.
    expect((await client.resume(session, 0, 1).refusal()).error.code).toBe("REQUEST_UNKNOWN");
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });

  it("that ended meanwhile is paid by the receipt that its node brings back, and still shown", async () => {
    const request = await cutBehind("one");
    const again = await back();
    request.say(" two", true);
    request.settleOn(again, 0);
    await again.expect("ack");
    expect(await stateOf()).toBe("settled");
    const resumed = client.resume(session, 0, 1);
    const { stream, from } = await again.resumptions.next();
    request.replayOn(again, stream, from);
    await expectFrames(resumed, request, 1, 2);
    request.settleOn(again, stream);
    await resumed.json(envelopeKind.receipt);
    const { availableNano } = await network.gateway.ledger.balance(`sponsor:${developer}`);
    expect(availableNano).toBe(10n ** 12n - 2_560n);
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });

  it("asked for by two connections at once is opened once, and the later one gets it", async () => {
    const request = await cutBehind("one");
    const first = client.resume(session, 0, 1);
    const second = client.resume(session, 0, 1);
    const again = await back();
    await again.resumptions.next();
    const { stream, from } = await again.resumptions.next();
    request.say(" two", true);
    request.replayOn(again, stream, from);
    request.settleOn(again, stream);
    const ends = await Promise.all(
      [first, second].map(async (answer) => {
        const seen: number[] = [];
        for (let e = await answer.next().catch(() => "end" as const); e !== "end"; e = await answer.next())
          seen.push(e.kind);
        return seen;
      }),
    );
    expect(ends.filter((seen) => seen.includes(envelopeKind.receipt))).toHaveLength(1);
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });

  it("that had not begun is asked for again with the same bytes, and paid once", async () => {
    const sealed = sealRequest(session, 0, utf8("again"));
    const answer = client.ask(session, { priceId, sealed });
    await node.requests.next();
    answer.response.catch(() => undefined);
    await network.restart(() => node.kill());
    const repeated = client.ask(session, { priceId, sealed });
    const again = await back();
    const request = await again.requests.next();
    expect(await stateOf()).toBe("open");
    request.answer("hello");
    expect(await repeated.text()).toBe("hello");
    await repeated.json(envelopeKind.receipt);
    expect(await stateOf()).toBe("settled");
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });
});

describe("a session", () => {
  it("serves new requests at the next gateway, and its account alone", async () => {
    await network.restart(() => node.kill());
    const asked = client.ask(session, { priceId, request: 3 });
    const again = await back();
    (await again.requests.next()).answer("hi");
    expect(await asked.text()).toBe("hi");
    const eve = await network.clientOf(`eve-${tests}`);
    const { status, error } = await eve.ask(session, { priceId, request: 4 }).refusal();
    expect([status, error.code]).toEqual([403, "FORBIDDEN"]);
  });

  it("is forgotten with its epoch", async () => {
    await network.restart(() => node.kill());
    await back();
    network.advance(70 * 60_000);
    const { error } = await client.resume(session, 0, 0).refusal();
    expect(error.code).toBe("SESSION_UNKNOWN");
    network.advance(-70 * 60_000);
  });
});
