import { createHash } from "node:crypto";
import { registryMessages } from "@bombyx/contracts/registry";
import { ChainError, RegistryMismatch, readChainRegistry, TonEndpoints } from "@bombyx/gateway/chain";
import type { Cell } from "@ton/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { KeyedWallet } from "../src/chain/settlement/operator-keys.ts";
import { type CrookedEndpoint, crookedEndpoint } from "./crooked-endpoint.ts";
import { gram, localTon, type TestTon } from "./local-ton.ts";
import "./patience.ts";

const hour = 3_600_000;
const platform = "ab".repeat(32);
const lists = {
  v: 1,
  releases: ["ee".repeat(32)],
  minReleaseVersion: 3,
  platforms: { [platform]: "home" },
  denied: { platforms: [], images: [], bootIds: [] },
};
const file = Buffer.from(JSON.stringify(lists));
const hashOf = (bytes: Buffer): bigint => BigInt(`0x${createHash("sha256").update(bytes).digest("hex")}`);

let chain: TestTon;
let one: CrookedEndpoint;
let two: CrookedEndpoint;
beforeEach(async () => {
  chain = await localTon("over HTTP");
  [one, two] = [await crookedEndpoint(chain.url), await crookedEndpoint(chain.url)];
});
afterEach(async () => {
  await Promise.all([one[Symbol.asyncDispose](), two[Symbol.asyncDispose]()]);
  await chain[Symbol.asyncDispose]();
});

const read = (document = file) =>
  readChainRegistry(
    new TonEndpoints({ urls: [one.url, two.url], wait: async () => {} }),
    chain.settlement.registry.address.toRawString(),
    document,
  );

async function say(by: KeyedWallet, body: Cell): Promise<void> {
  const { address } = chain.settlement.registry;
  await chain.send(by, { to: address, value: gram(0.1), bounce: true, body });
  await chain.ton.settled();
}

async function publish(document: Buffer): Promise<void> {
  const { owner } = chain.settlement.operator;
  await say(owner, registryMessages.propose("platforms", hashOf(document)));
  await chain.ton.advance(48 * hour);
  await say(owner, registryMessages.activate("platforms", hashOf(document)));
}

it("admits a machine only when its list was public on the chain for 48 hours", async () => {
  const { owner } = chain.settlement.operator;
  expect((await read()).platforms).toEqual({});
  await say(owner, registryMessages.propose("platforms", hashOf(file)));
  expect((await read()).platforms).toEqual({});
  await chain.ton.advance(48 * hour);
  await say(owner, registryMessages.activate("platforms", hashOf(file)));
  expect(await read()).toMatchObject({
    platforms: { [platform]: "home" },
    // Only two of three release keys make a release; what the file says of it is nothing.
    releases: [],
    minReleaseVersion: 3,
  });
});

it("takes no other file than the one that the chain names", async () => {
  await publish(file);
  const more = { ...lists, platforms: { ...lists.platforms, ["cd".repeat(32)]: "datacentre" } };
  await expect(read(Buffer.from(JSON.stringify(more)))).rejects.toThrow(RegistryMismatch);
  expect((await read()).platforms).toEqual(lists.platforms);
});

it("denies, raises the least version and pauses as soon as the guardian says so", async () => {
  await publish(file);
  const { guardian } = chain.settlement.operator;
  await say(guardian, registryMessages.deny(BigInt(`0x${platform}`)));
  const boot = "0c".repeat(16);
  await say(guardian, registryMessages.deny(BigInt(`0x${boot}`)));
  await say(guardian, registryMessages.raiseMinVersion(9));
  const now = await read();
  expect(now.denied.platforms).toContain(platform);
  expect(now.denied.images).toContain(platform);
  expect(now.denied.bootIds).toEqual([boot]);
  expect(now.minReleaseVersion).toBe(9);
  expect(now.platforms).toEqual(lists.platforms);
  await say(guardian, registryMessages.pause());
  expect((await read()).platforms).toEqual({});
});

it("names the release that two of three keys approved", async () => {
  const { owner, release } = chain.settlement.operator;
  const value = BigInt(`0x${"5a".repeat(32)}`);
  await say(owner, registryMessages.propose("release", value));
  await say(release[0], registryMessages.approveRelease(value));
  await chain.ton.advance(48 * hour);
  await say(owner, registryMessages.activate("release", value));
  expect((await read()).releases).toEqual([]);
  await say(release[1], registryMessages.approveRelease(value));
  await say(owner, registryMessages.activate("release", value));
  expect((await read()).releases).toEqual(["5a".repeat(32)]);
});

it("is read from nowhere when two endpoints do not say the same", async () => {
  await publish(file);
  two.bend = (method, result) => {
    if (method !== "runGetMethod") return result;
    const { stack } = result as { stack: [string, string][] };
    return { ...(result as object), stack: [...stack.slice(0, 2), ["num", "0x63"], ...stack.slice(3)] };
  };
  await expect(read()).rejects.toThrow(ChainError);
});
