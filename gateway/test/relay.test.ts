import { signReceipt } from "@bombyx/protocol/receipt";
import { newSigningKeyPair, type SessionKeys, sealRequest } from "@bombyx/protocol/session";
import {
  candidatesSchema,
  type ErrorBody,
  envelopeKind,
  fromHex,
  limits,
  type SignedReceipt,
  sealedHeaders,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TestClient } from "./support/client.ts";
import { startNetwork, type TestNetwork } from "./support/network.ts";
import type { ScriptedNode } from "./support/scripted-node.ts";

let network: TestNetwork;
let client: TestClient;
let node: ScriptedNode;
let priceId: string;
let session: SessionKeys;
let developer: string;
let model: string;
let tests = 0;

beforeAll(async () => {
  network = await startNetwork();
});
afterAll(() => network.close());

/** Each test has its own developer, and a node with a model of its own. */
beforeEach(async () => {
  developer = `ann-${++tests}`;
  model = `spark-${tests}`;
  await network.fund(developer, 10n ** 12n);
  client = await network.clientOf(developer);
  node = await join();
  priceId = await client.priceId(model);
  session = await client.openSession(node.identity);
});
afterEach(async () => {
  network.killNodes();
  // What a test left open is lost with its node, and ends here.
  const { ledger } = network.gateway;
  do await ledger.sweep(Date.now() + 3_600_000, Date.now());
  while ((await audit()).openReservations > 0);
});

const audit = () => network.gateway.ledger.audit();
const join = (options: Parameters<TestNetwork["join"]>[0] = {}, sessions?: ScriptedNode["sessions"]) =>
  network.join({ model, ...options }, sessions);

describe("a sealed request", () => {
  it("reaches the node sealed and comes back sealed, frame by frame, with the receipt at its end", async () => {
    const answer = client.ask(session, { text: "who spins silk?", priceId });
    const request = await node.requests.next();
    expect(request.text).toBe("who spins silk?");

    request.say("Bombyx ");
    expect(await answer.text()).toBe("Bombyx ");
    request.say("mori", true);
    expect(await answer.text()).toBe("mori");
    request.settle();
    const { receipt } = await answer.json<SignedReceipt>(envelopeKind.receipt);
    expect(receipt).toMatchObject({ finish: "done", units: 128, frames: 2 });
    expect(await answer.next()).toBe("end");

    const { ack } = await node.expect("ack");
    expect(ack).toMatchObject({ n: 1, index: 0, globalId: 0 });
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });

  it("is paid from the sponsor's account: 128 units at 20 nanoTON, of which a tenth is the operator's", async () => {
    const before = await network.gateway.ledger.balance(`sponsor:${developer}`);
    const answer = client.ask(session, { priceId });
    (await node.requests.next()).answer("hi");
    await answer.text();
    await answer.json(envelopeKind.receipt);
    const after = await network.gateway.ledger.balance(`sponsor:${developer}`);
    expect(before.availableNano - after.availableNano).toBe(2_560n);
    const { ack } = await node.expect("ack");
    expect(ack.cumulativeNano).toBe("2304");
  });

  it("carries the gateway's cap and the client's own words to the node", async () => {
    client.ask(session, { priceId, maxTokens: "1024", idempotencyId: "ab".repeat(16) });
    const { head } = await node.requests.next();
    expect(head).toMatchObject({
      idempotencyId: "ab".repeat(16),
      priceId,
      maxTokens: 1_024,
      continuation: false,
      // 1 KB of prompt at 1, 1,024 tokens of completion at 8.
      capUnits: 1_024 + 8 * 1_024,
    });
  });

  it("takes its money before its body is read", async () => {
    const poor = await network.clientOf(`poor-${tests}`);
    await network.fund(`poor-${tests}`, 1n);
    const own = await poor.openSession(node.identity);
    const path = `/v1/sealed/${toHex(own.sessionId)}/0`;
    // The head of a request whose body never comes.
    const refused = await poor.call("POST", path, {
      headers: {
        "content-length": "1065",
        [sealedHeaders.idempotencyId]: "1".repeat(32),
        [sealedHeaders.price]: priceId,
        [sealedHeaders.maxTokens]: "256",
      },
      body: new Uint8Array(1_065),
    });
    expect(refused.status).toBe(402);
    expect(refused.json.error).toMatchObject({ code: "ALLOWANCE_EXHAUSTED" });
    expect(node.requests.size).toBe(0);
  });

  it("may be repeated with the same bytes, and is answered from the node's buffer without a second charge", async () => {
    const sealed = sealRequest(session, 0, utf8("again"));
    const first = client.ask(session, { priceId, sealed });
    const request = await node.requests.next();
    request.say("one");
    await first.text();

    const second = client.ask(session, { priceId, sealed });
    const repeated = await node.requests.next();
    expect(repeated.head).toEqual(request.head);
    request.say(" two", true);
    request.replay(repeated.stream, 0);
    request.settle({}, repeated.stream);
    expect(await second.text()).toBe("one");
    expect(await second.text()).toBe(" two");
    await second.json(envelopeKind.receipt);
    expect(await first.next()).toBe("end");
    expect(request.cancels.size).toBe(0);
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });

  it("is refused when its id was used for other bytes", async () => {
    const first = client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("one");
    await first.text();
    const { status, error } = await client.ask(session, { priceId, text: "another" }).refusal();
    expect([status, error.code]).toEqual([409, "ALREADY_USED"]);
  });

  it("waits its turn when an attempt of the same idempotency id is still open", async () => {
    client.ask(session, { priceId });
    await node.requests.next();
    const { status, error } = await client.ask(session, { priceId, request: 1 }).refusal();
    expect([status, error.code]).toEqual([409, "ATTEMPT_OPEN"]);
  });
});

