import { once } from "node:events";
import { request as httpRequest, type IncomingMessage } from "node:http";
import {
  type AccountEvent,
  accountEventSchema,
  type Machine,
  machinesSchema,
  networkHistorySchema,
  networkSchema,
  ownerLimits,
  registeredMachineSchema,
} from "@bombyx/protocol/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { TestClient } from "./support/client.ts";
import { Mailbox } from "./support/mailbox.ts";
import { startNetwork, type TestNetwork } from "./support/network.ts";

let network: TestNetwork;
beforeAll(async () => {
  network = await startNetwork({ origins: ["https://app.example"] });
});
afterAll(() => network.close());

const json = (value: unknown) => {
  const body = JSON.stringify(value);
  return { body, headers: { "content-length": String(Buffer.byteLength(body)) } };
};
const rig = { gpu: "NVIDIA H100 80 GB", vramMib: 81_920, hoursPerDay: 20, name: "attic" };

async function register(owner: TestClient, change: object = {}) {
  const { status, json: answer } = await owner.call(
    "POST",
    "/v1/owner/machines",
    json({ ...rig, ...change }),
  );
  expect(status).toBe(201);
  return registeredMachineSchema.parse(answer);
}

async function machines(owner: TestClient): Promise<Machine[]> {
  return machinesSchema.parse((await owner.call("GET", "/v1/owner/machines")).json).machines;
}

async function only(owner: TestClient): Promise<Machine> {
  const [machine, ...others] = await machines(owner);
  if (!machine || others.length > 0) throw new Error(`expected one machine, got ${others.length + 1}`);
  return machine;
}

/** Has `model` answer one question of ann's. */
async function serveOne(node: Awaited<ReturnType<TestNetwork["join"]>>, model: string, id: string) {
  const session = await network.client.openSession(node.identity);
  const answer = network.client.ask(session, {
    priceId: await network.client.priceId(model),
    idempotencyId: id.repeat(32),
  });
  (await node.requests.next()).answer("done");
  await answer.text();
  await node.expect("ack");
}

