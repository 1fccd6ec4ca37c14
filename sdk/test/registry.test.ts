import { cachedRegistry, registryMaxAgeMs } from "@bombyx/protocol/attestation";
import { BombyxClient } from "@bombyx/sdk";
import { expect, test } from "vitest";
import { ask, stage, story } from "./stand-in/index.ts";
import { saying } from "./stand-in/script.ts";

/** A client that asks a registry, whose lists a test may change, at a time that it may move on. */
async function registered() {
  const set = await stage([{ name: "alone", script: saying(story) }]);
  await set.client.prepare(ask);
  const verdict = set.client.verdict(ask);
  const platformId = verdict?.tee === "tdx" ? verdict.platformId : "";
  set.client.close();
  const lists = { platforms: { [platformId]: "home" } as Record<string, string>, denied: [] as string[] };
  const time = { at: set.world.bornAt };
  const document = async () => ({
    v: 1,
    releases: [],
    minReleaseVersion: 0,
    platforms: lists.platforms,
    denied: { platforms: lists.denied, images: [], bootIds: [] },
  });
  const registry = cachedRegistry(document, () => time.at);
  const policy = { ...set.world.policy({ registry: "required" }), tickMs: 0 as const };
  const client = (given: object = { registry }) =>
    new BombyxClient({
      gateway: set.gateway.url,
      apiKey: set.gateway.apiKey,
      fetch: set.gateway.fetch,
      now: () => time.at,
      policy: { ...policy, ...given },
    });
  return { ...set, client, lists, platformId, time };
}

test("a machine that the registry lists is spoken to, and the client knows where it stands", async () => {
  const { client } = await registered();
  const asking = client();
  await asking.prepare(ask);
  expect(asking.verdict(ask)).toMatchObject({ hosting: "home" });
  asking.close();
});

test("a machine that is denied gets no new session, although its verdict is still good", async () => {
  const { client, lists, platformId, time, gateway } = await registered();
  const asking = client();
  await asking.prepare(ask);
  const handshakes = gateway.nodes[0]?.handshakes.length;
  lists.denied.push(platformId);
  time.at += registryMaxAgeMs + 1;
  for (let i = 0; i < 70; i++) {
    // a session ends after 64 requests; the next one asks the lists again
    const outcome = await asking.chat.completions.create(ask).catch((error: unknown) => error);
    if (outcome instanceof Error) {
      expect(outcome).toMatchObject({ reason: "PLATFORM_DENIED", step: "registry" });
      expect(gateway.nodes[0]?.handshakes.length).toBe(handshakes);
      asking.close();
      return;
    }
  }
  throw new Error("the denied machine went on");
});

test("a policy that needs a registry speaks to nobody without one", async () => {
  const { client, gateway } = await registered();
  const handshakes = gateway.nodes[0]?.handshakes.length;
  await expect(client({}).chat.completions.create(ask)).rejects.toMatchObject({ reason: "REGISTRY_VIEW" });
  expect(gateway.nodes[0]?.handshakes.length).toBe(handshakes);
});
