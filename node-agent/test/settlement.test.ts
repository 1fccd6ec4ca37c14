import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { capUnits, exactUnits, unitsToNano } from "@bombyx/protocol/receipt";
import { BombyxError } from "@bombyx/protocol/wire";
import { expect, it } from "vitest";
import { type ChainReader, type NodeStatus, startNode } from "../src/index.ts";
import { readSettings } from "../src/settings.ts";
import { FakeClock } from "./fake-clock.ts";
import { FakeGateway, price } from "./fake-gateway.ts";
import { Queue } from "./queue.ts";
import { ScriptedEngine } from "./scripted-engine.ts";
import { chain, simulatedQuotes, World } from "./world.ts";

/** Nobody has anything on this chain, and nobody should ask it. */
const unasked = new Proxy({} as ChainReader, {
  get: (_, name) => () => Promise.reject(new Error(`the chain was asked for ${String(name)}`)),
});

/** The node answers one request for 64 units and is acknowledged. */
async function serveOne(world: World, told: NodeStatus["state"] = "paid"): Promise<NodeStatus> {
  const client = await world.client();
  const request = client.seal({}, { tickMs: 0 });
  const stream = client.send(request);
  (await world.engine.jobs.next()).end();
  await client.reader(request).readAll(stream);
  return world.statuses.nextWhere(({ state }) => state === told);
}

it("offers nothing and takes nothing at its owner's limit of what is not final, and says so", async () => {
  const oneAnswer = 64n * price.nanoPerUnit;
  await using world = await World.start({
    settlement: { chain: unasked, maxUnpaidNano: 2n * oneAnswer },
  });
  await world.gateway.control.nextWhere(({ t }) => t === "offer");
  await serveOne(world);
  expect(world.statuses.here.some(({ state }) => state === "held")).toBe(false);
  expect(await serveOne(world, "held")).toMatchObject({
    code: "unpaid",
    message: expect.stringContaining("--max-unpaid"),
  });
  expect(await world.gateway.control.nextWhere(({ t }) => t === "offer")).toEqual({ t: "offer", models: [] });
  // A client that comes all the same hears nothing of the owner's affairs.
  await expect(world.client()).rejects.toThrow(/NODE_BUSY.*use another/);
  // After a reconnect it still offers nothing.
  await world.reconnect();
  expect(await world.gateway.control.nextWhere(({ t }) => t === "offer")).toEqual({ t: "offer", models: [] });
});

it("serves a gateway that settles nothing on chain without a limit, unless its owner sets one", async () => {
  await using world = await World.start({ settlement: { chain: unasked } });
  for (let i = 0; i < 3; i++) await serveOne(world);
  expect(world.statuses.here.some(({ state }) => state === "held")).toBe(false);
});

/** A node's start against a gateway whose pages say this. */
async function startAgainst(vault: string | undefined, page: () => Response, reader = unasked) {
  const gateway = await FakeGateway.start();
  const stateDir = await mkdtemp(join(tmpdir(), "bombyx-node-"));
  const statuses = new Queue<NodeStatus>();
  const clock = new FakeClock();
  const stop = new AbortController();
  const started = startNode({
    gateway: gateway.url,
    stateDir,
    name: "n",
    engine: new ScriptedEngine(),
    quotes: await simulatedQuotes(),
    chain,
    clock,
    random: () => 0.5,
    signal: stop.signal,
    onStatus: (status) => statuses.push(status),
    settlement: { chain: reader, fetch: async () => page(), ...(vault !== undefined && { vault }) },
  });
  started.catch(() => {});
  return {
    gateway,
    clock,
    statuses,
    started,
    end: async () => {
      stop.abort();
      await started.then(
        (node) => node.close(),
        () => {},
      );
      await gateway.close();
      await rm(stateDir, { recursive: true });
    },
  };
}

const nothingSettled = () => new Response(null, { status: 404 });

it("ends when the gateway does not settle where its owner said, before it proves or offers anything", async () => {
  const world = await startAgainst(`0:${"ab".repeat(32)}`, nothingSettled);
  await expect(world.started).rejects.toMatchObject({ code: "VAULT_MISMATCH", field: "vault" });
  await world.gateway.control.nextWhere(({ t }) => t === "hello");
  expect(world.gateway.control.here.map(({ t }) => t)).not.toContain("attest");
  await world.end();

  const twin = await startAgainst(undefined, nothingSettled);
  await twin.started;
  await twin.end();
});

it("tries again while the vault cannot be checked, and attests nothing meanwhile", async () => {
  const terms = { globalId: -3, vault: `0:${"ab".repeat(32)}`, ackPk: "cd".repeat(32) };
  const away = new Proxy({} as ChainReader, {
    get: () => () => Promise.reject(new BombyxError("CHAIN_UNAVAILABLE", "No two endpoints agree.")),
  });
  const world = await startAgainst(undefined, () => Response.json(terms), away);
  for (let i = 0; i < 2; i++) {
    const status = await world.statuses.nextWhere(({ state }) => state === "waiting");
    expect(status).toMatchObject({ code: "CHAIN_UNAVAILABLE", message: "No two endpoints agree." });
    if (status.state === "waiting") world.clock.advance(status.waitMs);
  }
  expect(world.gateway.control.here.map(({ t }) => t)).not.toContain("attest");
  await world.end();
});

it("bills the settlement's vector: 1,235 units, 24,700 nano, in the clear receipt rounded up to a step of 64", async () => {
  await using world = await World.start({ coefficient: 1_500 });
  const client = await world.client();
  const request = client.seal(
    {},
    { tickMs: 0, coefficient: 1_500 },
    { capUnits: capUnits({ bucketBytes: 1_024, maxTokens: 256, continuation: false }, 1_500, price) },
  );
  const stream = client.send(request);
  const job = await world.engine.jobs.next();
  job.counts = { promptTokens: 34, cachedTokens: 11, completionTokens: 100, reasoningTokens: 10 };
  job.end();
  const { detail } = await client.reader(request).readAll(stream);
  expect(exactUnits(detail!, 1_500, price)).toBe(1_235n);
  expect(unitsToNano(1_235, price)).toBe(24_700n);
  expect((await stream.receipt()).receipt.units).toBe(1_280);
});

it.each([
  ["--payout", "somewhere", "a wallet's address"],
  ["--max-unpaid", "much", "an amount of GRAM"],
  ["--max-unpaid", "1.0000000001", "an amount of GRAM"],
  ["--watch-seconds", "0", ">=1"],
])("refuses %s %s, naming it", (flag, value, words) => {
  const rest = ["--gateway", "https://g.example", "--model", "m.gguf"];
  const read = (...argv: string[]) => readSettings([...rest, ...argv], {}, { chainGiven: true });
  expect(() => read(flag, value)).toThrow(new RegExp(`${flag}.*${words}`));
  const raw = `0:${"ab".repeat(32)}`;
  const good = read("--payout", raw, "--vault", raw, "--max-unpaid", "0.25", "--watch-seconds", "5");
  expect(good).toMatchObject({ settings: { "max-unpaid": 250_000_000n, payout: raw, "watch-seconds": 5 } });
});