describe("the head of a sealed request", () => {
  const wrong: [name: string, change: Record<string, string>, code: string, field: string][] = [
    [
      "an idempotency id that is not 16 bytes",
      { [sealedHeaders.idempotencyId]: "ab" },
      "BAD_REQUEST",
      "Bombyx-Idempotency-Id",
    ],
    ["a price id in upper case", { [sealedHeaders.price]: "AB".repeat(16) }, "BAD_REQUEST", "Bombyx-Price"],
    [
      "a maximum between the buckets",
      { [sealedHeaders.maxTokens]: "300" },
      "BAD_REQUEST",
      "Bombyx-Max-Tokens",
    ],
    [
      "a lost attempt without a request id",
      { [sealedHeaders.lostAttempt]: "ab".repeat(32) },
      "BAD_REQUEST",
      "Bombyx-Lost-Attempt",
    ],
    ["a length between the buckets", { "content-length": "1064" }, "BAD_REQUEST", "Content-Length"],
    ["a length above the largest bucket", { "content-length": "400000" }, "BODY_TOO_LARGE", "Content-Length"],
  ];
  it.each(wrong)("with %s is refused by name, unread", async (_name, headers, code, field) => {
    const { error } = await client.ask(session, { priceId, headers }).refusal();
    expect(error).toMatchObject({ code, field });
    expect(await audit()).toMatchObject({ openReservations: 0 });
  });

  it("with a price that nobody offers is refused as PRICE_UNKNOWN", async () => {
    const { status, error } = await client.ask(session, { priceId: "0".repeat(32) }).refusal();
    expect([status, error.code]).toEqual([409, "PRICE_UNKNOWN"]);
  });
});

describe("a session", () => {
  it("serves only the account that opened it", async () => {
    await network.fund(`bob-${tests}`, 10n ** 12n);
    const bob = await network.clientOf(`bob-${tests}`);
    const { status, error } = await bob.ask(session, { priceId }).refusal();
    expect([status, error.code]).toEqual([403, "FORBIDDEN"]);
    const own = client.ask(session, { priceId });
    (await node.requests.next()).answer("mine");
    expect(await own.text()).toBe("mine");
  });

  it("is not opened without an allowance", async () => {
    const poor = await network.clientOf(`poor-${tests}`);
    await expect(poor.openSession(node.identity)).rejects.toThrow("ALLOWANCE_EXHAUSTED");
    expect(node.handshakes.size).toBe(1);
  });

  it("makes room for a fifth one of the same account: the oldest idle one ends", async () => {
    for (let i = 0; i < 4; i++) await client.openSession(node.identity);
    const { status, error } = await client.ask(session, { priceId }).refusal();
    expect([status, error.code]).toEqual([404, "SESSION_UNKNOWN"]);
  });

  it("is refused as SESSION_LIMIT when all four of the account are answering", async () => {
    const sessions = [session];
    for (let i = 0; i < 3; i++) sessions.push(await client.openSession(node.identity));
    for (const [i, own] of sessions.entries()) {
      client.ask(own, { priceId, idempotencyId: String(i).repeat(32) });
      await node.requests.next();
    }
    await expect(client.openSession(node.identity)).rejects.toThrow("SESSION_LIMIT");
  });

  it("of nobody is SESSION_UNKNOWN", async () => {
    const stranger = { ...session, sessionId: fromHex("00".repeat(32)) };
    const sealed = sealRequest(session, 0, utf8("x"));
    const { error } = await client.ask(stranger, { priceId, sealed }).refusal();
    expect(error.code).toBe("SESSION_UNKNOWN");
  });
});

