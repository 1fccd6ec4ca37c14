import { appraise, appraiseOpen, openPolicy } from "@bombyx/protocol/attestation";
import { describe, expect, it } from "vitest";
import { readSettings } from "../src/settings.ts";
import { block, chain, simulatedPolicy, World } from "./world.ts";

const minute = 60_000;

describe("a node of the open tier", () => {
  it("publishes what the open policy admits, and no other one does", async () => {
    await using world = await World.start({ quotes: "none" });
    const { bundle, attestationId } = world.admission;
    const { node } = { node: world.node.nodeId };
    const given = { bundle, chain, now: block.at + minute, expect: { node, attestationId } };
    const policy = await simulatedPolicy();
    expect(await appraiseOpen({ ...given, policy: openPolicy(policy.chain) })).toMatchObject({
      tee: "none",
      node,
      suite: 2,
    });
    await expect(appraise({ ...given, policy })).rejects.toMatchObject({ reason: "TEE" });
  });

  it("answers, sealed, as any node", async () => {
    await using world = await World.start({ quotes: "none" });
    const client = await world.client();
    expect(client).toBeDefined();
  });

  it("cannot be asked for together with a confidential GPU", () => {
    const argv = (...more: readonly string[]) => [
      "--gateway",
      "https://gateway.example",
      "--model",
      "model.gguf",
      ...more,
    ];
    const read = (...more: readonly string[]) => readSettings(argv(...more), {}, { chainGiven: true });
    expect(() => read("--tee", "none", "--gpu", "cc")).toThrow(/--gpu cc needs --tee tdx/);
    expect(() => read("--tee", "sgx")).toThrow(/--tee/);
    expect(read("--tee", "none", "--gpu", "plain")).toMatchObject({
      settings: { tee: "none", gpu: "plain" },
    });
    expect(read()).toMatchObject({ settings: { tee: "tdx" } });
  });
});