describe("a machine", () => {
  it("is registered, paired, attested, serves and earns, and its owner sees each step", async () => {
    const owner = await network.clientOf("journey");
    const { machine, pairing } = await register(owner);
    expect(machine).toMatchObject({ ...rig, state: "unpaired", node: null, serving: null, warnings: [] });
    expect(machine.pairing).toEqual({ expiresAt: pairing.expiresAt });

    const node = await network.dial({ pairingCode: pairing.code, model: "journey" });
    await node.expect("welcome");
    expect(await only(owner)).toMatchObject({
      id: machine.id,
      state: "linked",
      node: node.identity.node,
      pairing: null,
      pairedAt: expect.any(Number),
    });

    node.attest();
    await node.expect("attested");
    await node.offer();
    const ready = await only(owner);
    expect(ready).toMatchObject({ state: "ready", total: { requests: 0, units: 0, earnedNano: "0" } });
    expect(ready.serving).toMatchObject({
      model: "journey",
      running: 0,
      attestationId: node.identity.attestationId,
      simulated: true,
    });

    await serveOne(node, "journey", "a");
    const earned = { requests: 1, units: 128, earnedNano: "2304" };
    const served = await only(owner);
    expect(served).toMatchObject({ total: earned, today: earned });
    expect([served.minutes.length, served.minutes.reduce((a, b) => a + b)]).toEqual([60, 1]);

    node.kill();
    await node.closed;
    await expect.poll(() => only(owner)).toMatchObject({ state: "offline", serving: null, total: earned });
  });

  it("bears its owner's name towards everybody, from the next look on", async () => {
    const owner = await network.clientOf("namer");
    const { machine, pairing } = await register(owner, { name: undefined });
    const node = await network.join({ pairingCode: pairing.code, model: "named-machine" });
    const shown = async () => {
      const { json: answer } = await network.client.call("GET", "/v1/candidates?model=named-machine");
      return (answer as { candidates: { name: string }[] }).candidates[0]?.name;
    };
    expect(await shown()).toBe("scripted");
    const renamed = await owner.call("PATCH", `/v1/owner/machines/${machine.id}`, json({ name: " cellar " }));
    expect([renamed.status, (renamed.json as { machine?: Machine }).machine?.name]).toEqual([200, "cellar"]);
    expect(await shown()).toBe("cellar");
    node.kill();
    await node.closed;
    await network.join({ identity: node.identity, model: "named-machine" });
    expect(await shown()).toBe("cellar");
  });

  it("that is removed ends its node's service: the link is refused, now and when it comes again", async () => {
    const owner = await network.clientOf("remover");
    const { machine, pairing } = await register(owner);
    const node = await network.join({ pairingCode: pairing.code, model: "removable" });
    const gone = await owner.call("DELETE", `/v1/owner/machines/${machine.id}`);
    expect([gone.status, gone.json]).toEqual([200, { removed: machine.id }]);
    expect(await node.expect("refused")).toMatchObject({ code: "NODE_REMOVED", fatal: true });
    expect((await network.client.call("GET", "/v1/candidates?model=removable")).json.error?.code).toBe(
      "MODEL_UNKNOWN",
    );
    expect(await machines(owner)).toEqual([]);
    for (const pairingCode of [undefined, pairing.code]) {
      const again = await network.dial({ identity: node.identity, ...(pairingCode && { pairingCode }) });
      expect(await again.expect("refused")).toMatchObject({ code: "NODE_REMOVED", fatal: true });
    }
    // Its twin: with a new code the same node is welcome again.
    const { pairing: second } = await register(owner);
    const back = await network.dial({ identity: node.identity, pairingCode: second.code });
    expect(await back.expect("welcome")).toMatchObject({ node: node.identity.node });
  });

  it("that gets a new code may be another node's, in place of the first", async () => {
    const owner = await network.clientOf("mover");
    const { machine, pairing } = await register(owner);
    const first = await network.join({ pairingCode: pairing.code, model: "moved" });
    const { status, json: answer } = await owner.call(
      "POST",
      `/v1/owner/machines/${machine.id}/pairing-code`,
    );
    expect(status).toBe(201);
    const second = await network.join({ pairingCode: String(answer.code), model: "moved" });
    expect(await first.expect("refused")).toMatchObject({ code: "NODE_REMOVED" });
    expect(await only(owner)).toMatchObject({ id: machine.id, node: second.identity.node, state: "ready" });
  });

  it("may be a node that its owner had as another machine, and no other owner's", async () => {
    const owner = await network.clientOf("reuser");
    const { pairing } = await register(owner, { name: "old" });
    const node = await network.join({ pairingCode: pairing.code, model: "reused" });
    const { machine: fresh, pairing: code } = await register(owner, { name: "new" });
    const moved = await network.dial({ identity: node.identity, pairingCode: code.code });
    await moved.expect("welcome");
    expect((await machines(owner)).map(({ name, state }) => [name, state])).toEqual([
      ["old", "unpaired"],
      ["new", "linked"],
    ]);
    const thief = await network.clientOf("thief");
    const { pairing: theirs } = await register(thief);
    const taken = await network.dial({ identity: node.identity, pairingCode: theirs.code });
    expect(await taken.expect("refused")).toMatchObject({ code: "ALREADY_USED", fatal: true });
    expect((await machines(owner)).find(({ id }) => id === fresh.id)?.node).toBe(node.identity.node);
  });

  it("says why its node is refused, and what is wrong with its price", async () => {
    const owner = await network.clientOf("warned");
    const { pairing } = await register(owner);
    const honest = await network.join({ model: "warned" });
    const node = await network.dial({ pairingCode: pairing.code, model: "warned", coefficient: 5_000 });
    await node.expect("welcome");
    node.attest(honest.identity.bytes);
    expect(await node.expect("refused")).toMatchObject({ code: "NODE" });
    await expect
      .poll(async () => (await only(owner)).warnings.map(({ code }) => code))
      .toEqual(["NODE", "PRICE_HIGH"]);
    const back = await network.join({ identity: node.identity, model: "warned" });
    expect((await only(owner)).warnings).toEqual([]);
    back.kill();
  });
});

