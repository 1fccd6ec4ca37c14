import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { comment } from "@ton/core";
import { afterEach, expect, it } from "vitest";
import { BlockClock } from "../src/chain/block-clock.ts";
import { gram, localTon } from "./local-ton.ts";

let stateRoot: string | undefined;
afterEach(async () => {
  if (stateRoot) await rm(stateRoot, { recursive: true, force: true });
  stateRoot = undefined;
});

/** A clock and timers that the test moves. */
function handClock(born = 1_800_000_000_000) {
  let now = born;
  const waiting = new Map<() => void, number>();
  return {
    clock: new BlockClock(BlockClock.genesis(born)),
    now: () => now,
    schedule: (at: number, work: () => void) => {
      waiting.set(work, at);
      return () => waiting.delete(work);
    },
    /** Lets this much time pass, and calls what was waiting for it. */
    pass(ms: number) {
      now += ms;
      for (const [work, at] of waiting) {
        if (at > now) continue;
        waiting.delete(work);
        work();
      }
    },
  };
}

it("lets a message wait for the next block, hop by hop, and shows it on its way", async () => {
  const hand = handClock(Math.floor(Date.now() / 1_000) * 1_000);
  await using chain = await localTon("over HTTP", { ...hand, blockDelay: 1 });
  const { client, ton, person, send } = chain;
  const alice = await person(gram(3));
  expect(await client.getBalance(alice.wallet.address)).toBe(0n);
  expect(ton.pending()).toHaveLength(1);
  const block = () => {
    const changed = new Promise<void>((resolve) => {
      const stop = ton.onChange(() => {
        stop();
        resolve();
      });
    });
    hand.pass(1_000);
    return changed;
  };
  await block(); // the faucet's wallet
  expect(await client.getBalance(alice.wallet.address)).toBe(0n);
  await block(); // hers
  expect(await client.getBalance(alice.wallet.address)).toBe(gram(3));
  expect(ton.pending()).toEqual([]);

  const { latestSeqno } = await client.getMasterchainInfo();
  await send(alice, { to: alice.wallet.address, value: gram(1), bounce: false, body: comment("waits") });
  expect(await client.isContractDeployed(alice.wallet.address)).toBe(false);
  await block();
  expect(await client.open(alice.wallet).getSeqno()).toBe(1);
  const [tx] = await client.getTransactions(alice.wallet.address, { limit: 1 });
  expect(ton.transactions.byHash(tx?.hash().toString("hex") ?? "")?.seqno).toBe(latestSeqno + 1);
  // One that nobody would take in is refused at once, as a node does.
  await expect(
    send({ ...alice, keys: chain.settlement.operator.ack }, { to: alice.wallet.address, value: 1n }),
  ).rejects.toThrow();
  expect(ton.pending()).toHaveLength(1);
});

it("goes on after a restart: accounts, transactions, skipped time, and what was on its way", async () => {
  stateRoot = await mkdtemp(join(tmpdir(), "bombyx-ton-"));
  const file = join(stateRoot, "ton.sqlite");
  const hand = handClock(Math.floor(Date.now() / 1_000) * 1_000);
  const before = await (async () => {
    await using chain = await localTon("in process", { ...hand, stateRoot, file });
    const alice = await chain.person(gram(7));
    await chain.ton.advance(3_600_000);
    chain.ton.setBlockDelay(1);
    await chain.send(alice, { to: chain.settlement.vault.address, value: gram(1), bounce: false });
    const vault = chain.settlement.vault.address;
    const { operator } = chain.settlement;
    const count = chain.ton.transactions.count();
    return { alice, vault, owner: operator.owner.wallet.address, count, time: chain.ton.time() };
  })();
  expect((await stat(join(stateRoot, "ton-keys.json"))).mode & 0o777).toBe(0o600);

  await using again = await localTon("in process", { ...hand, stateRoot, file });
  const { ton, client, settlement } = again;
  expect(settlement.vault.address.equals(before.vault)).toBe(true);
  expect(settlement.operator.owner.wallet.address.equals(before.owner)).toBe(true);
  expect(ton.transactions.count()).toBe(before.count);
  expect(ton.skippedMs).toBe(3_600_000);
  expect(ton.time()).toBeGreaterThanOrEqual(before.time);
  expect(ton.pending()).toHaveLength(1);
  const held = ton.balance(before.vault);
  hand.pass(2_000);
  await ton.settled();
  expect(await client.open(before.alice.wallet).getSeqno()).toBe(1);
  expect(ton.balance(before.vault)).toBeGreaterThan(held);
});

it("refuses bad questions with a status and words", async () => {
  await using chain = await localTon("over HTTP");
  const ask = async (path: string, init?: RequestInit) => {
    const response = await fetch(`${chain.url}/${path}`, init);
    return {
      status: response.status,
      ...((await response.json()) as { ok: boolean; error?: string; result?: unknown }),
    };
  };
  const post = (method: string, body: string) => ask(method, { method: "POST", body });
  expect(await ask("getAddressBalance?address=nonsense")).toMatchObject({
    status: 422,
    error: expect.stringContaining("is not an address"),
  });
  const vault = chain.settlement.vault.address;
  expect(await ask(`getAddressBalance?address=${vault}`)).toMatchObject({ ok: true });
  expect(await ask(`getAddressState?address=${vault.toRawString()}`)).toMatchObject({ result: "active" });
  expect(await ask("detectAddress?address=x")).toMatchObject({
    status: 404,
    error: expect.stringContaining("This local chain has no detectAddress"),
  });
  const boc = (bytes: string) => JSON.stringify({ boc: Buffer.from(bytes).toString("base64") });
  expect(await post("sendBoc", boc("this is no bag of cells"))).toMatchObject({
    status: 422,
    error: expect.stringContaining("cannot parse the BoC"),
  });
  expect(await post("sendBoc", boc("x".repeat(70_000)))).toMatchObject({
    status: 422,
    error: expect.stringContaining("65536 at most"),
  });
  expect(await post("sendBoc", "x".repeat(300_000))).toMatchObject({ status: 413 });
  expect(await post("jsonRPC", "{")).toMatchObject({ status: 422, error: "The body is no JSON." });
  expect(
    await post(
      "jsonRPC",
      JSON.stringify({ id: 1, method: "getAddressState", params: { address: vault.toString() } }),
    ),
  ).toMatchObject({ status: 200, result: "active", id: 1 });
  expect(
    await ask(`getWalletInformation?address=${chain.settlement.operator.owner.wallet.address}`),
  ).toMatchObject({
    result: { wallet: true, wallet_type: "wallet v5 r1", seqno: 1 },
  });
  expect(await ask("getConfigParam?config_id=20")).toMatchObject({ ok: true });
  expect(await ask("getConfigParam?config_id=999")).toMatchObject({ status: 404 });
});