describe("a client that hangs up", () => {
  it("cancels at the node, with the number of frames it was written, and pays the node's last receipt", async () => {
    const answer = client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("one");
    await answer.text();
    answer.destroy();
    expect(await request.cancels.next()).toBe(1);
    request.settle({ finish: "cancelled", units: 64 });
    expect((await node.expect("ack")).ack.n).toBe(1);
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });

    const later = await client.call("GET", `/v1/receipts/${toHex(session.sessionId)}/0`);
    expect(later.json).toMatchObject({ receipt: { finish: "cancelled", units: 64 } });
  });

  it("in the middle of its body releases its money and its slot", async () => {
    const one = await join({ model: `one-${tests}`, slots: 1 });
    const price = await client.priceId(`one-${tests}`);
    const own = await client.openSession(one.identity);
    const half = client.ask(own, { priceId: price, headers: { "content-length": "4137" } });
    await reservations(1);
    half.destroy();
    await reservations(0);
    client.ask(own, { priceId: price, request: 1, idempotencyId: "b".repeat(32) });
    expect((await one.requests.next()).head.request).toBe(1);
  });

  it("before its turn leaves the queue and its money is released", async () => {
    const slow = await join({ slots: 1, model: "slow" });
    const price = await client.priceId("slow");
    const own = await client.openSession(slow.identity);
    client.ask(own, { priceId: price, idempotencyId: "a".repeat(32) });
    const running = await slow.requests.next();
    const waiting = client.ask(own, { priceId: price, request: 1, idempotencyId: "b".repeat(32) });
    await reservations(2);
    waiting.destroy();
    await reservations(1);
    running.answer("done");
    await slow.expect("ack");
    expect(slow.requests.size).toBe(0);
  });
});

describe("the window", () => {
  it("follows what the client was written, eight frames at a time", async () => {
    const answer = client.ask(session, { priceId });
    const request = await node.requests.next();
    for (let i = 0; i < 17; i++) request.say("x");
    for (let i = 0; i < 17; i++) await answer.text();
    expect(await request.windows.next()).toBe(8);
    expect(await request.windows.next()).toBe(16);
    expect(request.windows.size).toBe(0);
  });
});

describe("a resumption", () => {
  it("brings the frames from N on again, and the receipt", async () => {
    const answer = client.ask(session, { priceId });
    const request = await node.requests.next();
    for (const text of ["a", "b", "c"]) request.say(text);
    await answer.text();
    const resumed = client.resume(session, 0, 1);
    const { stream, from } = await node.resumptions.next();
    expect(from).toBe(1);
    request.say("d", true);
    request.replay(stream, from);
    request.settle({}, stream);
    for (let i = 1; i < 4; i++) {
      const envelope = await resumed.next();
      expect(envelope).toMatchObject({ kind: envelopeKind.sealed });
      expect(
        envelope !== "end" && Buffer.compare(envelope.payload, request.sent[i] ?? new Uint8Array()),
      ).toBe(0);
    }
    await resumed.json(envelopeKind.receipt);
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });

  it("of a request that was never made is REQUEST_UNKNOWN", async () => {
    const { status, error } = await client.resume(session, 9, 0).refusal();
    expect([status, error.code]).toEqual([404, "REQUEST_UNKNOWN"]);
  });
});