describe("a pairing code of a machine", () => {
  it("that is unknown, spent, too old or replaced is refused as what it is", async () => {
    const owner = await network.clientOf("coder");
    const { machine, pairing } = await register(owner);
    const refusal = async (pairingCode: string) => {
      const { code, message, fatal } = await (await network.dial({ pairingCode })).expect("refused");
      expect([message.length > 0, fatal]).toEqual([true, true]);
      return code;
    };
    expect(await refusal("0000-0000-0000")).toBe("PAIRING_INVALID");
    const newer = await owner.call("POST", `/v1/owner/machines/${machine.id}/pairing-code`);
    expect(await refusal(pairing.code)).toBe("PAIRING_EXPIRED");
    const code = String(newer.json.code);
    await (await network.dial({ pairingCode: code })).expect("welcome");
    expect(await refusal(code)).toBe("PAIRING_SPENT");
    const { pairing: late } = await register(owner);
    network.advance(15 * 60_000);
    expect(await refusal(late.code)).toBe("PAIRING_EXPIRED");
  });
});

describe("the owner's interface", () => {
  it("shows and changes nobody else's machines", async () => {
    const owner = await network.clientOf("private");
    const { machine } = await register(owner);
    const other = await network.clientOf("curious");
    expect(await machines(other)).toEqual([]);
    for (const [method, path, body] of [
      ["PATCH", machine.id, json({ name: "mine" })],
      ["DELETE", machine.id, {}],
      ["POST", `${machine.id}/pairing-code`, {}],
    ] as const) {
      const { json: answer } = await other.call(method, `/v1/owner/machines/${path}`, body);
      expect(answer.error).toMatchObject({ code: "NOT_FOUND", field: "id" });
    }
    expect(await only(owner)).toMatchObject({ name: "attic" });
  });

  it("is for persons and developers: a bot's key and strangers are refused", async () => {
    await network.gateway.accounts.registerBot({ developer: "botdev", botId: 77 });
    const { key } = await network.gateway.accounts.createApiKey({ developer: "botdev", botId: 77 });
    for (const bot of [
      new TestClient(network.gateway.url, key),
      new TestClient(network.gateway.url, key, { "bombyx-user": "5" }),
    ]) {
      const { json: answer } = await bot.call("POST", "/v1/owner/machines", json(rig));
      expect(answer.error?.code).toBe("FORBIDDEN");
      // The door without a machine is shut, too: nobody pairs a node to a person who did not ask.
      const { json: code } = await bot.call("POST", "/v1/pairing-codes", { body: "" });
      expect(code.error?.code).toBe("FORBIDDEN");
      expect(code.code).toBeUndefined();
    }
    const developer = await network.clientOf("botdev");
    expect((await developer.call("POST", "/v1/pairing-codes", { body: "" })).status).toBe(201);
    const looks = async (headers = {}) =>
      (await new TestClient(network.gateway.url, key, headers).call("GET", "/v1/owner/machines")).json;
    expect((await looks()).error?.code).toBe("FORBIDDEN");
    expect(await looks({ "bombyx-user": "5" })).toMatchObject({ machines: [] });
    const stranger = new TestClient(network.gateway.url, "");
    expect((await stranger.call("GET", "/v1/owner/machines")).json.error?.code).toBe("UNAUTHENTICATED");
  });

  it("names the field that is wrong", async () => {
    for (const [change, field] of [
      [{ gpu: "" }, "gpu"],
      [{ gpu: "x".repeat(ownerLimits.gpuCharacters + 1) }, "gpu"],
      [{ name: "evil\u202egpj" }, "name"],
      [{ vramMib: -1 }, "vramMib"],
      [{ hoursPerDay: 25 }, "hoursPerDay"],
    ] as const) {
      const { json: answer } = await network.client.call(
        "POST",
        "/v1/owner/machines",
        json({ ...rig, ...change }),
      );
      expect(answer.error).toMatchObject({ code: "BAD_REQUEST", field });
    }
  });

  it("takes so many machines of one owner and no more, at a pace that a person keeps", async () => {
    const owner = await network.clientOf("hoarder");
    let codes = 0;
    for (let n = 0; n < ownerLimits.machines; n++) {
      const { status, json: answer } = await owner.call("POST", "/v1/owner/machines", json(rig));
      if (status === 201) continue;
      expect(answer.error?.code).toBe("RATE_LIMITED");
      codes++;
      network.advance(60_000);
      n--;
    }
    expect(codes).toBeGreaterThan(0);
    network.advance(60_000);
    const { status, json: answer } = await owner.call("POST", "/v1/owner/machines", json(rig));
    expect([status, answer.error?.code]).toEqual([429, "MACHINE_LIMIT"]);
  });

  it("can be called by the page: its methods pass the preflight", async () => {
    const { headers } = await network.client.call("OPTIONS", "/v1/owner/machines/x", {
      headers: { origin: "https://app.example", "access-control-request-method": "DELETE" },
    });
    expect(headers["access-control-allow-methods"]).toContain("DELETE");
  });
});

