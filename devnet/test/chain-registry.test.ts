import { createHash } from "node:crypto";
import { type RegistrySlot, registryMessages } from "@bombyx/contracts/registry";
import { registryMaxAgeMs } from "@bombyx/protocol/attestation";
import { bootIdEntry, type ChainFetch, chainRegistry, publishedDocuments } from "@bombyx/sdk/ton";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { KeyedWallet } from "../src/chain/settlement/operator-keys.ts";
import { gram, localTon, type TestTon } from "./local-ton.ts";

const release = 0xb0a7n << 200n;
const hexOf = (hash: bigint) => hash.toString(16).padStart(64, "0");
const platform = "a1".repeat(32);
const bootId = "b2".repeat(16);
const document = Buffer.from(JSON.stringify({ v: 1, platforms: { [platform]: "home" } }));
const documentHash = createHash("sha256").update(document).digest("hex");
const fortyEightHours = 48 * 3_600_000;

let chain: TestTon;
let published: Map<string, Uint8Array>;
/** What each of the two endpoints makes of an answer. */
let bend: Record<string, (answer: { result: { data: string } }) => unknown>;
beforeAll(async () => {
  chain = await localTon("over HTTP");
});
afterAll(() => chain[Symbol.asyncDispose]());
beforeEach(() => {
  bend = {};
  published = new Map([[documentHash, document]]);
});

/** Two endpoints of one chain, and a place that publishes documents. */
const reach: ChainFetch = async (url, init) => {
  const { host, pathname, search } = new URL(url);
  if (host === "documents.example") {
    const bytes = published.get(pathname.slice(1));
    return bytes ? new Response(Buffer.from(bytes)) : new Response(null, { status: 404 });
  }
  const answer = await fetch(`${chain.url}${pathname}${search}`, init);
  return Response.json((bend[host] ?? ((same) => same))(await answer.json()));
};

function registry(now = () => 0) {
  return chainRegistry({
    endpoints: ["https://one.example", "https://two.example"],
    address: chain.settlement.registry.address.toString(),
    document: publishedDocuments(["https://gone.example", "https://documents.example"], async (url, init) =>
      url.startsWith("https://gone.example") ? new Response(null, { status: 404 }) : reach(url, init),
    ),
    fetch: reach,
    now,
  });
}

async function say(from: KeyedWallet, body: ReturnType<typeof registryMessages.pause>): Promise<void> {
  await chain.send(from, { to: chain.settlement.registry.address, value: gram(0.1), body });
  await chain.ton.settled();
}

/** Two days in public, then anybody makes it true. */
async function widen(slot: RegistrySlot, value: bigint): Promise<void> {
  const { owner, release: keys } = chain.settlement.operator;
  await say(owner, registryMessages.propose(slot, value));
  if (slot === "release") {
    for (const key of keys.slice(0, 2)) await say(key, registryMessages.approveRelease(value));
  }
  await chain.ton.advance(fortyEightHours + 1_000);
  await say(owner, registryMessages.activate(slot, value));
}

describe("the registry's lists, from the chain", () => {
  it("are empty when nothing was registered", async () => {
    expect(await registry().lists()).toEqual({
      v: 1,
      releases: [],
      minReleaseVersion: 0,
      platforms: {},
      denied: { platforms: [], images: [], bootIds: [] },
      readAt: 0,
    });
  });

  it("are the release in force, its least version, the machines of the published list, and what is denied", async () => {
    const { guardian } = chain.settlement.operator;
    await widen("release", release);
    await widen("platforms", BigInt(`0x${documentHash}`));
    await say(guardian, registryMessages.raiseMinVersion(7));
    await say(guardian, registryMessages.deny(BigInt(`0x${platform}`)));
    await say(guardian, registryMessages.deny(bootIdEntry(bootId)));
    const lists = await registry().lists();
    expect(lists).toMatchObject({
      releases: [hexOf(release)],
      minReleaseVersion: 7,
      platforms: { [platform]: "home" },
    });
    expect(lists.denied.platforms).toContain(platform);
    expect(lists.denied.bootIds).toEqual([bootId]);
    // As the contract's own get-method tells it.
    const view = await chain.client.open(chain.settlement.registry).getRegistry();
    expect([view.minVersion, [...view.denied.keys()].map(hexOf).sort()]).toEqual([
      7,
      [...lists.denied.platforms].sort(),
    ]);
  });

  it("are read again when they are five minutes old, and tell then what was denied meanwhile", async () => {
    let at = 1;
    const one = registry(() => at);
    const image = "c3".repeat(32);
    expect((await one.lists()).denied.images).not.toContain(image);
    await say(chain.settlement.operator.guardian, registryMessages.deny(BigInt(`0x${image}`)));
    expect((await one.lists()).denied.images).not.toContain(image);
    at += registryMaxAgeMs + 1;
    expect((await one.lists()).denied.images).toContain(image);
  });
});

describe("nobody is trusted for them", () => {
  const refusal = { reason: "REGISTRY_VIEW", step: "registry" };

  it("an endpoint with another storage than the other's", async () => {
    const honest = await chain.client.getContractState(chain.settlement.registry.address);
    const { owner } = chain.settlement.operator;
    const other = await chain.client.getContractState(owner.wallet.address);
    expect(honest.data).not.toBeNull();
    bend["two.example"] = (answer) => ({
      ...answer,
      result: { ...answer.result, data: other.data?.toString("base64") },
    });
    await expect(registry().lists()).rejects.toMatchObject(refusal);
    bend = {};
    await expect(registry().lists()).resolves.toBeDefined();
  });

  it("an endpoint that is gone", async () => {
    bend["one.example"] = () => {
      throw new Error("gone");
    };
    await expect(registry().lists()).rejects.toMatchObject(refusal);
  });

  it("a list of machines with one more in it, or none at all", async () => {
    published.set(
      documentHash,
      Buffer.from(JSON.stringify({ v: 1, platforms: { ["ee".repeat(32)]: "home" } })),
    );
    await expect(registry().lists()).rejects.toMatchObject(refusal);
    published.delete(documentHash);
    await expect(registry().lists()).rejects.toMatchObject(refusal);
    published.set(documentHash, document);
    await expect(registry().lists()).resolves.toBeDefined();
  });

  it("once its guardian has paused the network, until the owner's two days are over", async () => {
    await say(chain.settlement.operator.guardian, registryMessages.pause());
    await expect(registry().lists()).rejects.toMatchObject(refusal);
    await widen("unpause", 0n);
    await expect(registry().lists()).resolves.toMatchObject({ minReleaseVersion: 7 });
  });
});