describe("a node that is lost", () => {
  it("before the first frame costs nothing and names the node to use instead", async () => {
    const standby = await join();
    const answer = client.ask(session, { priceId });
    await node.requests.next();
    node.kill();
    const { status, error, retryAfter } = await answer.refusal();
    expect([status, error.code, error.instead]).toEqual([503, "NODE_OFFLINE", standby.identity.node]);
    expect(retryAfter).toBe("1");
    expect(await audit()).toMatchObject({ openReservations: 0 });
    const next = await client.openSession(standby.identity);
    const retried = client.ask(next, { priceId });
    const request = await standby.requests.next();
    expect(request.head.continuation).toBe(false);
    request.answer("hello");
    expect(await retried.text()).toBe("hello");
  });

  it("in the middle is paid by the receipt that its client presents, and the standby goes on", async () => {
    const standby = await join();
    const answer = client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("half");
    await answer.text();
    const checkpoint = request.signed({ finish: "running", units: 64 });
    node.kill();
    expect(await answer.json<ErrorBody>(envelopeKind.failure)).toMatchObject({
      code: "NODE_OFFLINE",
      instead: standby.identity.node,
    });
    expect(await answer.next()).toBe("end");
    expect(await audit()).toMatchObject({ openReservations: 1 });

    const presented = await client.call("POST", "/v1/receipts", { body: JSON.stringify(checkpoint) });
    expect(presented.json).toEqual({ units: 64, chargedNano: "1280" });
    const next = await client.openSession(standby.identity);
    const lost = `${toHex(session.sessionId)}/0`;
    const going = client.ask(next, { priceId, headers: { [sealedHeaders.lostAttempt]: lost } });
    const rest = await standby.requests.next();
    expect(rest.head.continuation).toBe(true);
    rest.answer(" and half");
    expect(await going.text()).toBe(" and half");
    await going.json(envelopeKind.receipt);
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
    const { nodeNano } = await nodeEarnings();
    expect(nodeNano).toEqual([1_152n, 2_304n]);

    async function nodeEarnings() {
      const earned = await Promise.all(
        [node, standby].map((of) => network.gateway.ledger.acknowledged(of.identity.node)),
      );
      return { nodeNano: earned.map(({ cumulativeNano }) => cumulativeNano) };
    }
  });

  it("is paid by its last running receipt when its client presents nothing", async () => {
    const answer = client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("half");
    await answer.text();
    request.settle({ finish: "running", units: 64 });
    await answer.json(envelopeKind.receipt);
    node.kill();
    await answer.json(envelopeKind.failure);
    const settlement = await network.gateway.ledger.lose(
      { session: toHex(session.sessionId), request: 0 },
      Date.now(),
    );
    expect(settlement.units).toBe(64);
  });

  it("comes back, is known without a code, and is acknowledged the receipt that it kept", async () => {
    const answer = client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("whole", true);
    await answer.text();
    node.kill();
    await answer.json(envelopeKind.failure);
    const back = await join({ identity: node.identity }, node.sessions);
    const kept = utf8(JSON.stringify(request.signed()));
    back.sendReceipt(0, kept);
    expect(await back.expect("ack")).toMatchObject({ stream: 0, ack: { n: 1, cumulativeNano: "2304" } });
    back.sendReceipt(0, kept);
    expect(await back.expect("ack")).toMatchObject({ stream: 0, ack: { n: 1, cumulativeNano: "2304" } });
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });
});

describe("POST /v1/receipts", () => {
  it("refuses a receipt that the node did not sign", async () => {
    const answer = client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("half");
    await answer.text();
    const forged = signReceipt(
      request.receipt({ finish: "running", units: 0 }),
      newSigningKeyPair().privateKey,
    );
    node.kill();
    await answer.json(envelopeKind.failure);
    const refused = await client.call("POST", "/v1/receipts", { body: JSON.stringify(forged) });
    expect(refused.json.error).toMatchObject({ code: "RECEIPT_INVALID" });
    expect(await audit()).toMatchObject({ openReservations: 1 });
  });

  it("refuses while the node still answers, so that nobody ends a good answer cheaply", async () => {
    const answer = client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("half");
    await answer.text();
    const early = JSON.stringify(request.signed({ finish: "running", units: 0 }));
    const refused = await client.call("POST", "/v1/receipts", { body: early });
    expect(refused.json.error).toMatchObject({ code: "ATTEMPT_OPEN" });
  });

  it("refuses another account's", async () => {
    const answer = client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("half");
    await answer.text();
    const running = JSON.stringify(request.signed({ finish: "running", units: 64 }));
    node.kill();
    await answer.json(envelopeKind.failure);
    const refused = await (await network.clientOf(`bob-${tests}`)).call("POST", "/v1/receipts", {
      body: running,
    });
    expect(refused.json.error).toMatchObject({ code: "FORBIDDEN" });
  });
});