describe("pairing codes without a machine", () => {
  it("come at a pace that a person keeps", async () => {
    const owner = await network.clientOf("collector");
    let last = await owner.call("POST", "/v1/pairing-codes", { body: "" });
    expect(last.status).toBe(201);
    for (let n = 0; n < 40 && last.status === 201; n++) {
      last = await owner.call("POST", "/v1/pairing-codes", { body: "" });
    }
    expect(last.json.error?.code).toBe("RATE_LIMITED");
  });

  it("are for those who have room for one more machine", async () => {
    const { accounts } = network.gateway;
    const rack = { gpu: "g", vramMib: 0, hoursPerDay: 1 };
    const owner = await network.clientOf("packed");
    for (let n = 0; n < ownerLimits.machines; n++) {
      if (n % 12 === 0) network.advance(60_000);
      await accounts.registerMachine("developer:packed", rack);
    }
    const full = await owner.call("POST", "/v1/pairing-codes", { body: "" });
    expect(full.json.error?.code).toBe("MACHINE_LIMIT");
    const [first] = await machines(owner);
    await owner.call("DELETE", `/v1/owner/machines/${first?.id}`);
    expect((await owner.call("POST", "/v1/pairing-codes", { body: "" })).status).toBe(201);
  });
});

describe("the network's figures", () => {
  const stranger = () => new TestClient(network.gateway.url, "");
  const look = async () => {
    network.advance(1_000);
    return networkSchema.parse((await stranger().call("GET", "/v1/network")).json);
  };

  it("are for everybody, and name no account", async () => {
    const owner = await network.clientOf("secretive");
    const { pairing } = await register(owner, { name: "lighthouse" });
    const node = await network.join({ pairingCode: pairing.code, model: "figures" });
    const before = await look();
    expect(before.nodes.find(({ name }) => name === "lighthouse")).toMatchObject({
      node: node.identity.node,
      state: "ready",
      model: "figures",
      simulated: true,
      running: 0,
    });
    expect(before.models.find(({ id }) => id === "figures")).toMatchObject({ nodes: 1 });
    expect(before.terms).toMatchObject({ ownerShareBps: 9_000, price: { nanoPerUnit: 20n } });
    await serveOne(node, "figures", "f");
    const after = await look();
    expect([
      after.totals.requests - before.totals.requests,
      after.totals.units - before.totals.units,
    ]).toEqual([1, 128]);
    expect(JSON.stringify((await stranger().call("GET", "/v1/network")).json)).not.toMatch(
      /developer:|person:|secretive|earned/,
    );
    node.say({ t: "draining" });
    await expect
      .poll(async () => (await look()).nodes.find(({ name }) => name === "lighthouse")?.state)
      .toBe("draining");
  });

  it("may be kept by caches for a moment, and are limited by address", async () => {
    const { headers } = await stranger().call("GET", "/v1/network");
    expect(headers["cache-control"]).toBe("public, max-age=1");
    const history = await stranger().call("GET", "/v1/network/history");
    expect(networkHistorySchema.parse(history.json).minutes.length).toBeGreaterThanOrEqual(0);
    const status = async (path: string) => {
      const response = await fetch(`${network.gateway.url}${path}`);
      await response.body?.cancel();
      return response.status;
    };
    const many = (path: string, times: number) =>
      Promise.all(Array.from({ length: times }, () => status(path)));
    expect(new Set(await many("/v1/network", 50))).toEqual(new Set([200]));
    // Whoever guesses keys from an address uses up its looks, too.
    while (!(await many("/v1/models", 100)).includes(429));
    expect(await many("/v1/network", 50)).toContain(429);
    network.advance(60_000);
    expect((await stranger().call("GET", "/v1/network")).status).toBe(200);
  });
});

