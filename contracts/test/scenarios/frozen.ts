import { equal, ok } from "node:assert/strict";
import { type Address, beginCell, type StateInit, storeStateInit } from "@ton/core";
import { channelMessages } from "../../src/client-channel/client-channel.ts";
import { NodeAccount } from "../../src/node-account/node-account.ts";
import { exitCode } from "../../src/rules/refusal.ts";
import { codeAt, transactionOf } from "../chain.ts";
import { answers, type Scenario, scenario } from "../scenario.ts";
import { gram, hour, type World } from "../world.ts";

/**
 * Rent has eaten an account: only the hash of its state is left, and 0.1 GRAM is due. Answers with the state as it was, which
 * anybody can keep and bring back.
 */
function freeze(w: World, address: Address): StateInit {
  const shard = w.chain.account(address);
  const { account } = shard ?? {};
  const state = account?.storage.state;
  if (!shard || !account || state?.type !== "active") throw new Error(`${address} is not active`);
  const { code, data } = state.state;
  const init: StateInit = { code: code ?? null, data: data ?? null };
  const stateHash = beginCell().store(storeStateInit(init)).endCell().hash();
  w.chain.put({
    ...shard,
    account: {
      ...account,
      storageStats: { ...account.storageStats, duePayment: gram(0.1) },
      storage: {
        ...account.storage,
        balance: { coins: 0n },
        state: { type: "frozen", stateHash: BigInt(`0x${stateHash.toString("hex")}`) },
      },
    },
  });
  return init;
}

export const scenarios: Scenario[] = [
  scenario(
    "a frozen channel is not opened anew from its beginning, when its vouchers were worth something; its last state revives it",
    async (w) => {
      const channel = await w.open();
      const to = channel.contract.address;
      answers(await w.redeem(channel, gram(4)), "fine");
      const state = freeze(w, to);
      // Without a state nothing runs, and the money comes back.
      const before = w.chain.balance(w.client);
      const topUp = await w.send(w.client, { to, value: gram(3) });
      equal(exitCode(transactionOf(topUp, to)), undefined);
      ok(before - w.chain.balance(w.client) < gram(0.2));
      // The first state again, in which nothing was redeemed: refused.
      const reset = {
        to,
        value: gram(3),
        init: channel.contract.init as StateInit,
        body: channelMessages.setKey(channel.key.publicKey),
      };
      await w.send(w.client, reset);
      ok(!w.chain.isActive(to));
      await w.send(w.client, { to, value: gram(10), init: state, bounce: false });
      ok(w.chain.isActive(to));
      equal((await w.channelView(channel)).redeemedNano, gram(4));
      answers(await w.redeem(channel, gram(4)), "NothingToRedeem");
      answers(await w.redeem(channel, gram(5)), "fine");
      equal((await w.view()).nodesCreditNano, gram(4.5));
    },
  ),
  scenario("a claim at a frozen vault is taken back, and paid when the vault is revived", async (w) => {
    await w.paidIn(gram(100));
    const a = w.node("a");
    await w.finalize(w.treeOf([w.leafOf(a, gram(60)), w.leafOf(w.node("b"), gram(20))]));
    const held = w.chain.balance(w.vault.address);
    const state = freeze(w, w.vault.address);
    await w.claim(a, w.leafCell(0));
    const claimed = async () => (await a.account.getAccount(w.chain.provider(a.account.address))).claimedNano;
    equal(await claimed(), 0n);
    const value = held + gram(1);
    await w.send(w.stranger, { to: w.vault.address, value, init: state, bounce: false });
    const done = await w.claim(a, w.leafCell(0));
    answers(codeAt(done, w.vault.address), "fine");
    equal(await claimed(), gram(60));
    equal((await w.view()).paidNano, gram(60));
  }),
  scenario("a payment at a frozen vault goes back into the channel, to the nano", async (w) => {
    const channel = await w.open();
    await w.redeem(channel, gram(1));
    const state = freeze(w, w.vault.address);
    const held = w.chain.balance(channel.contract.address);
    await w.redeem(channel, gram(3));
    equal((await w.channelView(channel)).redeemedNano, gram(1));
    ok(w.chain.balance(channel.contract.address) >= held);
    await w.send(w.stranger, { to: w.vault.address, value: gram(3), init: state, bounce: false });
    await w.redeem(channel, gram(3));
    equal((await w.view()).nodesCreditNano, gram(2.7));
  }),
  scenario("an account that froze remembers what it was paid when anybody revives it", async (w) => {
    await w.paidIn(gram(100));
    const a = w.node("a");
    await w.finalize(w.treeOf([w.leafOf(a, gram(60)), w.leafOf(w.node("b"), gram(20))]));
    await w.claim(a, w.leafCell(0));
    const { address, init } = a.account;
    const state = freeze(w, address);
    // From its first state the same 60 would be due again.
    const again = { ...w.claimOf(a, w.leafCell(0)), init: init as StateInit };
    await w.send(a.owner, again);
    ok(!w.chain.isActive(address));
    equal((await w.view()).paidNano, gram(60));
    await w.send(w.stranger, { to: address, value: gram(1), init: state, bounce: false });
    answers(codeAt(await w.claim(a, w.leafCell(0)), address), "NothingDue");
    equal((await w.view()).paidNano, gram(60));
  }),
  scenario("an owner whose wallet is frozen is paid all the same, and holds up nobody", async (w) => {
    await w.paidIn(gram(100));
    // Any contract may own a node; this one is a channel, which froze.
    const wallet = (await w.open(w.channel(w.client, 5n))).contract.address;
    const identity = { vault: w.vault.address, nodeId: 6n, owner: wallet };
    const account = NodeAccount.fromIdentity(identity, w.codes.nodeAccount);
    const a = { nodeId: 6n, owner: wallet, account };
    const b = w.node("b");
    await w.finalize(w.treeOf([w.leafOf(a, gram(60)), w.leafOf(b, gram(20))]));
    freeze(w, wallet);
    await w.claim(a, w.leafCell(0), w.stranger);
    ok(w.chain.balance(wallet) > gram(59.8), `${w.chain.balance(wallet)}`);
    ok(!w.chain.isActive(wallet));
    await w.claim(b, w.leafCell(1));
    equal((await w.view()).paidNano, gram(80));
  }),
  scenario(
    "two generations of silence at the prices of before: a closed channel's reserve is gone, and it is still there",
    async (w) => {
      const channel = await w.open();
      await w.toChannel(w.client, channel, channelMessages.close());
      w.chain.now += 72 * hour;
      await w.toChannel(w.client, channel, channelMessages.close());
      w.chain.now += 60 * 365 * 24 * hour;
      await w.send(w.stranger, { to: channel.contract.address, value: gram(0.5), bounce: false });
      ok(w.chain.isActive(channel.contract.address));
      answers(await w.redeem(channel, gram(1)), "Closed");
    },
  ),
];
