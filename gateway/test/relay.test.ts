import { candidatesSchema, envelopeKind, type SignedReceipt } from "@bombyx/protocol/wire";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startNetwork, type TestNetwork } from "./support/network.ts";
import type { ScriptedNode } from "./support/scripted-node.ts";

let network: TestNetwork;
let node: ScriptedNode;
let priceId: string;

beforeEach(async () => {
  network = await startNetwork();
  node = await network.join();
  priceId = await network.priceId();
});
afterEach(() => network.close());

describe("a sealed request", () => {
  it("reaches the node sealed and comes back sealed, frame by frame, with the receipt at its end", async () => {
    const session = await network.client.openSession(node.identity);
    const answer = network.client.ask(session, { text: "who spins silk?", priceId });
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
    expect(ack).toMatchObject({ n: 1, node: node.identity.node });
    expect(await network.gateway.ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });

  it("is offered by the scheduler under the attestation that the node has", async () => {
    const { json } = await network.client.call("GET", "/v1/candidates?model=spark");
    const { candidates } = candidatesSchema.parse(json);
    expect(candidates).toMatchObject([
      { node: node.identity.node, attestationId: node.identity.attestationId, score: 1 },
    ]);
    const bundle = await network.client.call("GET", `/v1/bundles/${node.identity.attestationId}`);
    expect(Buffer.compare(bundle.body, Buffer.from(node.identity.bytes))).toBe(0);
  });
});