describe("a node's receipt", () => {
  it("above its reservation is not settled, and quarantines its node", async () => {
    const answer = client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("costly", true);
    await answer.text();
    request.settle({ units: request.head.capUnits + 64 });
    expect(await answer.json<ErrorBody>(envelopeKind.failure)).toMatchObject({ code: "RECEIPT_INVALID" });
    expect(await node.expect("refused")).toMatchObject({ code: "QUARANTINED", fatal: true });
    await node.closed;
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
    expect((await network.gateway.ledger.acknowledged(node.identity.node)).cumulativeNano).toBe(0n);

    const again = await network.dial({ model, identity: node.identity });
    expect(await again.expect("refused")).toMatchObject({ code: "QUARANTINED", fatal: true });

    // Nor does its owner get it in again as a new machine.
    const owner = await network.clientOf("owner");
    const { accounts } = network.gateway;
    const machine = (await accounts.machinesOf("developer:owner")).find(
      (one) => one.node === node.identity.node,
    );
    expect((await owner.call("DELETE", `/v1/owner/machines/${machine?.id}`)).status).toBe(200);
    const { code: pairingCode } = await accounts.createPairingCode({ owner: "developer:owner" });
    const renamed = await network.dial({ model, identity: node.identity, pairingCode });
    expect(await renamed.expect("refused")).toMatchObject({ code: "QUARANTINED", fatal: true });
  });

  it.each([
    ["another price", { priceId: "0".repeat(32) }],
    ["another request's hash", { requestHash: "0".repeat(64) }],
    ["another cap", { capUnits: 64 }],
    ["another coefficient", { coefficient: 2_000 }],
  ])("that names %s is refused and pays nothing", async (_name, change) => {
    const answer = client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("x", true);
    await answer.text();
    request.settle(change);
    expect(await answer.json<ErrorBody>(envelopeKind.failure)).toMatchObject({ code: "RECEIPT_INVALID" });
    expect(await node.expect("ack")).toMatchObject({ ack: { n: 0, cumulativeNano: "0" } });
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });
});

