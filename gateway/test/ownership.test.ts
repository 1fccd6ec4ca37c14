import { newSigningKeyPair } from "@bombyx/protocol/session";
import { attestedNode } from "@bombyx/protocol/simulation";
import { envelopeKind, machinesSchema } from "@bombyx/protocol/wire";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { runAdmin } from "../src/accounts/index.ts";
import { TestClient } from "./support/client.ts";
import { startNetwork, type TestNetwork } from "./support/network.ts";
import { manifestOf, type ScriptedNode } from "./support/scripted-node.ts";

let network: TestNetwork;
beforeAll(async () => {
  network = await startNetwork({ trustedProxies: ["127.0.0.0/8"] });
});
afterAll(() => network.close());

const codeOf = async (owner: string) =>
  (await network.gateway.accounts.createPairingCode({ owner: `developer:${owner}` })).code;
const machinesOf = async (owner: string) =>
  machinesSchema.parse((await (await network.clientOf(owner)).call("GET", "/v1/owner/machines")).json)
    .machines;
const beacon = ({ identity }: ScriptedNode) => identity.statement.beacon;

async function serveOne(node: ScriptedNode, model: string, id: string, units?: number) {
  const session = await network.client.openSession(node.identity);
  const answer = network.client.ask(session, {
    priceId: await network.client.priceId(model),
    idempotencyId: id.repeat(32),
  });
  const request = await node.requests.next();
  request.say("done", true);
  await answer.text();
  request.settle(units === undefined ? {} : { units });
  return answer;
}

describe("a node that is removed while it says hello", () => {
  it("gets no link, however the two meet; one that is not removed gets its own", async () => {
    const { accounts } = network.gateway;
    const node = await network.join({ pairingCode: await codeOf("racer"), model: "raced" });
    node.kill();
    await node.closed;
    const { identity } = node;
    const [machine] = await machinesOf("racer");
    const owner = await network.clientOf("racer");

    const looked = Promise.withResolvers<void>();
    const removed = Promise.withResolvers<void>();
    const { findNode } = accounts;
    const slow = vi.spyOn(accounts, "findNode").mockImplementationOnce(async (id) => {
      const record = await findNode(id);
      looked.resolve();
      await removed.promise;
      return record;
    });
    const again = await network.dial({ identity, model: "raced" });
    await looked.promise;
    expect((await owner.call("DELETE", `/v1/owner/machines/${machine?.id}`)).status).toBe(200);
    removed.resolve();
    expect(await again.expect("refused")).toMatchObject({ code: "NODE_REMOVED", fatal: true });
    expect(slow).toHaveBeenCalledTimes(2);
    slow.mockRestore();
    const twin = await network.dial({ pairingCode: await codeOf("racer"), model: "raced" });
    await twin.expect("welcome");
  });
});

describe("a quarantine", () => {
  it("holds for the link key, whatever wallet it is paired with, over restarts, until the operator ends it", async () => {
    const link = newSigningKeyPair();
    const first = await network.join({ pairingCode: await codeOf("keeper"), model: "kept-out" });
    const options = { world: network.world, now: Date.now(), beacon: beacon(first), link };
    const identity = await attestedNode({ ...options, manifests: [manifestOf("kept-out")], payout: "one" });
    first.kill();
    const node = await network.join({ identity, pairingCode: await codeOf("keeper"), model: "kept-out" });
    const answer = await serveOne(node, "kept-out", "e", 1 << 30);
    expect(await answer.json(envelopeKind.failure)).toMatchObject({ code: "RECEIPT_INVALID" });
    expect(await node.expect("refused")).toMatchObject({ code: "QUARANTINED", fatal: true });

    const refusedAs = async (again: typeof identity) => {
      const dialled = await network.dial({ identity: again, pairingCode: await codeOf("keeper") });
      return (await dialled.expect("refused")).code;
    };
    const otherWallet = await attestedNode({
      ...options,
      manifests: [manifestOf("kept-out")],
      payout: "two",
    });
    expect(otherWallet.node).not.toBe(identity.node);
    expect(await refusedAs(identity)).toBe("QUARANTINED");
    expect(await refusedAs(otherWallet)).toBe("QUARANTINED");
    network.killNodes();
    await network.restart();
    expect(await refusedAs(identity)).toBe("QUARANTINED");
    expect(await refusedAs(otherWallet)).toBe("QUARANTINED");
    const shown = (await machinesOf("keeper")).find((machine) => machine.node === identity.node);
    expect(shown).toMatchObject({ state: "quarantined", warnings: [{ code: "QUARANTINED" }] });

    const admin = async (...argv: string[]) => {
      let written = "";
      const stdout = { write: (said: string) => (written += said) };
      await runAdmin([...argv, "--json"], { dataDir: network.dataDir, stdout });
      return JSON.parse(written);
    };
    expect(await admin("nodes", "quarantined")).toMatchObject({
      nodes: [{ node: identity.node, reason: expect.stringContaining("billed") }],
    });
    await admin("nodes", "admit", identity.node);
    await expect(admin("nodes", "admit", identity.node)).rejects.toMatchObject({ code: "NOT_FOUND" });
    await network.join({ identity, model: "kept-out" });
    expect((await machinesOf("keeper")).find(({ node: id }) => id === identity.node)?.state).toBe("ready");
  });
});

describe("a node that changes hands", () => {
  it("begins at nothing for its new owner, then and after a restart, and goes on from there", async () => {
    const node = await network.join({ pairingCode: await codeOf("seller"), model: "sold" });
    await (await serveOne(node, "sold", "a")).json(envelopeKind.receipt);
    await node.expect("ack");
    const [machine] = await machinesOf("seller");
    expect(machine?.total).toEqual({ requests: 1, units: 128, earnedNano: "2304" });
    const seller = await network.clientOf("seller");
    await seller.call("DELETE", `/v1/owner/machines/${machine?.id}`);

    const pairingCode = await codeOf("buyer");
    const bought = await network.join({ identity: node.identity, pairingCode, model: "sold" }, node.sessions);
    const nothing = { requests: 0, units: 0, earnedNano: "0" };
    const [fresh] = await machinesOf("buyer");
    expect(fresh).toMatchObject({ total: nothing, today: nothing });
    expect(Math.max(...(fresh?.minutes ?? [1]))).toBe(0);

    await (await serveOne(bought, "sold", "b")).json(envelopeKind.receipt);
    await bought.expect("ack");
    const own = { requests: 1, units: 128, earnedNano: "2304" };
    expect((await machinesOf("buyer"))[0]).toMatchObject({ total: own, today: own });
    bought.kill();
    await network.restart();
    expect((await machinesOf("buyer"))[0]).toMatchObject({ total: own });
  });
});

describe("behind a trusted proxy", () => {
  it("strangers are counted by their own address, and not by what they write themselves", async () => {
    const look = async (forwarded: string) =>
      (
        await new TestClient(network.gateway.url, "").call("GET", "/v1/models", {
          headers: { "x-forwarded-for": forwarded },
        })
      ).status;
    const many = (forwarded: (n: number) => string) =>
      Promise.all(Array.from({ length: 100 }, (_, n) => look(forwarded(n))));
    // The proxy appends the address that it sees: all in front of it is the client's own invention.
    const spoofed = (n: number) => `198.51.100.${n}, 203.0.113.5`;
    while (!(await many(spoofed)).includes(429));
    expect(await many(() => "203.0.113.5")).toContain(429);
    expect(await look("203.0.113.6")).toBe(401);
  });
});
