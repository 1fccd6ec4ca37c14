import { once } from "node:events";
import { connect } from "node:net";
import { sealRequest } from "@bombyx/protocol/session";
import { envelopeKind, limits, sealedHeaders, toHex, utf8 } from "@bombyx/protocol/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sealedHead, TestClient } from "./support/client.ts";
import { startNetwork, type TestNetwork } from "./support/network.ts";

let network: TestNetwork;
beforeAll(async () => {
  network = await startNetwork({ origins: ["https://app.example"] });
});
afterAll(() => network.close());

const call: TestClient["call"] = (...args) => network.client.call(...args);

describe("the public port", () => {
  it("is healthy and ready without a credential, and shows nothing else without one", async () => {
    const stranger = new TestClient(network.gateway.url, "");
    expect((await stranger.call("GET", "/healthz")).json).toEqual({ ok: true });
    expect((await stranger.call("GET", "/readyz")).status).toBe(200);
    for (const path of [
      "/v1/models",
      "/v1/candidates?model=x",
      "/v1/account",
      `/v1/bundles/${"0".repeat(64)}`,
    ]) {
      const { status, json, headers } = await stranger.call("GET", path);
      expect([status, json.error?.code]).toEqual([401, "UNAUTHENTICATED"]);
      expect(headers["www-authenticate"]).toBe("Bearer");
    }
  });

  it("has no metrics: they are on a port of their own", async () => {
    expect((await call("GET", "/metrics")).status).toBe(404);
    const metrics = new TestClient(network.gateway.metricsUrl.replace("/metrics", ""), "");
    const { body } = await metrics.call("GET", "/metrics");
    expect(body.toString()).toMatch(/^bombyx_node_links \d+$/m);
    expect((await metrics.call("GET", "/v1/models")).status).toBe(404);
  });

  it("names what a path does not take", async () => {
    expect((await call("GET", "/v2/models")).json.error?.code).toBe("NOT_FOUND");
    expect((await call("DELETE", "/v1/models")).json.error?.code).toBe("METHOD_NOT_ALLOWED");
    expect((await call("GET", "/v1/candidates")).json.error).toMatchObject({
      code: "BAD_REQUEST",
      field: "model",
    });
    const unknown = await call("GET", "/v1/candidates?model=x&best=1");
    expect(unknown.json.error).toMatchObject({ code: "UNKNOWN_FIELD", field: "best" });
    const node = await call("POST", "/v1/nodes/ABC/sessions", { body: "x" });
    expect(node.json.error).toMatchObject({ code: "BAD_REQUEST", field: "node" });
    const nobody = await call("POST", `/v1/nodes/${"0".repeat(64)}/sessions`, { body: new Uint8Array(100) });
    expect(nobody.json.error).toMatchObject({ code: "NODE_UNKNOWN" });
  });

  it("cuts off headers above 16 KB", async () => {
    const { status } = await call("GET", "/healthz", { headers: { "x-long": "x".repeat(17_000) } });
    expect(status).toBe(431);
  });
});

describe("pages", () => {
  it("of a configured origin may call, and are told exactly that origin", async () => {
    const origin = "https://app.example";
    const preflight = await call("OPTIONS", "/v1/models", { headers: { origin } });
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-origin"]).toBe(origin);
    expect(preflight.headers["access-control-allow-headers"]).toContain("authorization");
    const models = await call("GET", "/v1/models", { headers: { origin } });
    expect(models.headers["access-control-allow-origin"]).toBe(origin);
    expect(models.headers.vary).toBe("Origin");
  });

  it("of any other origin are refused, without a CORS header", async () => {
    for (const [method, origin] of [
      ["OPTIONS", "https://evil.example"],
      ["GET", "null"],
    ] as const) {
      const { status, json, headers } = await call(method, "/v1/models", { headers: { origin } });
      expect([status, json.error?.code]).toEqual([403, "FORBIDDEN"]);
      expect(headers["access-control-allow-origin"]).toBeUndefined();
    }
  });
});

