import { once } from "node:events";
import { sealRequest } from "@bombyx/protocol/session";
import { envelopeKind, linkSubprotocol, type SignedReceipt, toHex, utf8 } from "@bombyx/protocol/wire";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { sealedHead } from "./support/client.ts";
import { startNetwork, type TestNetwork } from "./support/network.ts";
import { dialRaw } from "./support/raw.ts";

let network: TestNetwork;
beforeAll(async () => {
  network = await startNetwork();
});
afterAll(() => network.close());
afterEach(() => network.killNodes());

const linkUpgrade =
  "GET /v1/link HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${"A".repeat(22)}==\r\n` +
  `Sec-WebSocket-Protocol: ${linkSubprotocol}\r\n\r\n`;

async function linked(model: string) {
  const node = await network.join({ model });
  const priceId = await network.client.priceId(model);
  return { node, priceId, session: await network.client.openSession(node.identity) };
}

it("a node that ignores its window is stopped before a client that reads nothing fills the gateway's memory", async () => {
  const { node, priceId, session } = await linked("flood");
  const sealed = sealRequest(session, 0, utf8("flood me"));
  const head = {
    ...network.client.headers,
    ...sealedHead({ priceId, idempotencyId: "a".repeat(32) }),
    "content-length": String(sealed.length),
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  const path = `/v1/sealed/${toHex(session.sessionId)}/0`;
  const socket = await dialRaw(
    network.client.url,
    `POST ${path} HTTP/1.1\r\nHost: gateway\r\n${lines.join("")}\r\n`,
  );
  socket.write(sealed);
  const request = await node.requests.next();
  request.say("one");
  await once(socket, "readable");
  // Nobody's clock moves: only the window can tell.
  while (request.cancels.size === 0) {
    for (let i = 0; i < 256; i++) request.say("x");
    await network.client.call("GET", "/healthz");
  }
  expect(network.log.join("")).not.toContain("request failed");
  socket.destroy();
});

it("a node that attests over and over is sent away for a while, and welcome again after it", async () => {
  const node = await network.join({ model: "restless" });
  for (let i = 0; i < 40; i++) node.attest();
  let answer = await node.control.next();
  for (let taken = 0; answer.t === "attested"; answer = await node.control.next()) {
    expect(++taken).toBeLessThan(30);
  }
  expect(answer).toMatchObject({ t: "refused", code: "RATE_LIMITED", fatal: false });
  await node.closed;
  network.advance(60_000);
  const again = await network.join({ model: "restless", identity: node.identity });
  expect(again.identity.node).toBe(node.identity.node);
});

it("sockets that never say hello keep no node out: the oldest of them goes", async () => {
  const silent = await Promise.all(
    Array.from({ length: 256 }, async () => {
      const socket = await dialRaw(network.client.url, linkUpgrade);
      await once(socket, "data");
      return socket;
    }),
  );
  const gone = Promise.race(silent.map((socket) => once(socket.resume(), "close")));
  const node = await network.join({ model: "punctual" });
  expect(await network.client.priceId("punctual")).toMatch(/^[0-9a-f]{32}$/);
  await gone;
  expect(silent.filter(({ closed }) => closed).length).toBe(1);
  node.close();
  for (const socket of silent) socket.destroy();
});

it("a receipt on the stream of another answer ends neither; on its own it settles", async () => {
  const { node, priceId, session } = await linked("crossed");
  const ask = (request: number) =>
    network.client.ask(session, { priceId, request, idempotencyId: String(request).repeat(32) });
  const honest = ask(1);
  const first = await node.requests.next();
  const victim = ask(2);
  const second = await node.requests.next();
  second.say("one");
  await victim.text();

  first.say("hi", true);
  first.settle({}, second.stream);
  expect(await victim.json(envelopeKind.failure)).toMatchObject({ code: "RECEIPT_INVALID" });
  const id = { session: toHex(session.sessionId), request: 2 };
  while ((await network.gateway.ledger.attemptOf(id))?.state === "open");
  first.settle();
  await honest.text();
  expect(await honest.json<SignedReceipt>(envelopeKind.receipt)).toMatchObject({ receipt: { request: 1 } });
  expect(await network.gateway.ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
});
