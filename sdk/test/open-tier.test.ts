import { BombyxClient, isOpenTier, parsePolicy, strictPolicy } from "@bombyx/sdk";
import { openTier } from "@bombyx/sdk/open-tier";
import { describe, expect, it } from "vitest";
import { ask, stage, story } from "./stand-in/index.ts";
import { saying } from "./stand-in/script.ts";

const chainEndpoints = ["https://one.example/api/v2", "https://two.example/api/v2"];

describe("the open tier's policy", () => {
  it("is made by code, and by nothing that comes as data", () => {
    const policy = openTier({ chainEndpoints });
    expect(isOpenTier(policy)).toBe(true);
    expect(parsePolicy(policy)).toBe(policy);
    for (const data of [JSON.parse(JSON.stringify(policy)), { ...policy }]) {
      expect(() => parsePolicy(data)).toThrow(expect.objectContaining({ code: "BAD_REQUEST" }));
    }
    expect(isOpenTier(strictPolicy)).toBe(false);
    expect(Object.isFrozen(policy) && Object.isFrozen(policy.attestation)).toBe(true);
  });

  it("asks for its own tier and refuses a node with a quote that it is offered; strictly it is the other way round", async () => {
    const set = await stage([{ name: "quoted", script: saying(story) }]);
    const asked: string[] = [];
    const client = (policy: Parameters<typeof parsePolicy>[0]) =>
      new BombyxClient({
        gateway: set.gateway.url,
        apiKey: set.gateway.apiKey,
        fetch: (url, init) => {
          asked.push(new URL(String(url)).search);
          return set.gateway.fetch(url, init);
        },
        now: () => set.world.bornAt,
        policy: policy as never,
      });
    const { chain } = set.world.policy().attestation as { chain: string };
    const open = client(openTier({ chainEndpoints: set.world.policy().chainEndpoints, chain }));
    await expect(open.chat.completions.create(ask)).rejects.toMatchObject({
      code: "ATTESTATION",
      reason: "TEE",
    });
    expect(asked.some((query) => query.includes("tee=none"))).toBe(true);
    open.close();
    asked.length = 0;
    const strict = client(set.world.policy());
    await strict.chat.completions.create(ask);
    expect(strict.verdict(ask)).toMatchObject({ tee: "tdx" });
    expect(asked.some((query) => query.includes("tee="))).toBe(false);
    strict.close();
  });
});
