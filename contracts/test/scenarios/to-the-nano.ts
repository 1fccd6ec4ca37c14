import { equal } from "node:assert/strict";
import { type Address, Builder } from "@ton/core";
import { packAccountLeaf } from "../../src/merkle/leaf.ts";
import { vaultMessages } from "../../src/vault/messages.ts";
import { codeAt, transactionOf } from "../chain.ts";
import { answers, leastValue, type Scenario, scenario } from "../scenario.ts";
import { gram, hour, type World } from "../world.ts";

/** Five years' rent of 38 cells and 22,000 bits, by hand: what a vault keeps. */
const reserveNano = (w: World): bigint => (w.prices === "today" ? 12_342_811n : 98_646_241n);

/** Rent is paid to this moment and the balance is this much. */
async function fill(w: World, address: Address, coins: bigint): Promise<void> {
  await w.send(w.stranger, { to: address, value: gram(0.01), bounce: false });
  const shard = w.chain.account(address);
  const account = shard?.account;
  if (!shard || !account) throw new Error(`${address} is not there`);
  w.chain.put({ ...shard, account: { ...account, storage: { ...account.storage, balance: { coins } } } });
}

const two = (w: World, a: bigint, b: bigint) =>
  w.treeOf([w.leafOf(w.node("a"), a), w.leafOf(w.node("b"), b)]);

export const scenarios: Scenario[] = [
  scenario("a till with exactly what is owed and its rent takes a root, with a nano less none", async (w) => {
    await w.paidIn(gram(10));
    const tree = two(w, gram(3), gram(1));
    const enough = (await w.view()).owedNano + reserveNano(w);
    await fill(w, w.vault.address, enough - 1n);
    answers(await w.commit(tree), "Underfunded");
    await fill(w, w.vault.address, enough);
    answers(await w.commit(tree), "fine");
  }),
  scenario(
    "a till with exactly what is owed and its rent lets its owner withdraw, with a nano less not",
    async (w) => {
      await w.paidIn(gram(10));
      const terms = { withdrawalNano: gram(1), owner: w.owner, guardian: w.guardian };
      await w.toVault(w.owner, vaultMessages.announce(terms));
      w.chain.now += 48 * hour;
      const enough = (await w.view()).owedNano + reserveNano(w);
      await fill(w, w.vault.address, enough - 1n);
      answers(await w.toVault(w.owner, vaultMessages.applyAnnounced()), "Underfunded");
      await fill(w, w.vault.address, enough);
      answers(await w.toVault(w.owner, vaultMessages.applyAnnounced()), "fine");
    },
  ),
  scenario("a till with exactly what is claimed pays it, with a nano less nothing", async (w) => {
    await w.paidIn(gram(100));
    const a = w.node("a");
    await w.finalize(two(w, gram(60), gram(20)));
    await fill(w, w.vault.address, gram(60) - 1n);
    answers(codeAt(await w.claim(a, w.leafCell(0)), w.vault.address), "Underfunded");
    equal((await w.view()).paidNano, 0n);
    await fill(w, w.vault.address, gram(60));
    answers(codeAt(await w.claim(a, w.leafCell(0)), w.vault.address), "fine");
    equal((await w.view()).paidNano, gram(60));
  }),
  scenario("a stranger's claim brings the owner all of it: the stranger pays for the way", async (w) => {
    await w.paidIn(gram(100));
    const a = w.node("a");
    await w.finalize(two(w, gram(60), gram(20)));
    const done = await w.claim(a, w.leafCell(0), w.stranger);
    const { inMessage } = transactionOf(done, a.owner);
    equal(inMessage?.info.type === "internal" && inMessage.info.value.coins, gram(60));
  }),
  scenario("a commit whose excess is too small to be sent back is made, and keeps it", async (w) => {
    await w.paidIn(gram(10));
    const tree = two(w, gram(3), gram(1));
    const body = vaultMessages.commitEpoch(w.rootOf(tree, 1));
    const commit = async (value: bigint) =>
      transactionOf(await w.send(w.committer, { to: w.vault.address, value, body }), w.vault.address);
    const least = await leastValue(
      w,
      async (value) => {
        const { description } = await commit(value);
        return description.type === "generic" && !description.aborted;
      },
      gram(0.2),
    );
    equal((await commit(least)).outMessagesCount, 0);
    equal((await w.view()).pendingRoot?.epoch, 1);
  }),
  scenario("an empty place with work in it is no empty place, also where the place is empty", async (w) => {
    await w.paidIn(gram(10));
    const before = two(w, gram(3), gram(1));
    await w.finalize(before);
    const after = w.treeOf([undefined, w.leafOf(w.node("b"), gram(4))]);
    answers(await w.commit(after, 2), "fine");
    const finalLeaf = packAccountLeaf(0, before.leaf(0), before.path(0));
    const empty = packAccountLeaf(0, undefined, after.path(0));
    // index u64, earned coins (4 bits of 0), units u64 behind the bit that says "no account".
    const bits = empty.beginParse();
    const head = bits.loadBits(1 + 64 + 4);
    bits.skip(64);
    const busy = new Builder().storeBits(head).storeUint(5, 64).storeSlice(bits).endCell();
    answers(await w.toVault(w.stranger, vaultMessages.dispute({ finalLeaf }, busy)), "WrongProof");
    equal((await w.view()).pendingRoot?.epoch, 2);
    answers(await w.toVault(w.stranger, vaultMessages.dispute({ finalLeaf }, empty)), "fine");
  }),
];