describe("a node's refusal", () => {
  it("before the first frame is the answer's status, and releases the money", async () => {
    const answer = client.ask(session, { priceId });
    (await node.requests.next()).refuse({ code: "EPOCH", message: "This epoch is over." });
    const { status, error } = await answer.refusal();
    expect([status, error]).toEqual([409, { code: "EPOCH", message: "This epoch is over." }]);
    expect(await audit()).toMatchObject({ openReservations: 0 });
  });

  it("after frames ends the stream, and its last running receipt is what is paid", async () => {
    const answer = client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("half");
    request.settle({ finish: "running", units: 64 });
    request.refuse({ code: "NODE_FAILED", message: "The engine stopped." });
    await answer.text();
    await answer.json(envelopeKind.receipt);
    expect(await answer.json<ErrorBody>(envelopeKind.failure)).toMatchObject({ code: "NODE_FAILED" });
    expect(await audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
    const { cumulativeNano } = await network.gateway.ledger.acknowledged(node.identity.node);
    expect(cumulativeNano).toBe(1_152n);
  });
});

describe("candidates", () => {
  it("carry the attestation that the node has, and its exact bundle is served under it", async () => {
    const { json } = await client.call("GET", `/v1/candidates?model=${model}`);
    const { candidates } = candidatesSchema.parse(json);
    expect(candidates).toMatchObject([
      { node: node.identity.node, attestationId: node.identity.attestationId, score: 1 },
    ]);
    const bundle = await client.call("GET", `/v1/bundles/${node.identity.attestationId}`);
    expect(Buffer.compare(bundle.body, Buffer.from(node.identity.bytes))).toBe(0);
  });

  it("leave out the nodes that the client names", async () => {
    const other = await join();
    const { json } = await client.call("GET", `/v1/candidates?model=${model}&not=${node.identity.node}`);
    expect(candidatesSchema.parse(json).candidates.map(({ node: id }) => id)).toEqual([other.identity.node]);
  });

  it("are none without a node for the model, and none besides the only node", async () => {
    const unknown = await client.call("GET", "/v1/candidates?model=oracle");
    expect(unknown.json.error).toMatchObject({ code: "MODEL_UNKNOWN", field: "model" });
    const alone = await client.call("GET", `/v1/candidates?model=${model}&not=${node.identity.node}`);
    expect(alone.json.error).toMatchObject({ code: "NO_CANDIDATE" });
    expect(alone.headers["retry-after"]).toBe("1");
  });
});

describe("a full node", () => {
  it("is answered with the candidate to use instead; a full fleet with 429 and when to come back", async () => {
    const [first, second] = [
      await join({ model: "tiny", slots: 1 }),
      await join({ model: "tiny", slots: 1 }),
    ];
    const price = await client.priceId("tiny");
    const own = await client.openSession(first.identity);
    // One runs and one waits: the test's queue has one place a slot.
    for (const request of [0, 1]) {
      client.ask(own, { priceId: price, request, idempotencyId: `${request}`.repeat(32) });
    }
    await first.requests.next();
    await reservations(2);
    const busy = await client
      .ask(own, { priceId: price, request: 2, idempotencyId: "c".repeat(32) })
      .refusal();
    expect([busy.status, busy.error.code, busy.error.instead]).toEqual([
      503,
      "NODE_BUSY",
      second.identity.node,
    ]);

    const other = await client.openSession(second.identity);
    for (const request of [0, 1]) {
      client.ask(other, { priceId: price, request, idempotencyId: `${request + 3}`.repeat(32) });
    }
    await second.requests.next();
    await reservations(4);
    const full = await client
      .ask(own, { priceId: price, request: 2, idempotencyId: "c".repeat(32) })
      .refusal();
    expect([full.status, full.error.code]).toEqual([429, "QUEUE_FULL"]);
    expect(Number(full.retryAfter)).toBeGreaterThanOrEqual(1);
    const candidates = await client.call("GET", "/v1/candidates?model=tiny");
    expect(candidates.json.error).toMatchObject({ code: "QUEUE_FULL" });
  });

  it("gives the freed slot to whoever waits longest", async () => {
    const tiny = await join({ model: "tiny", slots: 1 });
    const price = await client.priceId("tiny");
    const own = await client.openSession(tiny.identity);
    client.ask(own, { priceId: price, idempotencyId: "a".repeat(32) });
    const running = await tiny.requests.next();
    const waiting = client.ask(own, { priceId: price, request: 1, idempotencyId: "b".repeat(32) });
    await reservations(2);
    expect(tiny.requests.size).toBe(0);
    running.answer("first");
    (await tiny.requests.next()).answer("second");
    expect(await waiting.text()).toBe("second");
  });
});

describe("sessions that are idle", () => {
  it("are keys only: a thousand of them leave every slot to a newcomer", async () => {
    const wide = await join({ model: "wide", slots: 4 });
    const price = await client.priceId("wide");
    const { accounts } = network.gateway;
    await accounts.registerBot({ developer, botId: 1 });
    const { key } = await accounts.createApiKey({ developer, botId: 1 });
    const forUser = (user: number) =>
      new TestClient(network.gateway.url, key, { [sealedHeaders.user]: `${user}` });
    const atOnce = limits.handshakesPerSecondPerLink;
    let newcomer = session;
    for (let first = 1; first <= 1_000; first += atOnce) {
      const users = Array.from({ length: atOnce }, (_, i) => first + i);
      const opened = await Promise.all(users.map((user) => forUser(user).openSession(wide.identity)));
      newcomer = opened.at(-1) ?? newcomer;
      network.advance(1_000);
    }
    const answer = forUser(1_000).ask(newcomer, { priceId: price });
    (await wide.requests.next()).answer("hello");
    expect(await answer.text()).toBe("hello");
  }, 60_000);
});

/** Resolves when the ledger holds money for so many attempts. */
async function reservations(count: number): Promise<void> {
  while ((await audit()).openReservations !== count);
}
