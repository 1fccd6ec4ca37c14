import { once } from "node:events";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
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
