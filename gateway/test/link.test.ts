import { once } from "node:events";
import { strictPolicy } from "@bombyx/protocol/attestation";
import { newSigningKeyPair } from "@bombyx/protocol/session";
import { candidatesSchema, linkSubprotocol } from "@bombyx/protocol/wire";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { startNetwork, type TestNetwork } from "./support/network.ts";

let network: TestNetwork;
beforeAll(async () => {
  network = await startNetwork();
});
afterAll(() => network.close());

const candidates = async (model: string) => {
  const { json } = await network.client.call("GET", `/v1/candidates?model=${model}`);
  return json.error ? json.error.code : candidatesSchema.parse(json).candidates.map(({ node }) => node);
};

describe("a node's hello", () => {
  it("of an unknown node needs a pairing code; with one it is welcomed and the ack key named", async () => {
    const stranger = await network.dial({ pairingCode: "AAAA-BBBB-CCCC" });
    expect(await stranger.expect("refused")).toMatchObject({ code: "PAIRING_INVALID", fatal: true });
    const paired = await network.dial();
    expect(await paired.expect("welcome")).toMatchObject({ node: paired.identity.node });
  });

  it("names a node that everybody sees: nothing in the name hides, or turns text around", async () => {
    const shownAs = async (name: string) => {
      const node = await network.dial({ name });
      const { node: id } = await node.expect("welcome");
      network.advance(1_000);
      const { json } = await network.client.call("GET", "/v1/network");
      const { nodes } = json as unknown as { nodes: { node: string; name: string }[] };
      return { id, name: nodes.find((one) => one.node === id)?.name };
    };
    expect((await shownAs("ann\u202e moc.knab\u0007\n")).name).toBe("ann moc.knab");
    const { id, name } = await shownAs("\u200b\u2028");
    expect(name).toBe(`node-${id.slice(0, 6)}`);
    expect((await shownAs("Серверная №1 🦋")).name).toBe("Серверная №1 🦋");
  });

  it("spends its pairing code: a second node with it is refused", async () => {
    const { code } = await network.gateway.accounts.createPairingCode({ owner: "developer:owner" });
    await (await network.dial({ pairingCode: code })).expect("welcome");
    const second = await network.dial({ pairingCode: code });
    expect(await second.expect("refused")).toMatchObject({ code: "PAIRING_SPENT", fatal: true });
  });

  it("signed by another key than the one it names is refused as LINK_AUTH", async () => {
    const honest = await network.dial();
    await honest.expect("welcome");
    const thief = { ...honest.identity, link: newSigningKeyPair() };
    const impostor = await network.dial({ identity: thief });
    expect(await impostor.expect("refused")).toMatchObject({ code: "LINK_AUTH", fatal: true });
  });

  it("must come before anything else", async () => {
    const socket = new WebSocket(`${network.gateway.url.replace("http", "ws")}/v1/link`, linkSubprotocol);
    await once(socket, "message");
    socket.send(JSON.stringify({ t: "draining" }));
    const [data] = (await once(socket, "message")) as [Buffer];
    expect(JSON.parse(data.toString())).toMatchObject({ t: "refused", code: "LINK_AUTH" });
  });
});

describe("an upgrade", () => {
  it("with a page's Origin, of another path or protocol opens no link", async () => {
    const url = network.gateway.url.replace("http", "ws");
    const page = new WebSocket(`${url}/v1/link`, linkSubprotocol, { origin: "https://evil.example" });
    const [fromPage] = (await once(page, "error")) as [Error];
    expect(fromPage.message).toContain("503");
    const elsewhere = new WebSocket(`${url}/v1/other`, linkSubprotocol);
    const [notFound] = (await once(elsewhere, "error")) as [Error];
    expect(notFound.message).toContain("404");
    const foreign = new WebSocket(`${url}/v1/link`, "mqtt");
    const [subprotocol] = (await once(foreign, "error")) as [Error];
    expect(subprotocol.message).toContain("subprotocol");
  });
});

