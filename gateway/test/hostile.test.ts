import { once } from "node:events";
import { limits, toHex } from "@bombyx/protocol/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sealedHead } from "./support/client.ts";
import { startNetwork, type TestNetwork } from "./support/network.ts";
import { dialRaw } from "./support/raw.ts";

let network: TestNetwork;
beforeAll(async () => {
  network = await startNetwork();
});
afterAll(() => network.close());

const upgrade = (path: string) =>
  `GET ${path} HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
  `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${"A".repeat(22)}==\r\n\r\n`;

it("a client that announces a body and does not send it holds a slot for ten seconds, not for ever", async () => {
  const node = await network.join({ model: "slow", slots: 1 });
  const priceId = await network.client.priceId("slow");
  const session = await network.client.openSession(node.identity);
  const head = {
    ...network.client.headers,
    ...sealedHead({ priceId, idempotencyId: "a".repeat(32) }),
    "content-length": "1065",
  };
  const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}\r\n`);
  const id = { session: toHex(session.sessionId), request: 0 };
  const socket = await dialRaw(
    network.client.url,
    `POST /v1/sealed/${id.session}/0 HTTP/1.1\r\nHost: gateway\r\n${lines.join("")}\r\n`,
  );
  const { ledger } = network.gateway;
  while ((await ledger.attemptOf(id)) === undefined);
  // The relay hears of its reservation in the same turn; by now it waits for the body.
  await network.client.call("GET", "/healthz");
  const honest = network.client.ask(session, { priceId, request: 1 });
  network.advance(limits.readerStallMs);
  await once(socket, "close");
  (await node.requests.next()).answer("served");
  expect(await honest.text()).toBe("served");
  expect(await ledger.attemptOf(id)).toMatchObject({ state: "released" });
});

describe("the gateway outlives", () => {
  it("an upgrade to another path whose socket is reset", async () => {
    for (let i = 0; i < 20; i++) (await dialRaw(network.client.url, upgrade("/v1/other"))).resetAndDestroy();
    expect((await network.client.call("GET", "/healthz")).status).toBe(200);
  });

  it("a link without subprotocol that breaks the rules of WebSockets", async () => {
    const socket = await dialRaw(network.client.url, upgrade("/v1/link"));
    const [answered] = (await once(socket, "data")) as [Buffer];
    expect(answered.toString()).toContain("101 Switching Protocols");
    socket.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
    await once(socket, "close");
    expect((await network.client.call("GET", "/healthz")).status).toBe(200);
  });

  it("a path that is no URL", async () => {
    const socket = await dialRaw(network.client.url, "GET //[ HTTP/1.1\r\nHost: gateway\r\n\r\n");
    const [answered] = (await once(socket, "data")) as [Buffer];
    expect(answered.toString()).toContain("400 Bad Request");
    socket.destroy();
  });
});
