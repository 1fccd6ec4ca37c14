import { openNode } from "@bombyx/protocol/simulation";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startNetwork, type TestNetwork } from "./support/network.ts";

/** A node that is known to the gateway, and what its owner's key signs in the place of a quote. */
async function withoutQuote(network: TestNetwork) {
  const node = await network.dial({ model: "open-model" });
  await node.expect("welcome");
  const { bytes, attestationId } = await openNode({
    link: node.identity.link,
    payout: node.identity.bundle.link.payout,
    beacon: node.identity.statement.beacon,
    manifests: [node.manifest],
  });
  node.attest(bytes);
  return { node, attestationId };
}

describe("a node without a quote", () => {
  let open: TestNetwork;
  let strict: TestNetwork;
  beforeAll(async () => {
    open = await startNetwork({ openTier: true });
    strict = await startNetwork();
  }, 60_000);
  afterAll(async () => {
    await open?.close();
    await strict?.close();
  });

  it("is sent away by a gateway whose operator did not choose the open tier", async () => {
    const { node } = await withoutQuote(strict);
    expect(await node.expect("refused")).toMatchObject({ code: "TEE", fatal: true });
  });

  it("is taken by one whose operator did, and one with a quote beside it", async () => {
    const { node, attestationId } = await withoutQuote(open);
    expect(await node.expect("attested")).toMatchObject({ attestationId });
    const quoted = await open.join({ model: "quoted-model" });
    expect(quoted.identity.bundle.tee).toBe("tdx");
  });

  it("is refused when its owner's key did not sign what it says", async () => {
    const node = await open.dial({ model: "open-model" });
    await node.expect("welcome");
    const stranger = await openNode({ beacon: node.identity.statement.beacon, manifests: [node.manifest] });
    node.attest(stranger.bytes);
    expect(await node.expect("refused")).toMatchObject({ code: "NODE" });
  });
});