describe("an account", () => {
  it("sees its balance, makes a key that works, and a pairing code", async () => {
    const { json } = await call("GET", "/v1/account");
    expect(json).toMatchObject({
      account: "developer:ann",
      payer: "sponsor:ann",
      balanceNano: `${10n ** 12n}`,
    });
    const made = await call("POST", "/v1/keys", { body: JSON.stringify({ label: "laptop" }) });
    expect(made.status).toBe(201);
    const own = new TestClient(network.gateway.url, String(made.json.key));
    expect((await own.call("GET", "/v1/account")).json.account).toBe("developer:ann");
    const wrong = await call("POST", "/v1/keys", { body: JSON.stringify({ admin: true }) });
    expect(wrong.json.error).toMatchObject({ code: "UNKNOWN_FIELD", field: "admin" });
    const pairing = await call("POST", "/v1/pairing-codes", { body: "" });
    expect(pairing.status).toBe(201);
    const node = await network.dial({ pairingCode: String(pairing.json.code) });
    await node.expect("welcome");
  });

  it("makes no key, and pairs no node for its developer, with a bot's key: that one asks and nothing else", async () => {
    const { accounts } = network.gateway;
    await accounts.registerBot({ developer: "ann", botId: 7_007 });
    const { key } = await accounts.createApiKey({ developer: "ann", botId: 7_007 });
    const bot = new TestClient(network.gateway.url, key);
    for (const path of ["/v1/keys", "/v1/pairing-codes"]) {
      const { status, json } = await bot.call("POST", path, { body: "{}" });
      expect([status, json.error?.code]).toEqual([403, "FORBIDDEN"]);
      expect((await call("POST", path, { body: "{}" })).status).toBe(201);
    }
    expect((await bot.call("GET", "/v1/account")).json.account).toBe("developer:ann");
  });

  it("is slowed down with RATE_LIMITED and told when to come back", async () => {
    const eager = await network.clientOf("eager");
    let last = await eager.call("GET", "/v1/account");
    for (let i = 0; i < 5_000 && last.status === 200; i++) last = await eager.call("GET", "/v1/account");
    expect([last.status, last.json.error?.code]).toEqual([429, "RATE_LIMITED"]);
    expect(Number(last.headers["retry-after"])).toBeGreaterThanOrEqual(1);
    expect((await call("GET", "/v1/account")).status).toBe(200);
  });
});

describe("a reader that stalls", () => {
  it("is cut off after ten seconds, and its answer cancelled at the node", async () => {
    const node = await network.join({ model: "flood" });
    const session = await network.client.openSession(node.identity);
    const sealed = sealRequest(session, 0, utf8("go on"));
    const priceId = await network.client.priceId("flood");
    const socket = connect(Number(new URL(network.gateway.url).port), "127.0.0.1");
    const head = {
      ...sealedHead({ priceId, idempotencyId: "f".repeat(32) }),
      authorization: `Bearer ${network.key}`,
    };
    const lines = Object.entries(head).map(([name, value]) => `${name}: ${value}`);
    socket.write(
      [
        `POST /v1/sealed/${toHex(session.sessionId)}/0 HTTP/1.1`,
        "Host: gateway",
        `Content-Length: ${sealed.length}`,
        ...lines,
        "",
        "",
      ].join("\r\n"),
    );
    socket.write(sealed);
    const request = await node.requests.next();
    request.say("one");
    await once(socket, "readable");
    // The reader takes nothing more; a node that ignores its window fills every buffer on the way.
    const window = request.windows;
    let acknowledged = 0;
    const acknowledging = (async () => {
      for (;;) acknowledged = await window.next();
    })();
    acknowledging.catch(() => undefined);
    while (request.sent.length - acknowledged < 64) {
      for (let i = 0; i < 256; i++) request.say("x");
      await network.client.call("GET", "/healthz");
    }
    network.advance(limits.readerStallMs);
    expect(await request.cancels.next()).toBeGreaterThan(0);
    socket.destroy();
  }, 60_000);
});

describe("the log", () => {
  it("holds no credential and nothing of a request", async () => {
    const node = await network.join({ model: "logged" });
    const session = await network.client.openSession(node.identity);
    const canary = "canary-7f3a";
    const answer = network.client.ask(session, {
      text: canary,
      priceId: await network.client.priceId("logged"),
      idempotencyId: "d".repeat(32),
    });
    (await node.requests.next()).answer(canary);
    await answer.text();
    await answer.json(envelopeKind.receipt);
    const log = network.log.join("\n");
    expect(log).toContain("node attested");
    for (const secret of [canary, network.key, "Bearer", sealedHeaders.idempotencyId]) {
      expect(log).not.toContain(secret);
    }
  });
});

describe("a gateway that is going away", () => {
  it("finishes what runs, takes nothing new and tells its nodes", async () => {
    const leaving = await startNetwork();
    const node = await leaving.join();
    const session = await leaving.client.openSession(node.identity);
    const priceId = await leaving.client.priceId("spark");
    const answer = leaving.client.ask(session, { priceId });
    const request = await node.requests.next();
    request.say("half");
    await answer.text();
    const stopped = leaving.gateway.stop();
    await node.expect("draining");
    await expect(leaving.client.call("GET", "/readyz")).rejects.toMatchObject({ code: "ECONNREFUSED" });
    request.say(" done", true);
    expect(await answer.text()).toBe(" done");
    request.settle();
    await answer.json(envelopeKind.receipt);
    expect(await answer.next()).toBe("end");
    expect((await node.expect("ack")).ack.n).toBe(1);
    await stopped;
    await leaving.close();
  });
});