describe("a bundle", () => {
  it("makes a node a candidate only after it is attested and has offered", async () => {
    const node = await network.dial({ model: "quiet" });
    await node.expect("welcome");
    expect(await candidates("quiet")).toBe("MODEL_UNKNOWN");
    node.attest();
    const { attestationId, prices } = await node.expect("attested");
    expect(attestationId).toBe(node.identity.attestationId);
    expect(prices).toMatchObject([{ model: "quiet", nanoPerUnit: 20n }]);
    expect(await candidates("quiet")).toBe("MODEL_UNKNOWN");
    await node.offer();
    expect(await candidates("quiet")).toEqual([node.identity.node]);
  });

  it("of another node is refused, though it is genuine", async () => {
    const honest = await network.join({ model: "honest" });
    const copier = await network.dial({ model: "honest" });
    await copier.expect("welcome");
    copier.attest(honest.identity.bytes);
    expect(await copier.expect("refused")).toMatchObject({ code: "NODE", fatal: true });
  });

  it("does not admit an offer of a model that it does not name", async () => {
    const node = await network.join({ model: "named" });
    node.offerAs("unnamed");
    node.attest();
    await node.expect("attested");
    expect(await candidates("unnamed")).toBe("MODEL_UNKNOWN");
  });

  it("of a simulated node is refused at CHAIN_ROOT by a gateway that was not started for a simulation", async () => {
    const strict = await startNetwork({ policy: () => strictPolicy });
    const node = await strict.dial();
    await node.expect("welcome");
    node.attest();
    expect(await node.expect("refused")).toMatchObject({ code: "CHAIN_ROOT", fatal: true });
    await strict.close();
  });
});

describe("a linked node", () => {
  it("that drains is offered to nobody and takes no new session", async () => {
    const node = await network.join({ model: "leaving" });
    expect(await candidates("leaving")).toEqual([node.identity.node]);
    const session = await network.client.openSession(node.identity);
    const priceId = await network.client.priceId("leaving");
    node.say({ t: "draining" });
    node.attest();
    await node.expect("attested");
    expect(await candidates("leaving")).toBe("NO_CANDIDATE");
    await expect(network.client.openSession(node.identity)).rejects.toThrow("DRAINING");
    const { status, error } = await network.client.ask(session, { priceId }).refusal();
    expect([status, error.code]).toEqual([503, "DRAINING"]);
  });

  it("that connects again replaces its old link", async () => {
    const old = await network.join({ model: "twice" });
    const fresh = await network.join({ model: "twice", identity: old.identity }, old.sessions);
    await old.closed;
    expect(await candidates("twice")).toEqual([fresh.identity.node]);
    const session = await network.client.openSession(fresh.identity);
    const answer = network.client.ask(session, { priceId: await network.client.priceId("twice") });
    (await fresh.requests.next()).answer("back");
    expect(await answer.text()).toBe("back");
  });

  it("that speaks nonsense is refused and gone", async () => {
    const node = await network.join({ model: "mad" });
    node.send(new Uint8Array([9, 9, 9]));
    expect(await node.expect("refused")).toMatchObject({ code: "BAD_REQUEST" });
    await node.closed;
    expect(await candidates("mad")).toBe("MODEL_UNKNOWN");
  });

  it("that skips a frame fails its answer, which is cut there", async () => {
    const node = await network.join({ model: "hasty" });
    const session = await network.client.openSession(node.identity);
    const answer = network.client.ask(session, {
      priceId: await network.client.priceId("hasty"),
      idempotencyId: "e".repeat(32),
    });
    const request = await node.requests.next();
    request.say("one");
    await answer.text();
    request.sayAt(5, "six");
    expect(await answer.json(3)).toMatchObject({ code: "NODE_FAILED" });
    expect(await answer.next()).toBe("end");
  });
});