describe("events", () => {
  /** Reads a stream of events until it is closed. */
  async function listen(client: TestClient, query = "") {
    const request = httpRequest(`${client.url}/v1/events${query}`, { headers: client.headers, agent: false });
    request.end();
    const [response] = (await once(request, "response")) as [IncomingMessage];
    const events = new Mailbox<AccountEvent>();
    let text = "";
    response.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
      const blocks = text.split("\n\n");
      text = blocks.pop() ?? "";
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data !== undefined) events.put(accountEventSchema.parse(JSON.parse(data)));
      }
    });
    response.on("error", () => undefined);
    return { status: response.statusCode, events, close: () => request.destroy() };
  }

  it("tell an owner what happens, live and again from a cursor, and nobody else", async () => {
    const owner = await network.clientOf("listener");
    const live = await listen(owner);
    const other = await listen(await network.clientOf("eavesdropper"), "?after=0");
    const { machine, pairing } = await register(owner, { name: "tower" });
    const node = await network.join({ pairingCode: pairing.code, model: "eventful" });
    const seen = [await live.events.next(), await live.events.next(), await live.events.next()];
    expect(seen.map(({ type }) => type).sort()).toEqual(["node.attested", "node.online", "node.paired"]);
    expect(seen[0]).toMatchObject({ machine: machine.id, node: node.identity.node, name: "tower" });
    expect(seen.map(({ id }) => id)).toEqual(seen.map(({ id }) => id).sort((a, b) => a - b));
    await owner.call("DELETE", `/v1/owner/machines/${machine.id}`);
    expect(await live.events.next()).toMatchObject({ type: "node.removed" });
    live.close();

    const again = await listen(owner, `?after=${seen[0]?.id}`);
    const rest = [await again.events.next(), await again.events.next(), await again.events.next()];
    expect(rest.slice(0, 2)).toEqual(seen.slice(1));
    expect(rest[2]?.type).toBe("node.removed");
    again.close();
    // The other's own event is the first that it hears.
    const { pairing: theirs } = await register(await network.clientOf("eavesdropper"), { name: "own" });
    await network.dial({ pairingCode: theirs.code });
    expect(await other.events.next()).toMatchObject({ account: "developer:eavesdropper" });
    other.close();
  });

  it("of its persons reach a bot by its own key", async () => {
    await network.gateway.accounts.registerBot({ developer: "newsdev", botId: 78 });
    const { key } = await network.gateway.accounts.createApiKey({ developer: "newsdev", botId: 78 });
    const bot = await listen(new TestClient(network.gateway.url, key));
    const { accounts } = network.gateway;
    for (const account of ["person:79:1", "person:78:9"]) {
      const { pairing } = await accounts.registerMachine(account, { gpu: "g", vramMib: 0, hoursPerDay: 1 });
      await (await network.dial({ pairingCode: pairing.code })).expect("welcome");
    }
    expect(await bot.events.next()).toMatchObject({ account: "person:78:9", type: "node.paired" });
    bot.close();
    // In a person's name it would have as many streams as there are numbers.
    const asPerson = new TestClient(network.gateway.url, key, { "bombyx-user": "9" });
    expect((await asPerson.call("GET", "/v1/events")).json.error?.code).toBe("FORBIDDEN");
  });

  it("are for callers with a credential, eight streams each", async () => {
    expect((await listen(new TestClient(network.gateway.url, ""))).status).toBe(401);
    const owner = await network.clientOf("greedy");
    const streams: Awaited<ReturnType<typeof listen>>[] = [];
    for (let n = 0; n < 8; n++) streams.push(await listen(owner));
    const { status, json: answer } = await owner.call("GET", "/v1/events");
    expect([status, answer.error?.code]).toEqual([429, "RATE_LIMITED"]);
    for (const { close } of streams) close();
  });
});
