import { equal, ok } from "node:assert/strict";
import type { Address, Cell, StateInit } from "@ton/core";
import { channelMessages } from "../../src/client-channel/client-channel.ts";
import { packAccountLeaf } from "../../src/merkle/leaf.ts";
import { vaultMessages } from "../../src/vault/messages.ts";
import { codeAt, type Outgoing } from "../chain.ts";
import { answers, type Scenario, scenario } from "../scenario.ts";
import { gram, hour, keyOf, type World } from "../world.ts";

const toVault = (w: World, body: Cell, value = gram(0.5)): Outgoing => ({ to: w.vault.address, value, body });

/** Both messages in one wallet transaction; answers with the receiver's two exit codes. */
async function both(w: World, from: Address, first: Outgoing, second: Outgoing) {
  const done = await w.send(from, first, second);
  return [codeAt(done, first.to, 0), codeAt(done, second.to, first.to.equals(second.to) ? 1 : 0)] as const;
}

const two = (w: World, a: bigint, b: bigint) =>
  w.treeOf([w.leafOf(w.node("a"), a), w.leafOf(w.node("b"), b)]);

export const scenarios: Scenario[] = [
  scenario("opening and redeeming in one wallet transaction pays the voucher", async (w) => {
    const channel = w.channel();
    const to = channel.contract.address;
    const [opened, redeemed] = await both(
      w,
      w.client,
      {
        to,
        value: gram(10),
        init: channel.contract.init as StateInit,
        body: channelMessages.setKey(channel.key.publicKey),
      },
      { to, value: gram(0.5), body: w.voucher(channel, gram(2)) },
    );
    answers(opened, "fine");
    answers(redeemed, "fine");
    equal((await w.view()).nodesCreditNano, gram(1.8));
  }),
  scenario("a request to close twice in one wallet transaction asks once", async (w) => {
    const channel = await w.open();
    const close = { to: channel.contract.address, value: gram(0.5), body: channelMessages.close() };
    const [first, second] = await both(w, w.client, close, close);
    answers(first, "fine");
    answers(second, "StillClosing");
    equal((await w.channelView(channel)).closesAt, (w.chain.now + 72 * hour) * 1000);
  }),
  scenario(
    "a withdrawal beside a redeem pays the voucher when it comes first, and never after",
    async (w) => {
      const channel = await w.open();
      const to = channel.contract.address;
      await w.toChannel(w.client, channel, channelMessages.close());
      w.chain.now += 72 * hour;
      const close = { to, value: gram(0.5), body: channelMessages.close() };
      const redeem = { to, value: gram(0.5), body: w.voucher(channel, gram(4)) };
      const snapshot = w.chain.snapshot();
      const [paid, withdrawn] = await both(w, w.client, redeem, close);
      answers(paid, "fine");
      answers(withdrawn, "fine");
      equal((await w.view()).nodesCreditNano, gram(3.6));
      w.chain.restore(snapshot);
      const before = w.chain.balance(w.client);
      const [first, late] = await both(w, w.client, close, redeem);
      answers(first, "fine");
      answers(late, "Closed");
      equal((await w.view()).nodesCreditNano, 0n);
      ok(w.chain.balance(w.client) - before > gram(9.4));
    },
  ),
  scenario("two rotations in one wallet transaction rotate once", async (w) => {
    const channel = await w.open();
    const rotate = (name: string): Outgoing => ({
      to: channel.contract.address,
      value: gram(0.5),
      body: channelMessages.setKey(keyOf(name).publicKey),
    });
    const [first, second] = await both(w, w.client, rotate("next"), rotate("third"));
    answers(first, "fine");
    answers(second, "RotatedLately");
    answers(await w.redeem(channel, gram(1)), "fine");
  }),
  scenario("two first claims in one wallet transaction deploy one account and pay once", async (w) => {
    await w.paidIn();
    const a = w.node("a");
    await w.finalize(two(w, gram(60), gram(20)));
    const claim = w.claimOf(a, w.leafCell(0));
    ok(claim.init);
    const [first, second] = await both(w, w.stranger, claim, claim);
    answers(first, "fine");
    answers(second, "NothingDue");
    equal((await w.view()).paidNano, gram(60));
  }),
  scenario("claims of two accounts in one wallet transaction are both paid", async (w) => {
    await w.paidIn();
    await w.finalize(two(w, gram(60), gram(20)));
    const claims = ["a", "b"].map((name, index) => w.claimOf(w.node(name), w.leafCell(index)));
    await w.send(w.stranger, ...claims);
    equal((await w.view()).paidNano, gram(80));
  }),
  scenario("a dispute twice, or beside a veto, removes one root", async (w) => {
    await w.paidIn();
    const before = two(w, gram(3), gram(1));
    await w.finalize(before);
    const after = two(w, gram(2), gram(2));
    await w.commit(after, 2);
    const leaf = (tree: typeof before): Cell => packAccountLeaf(0, tree.leaf(0), tree.path(0));
    const dispute = toVault(w, vaultMessages.dispute({ finalLeaf: leaf(before) }, leaf(after)));
    const snapshot = w.chain.snapshot();
    const twice = await both(w, w.stranger, dispute, dispute);
    answers(twice[0], "fine");
    answers(twice[1], "NoRootPending");
    w.chain.restore(snapshot);
    const mixed = await both(w, w.guardian, dispute, toVault(w, vaultMessages.veto(2)));
    answers(mixed[0], "fine");
    answers(mixed[1], "NoRootPending");
    const view = await w.view();
    equal(view.finalRoot?.epoch, 1);
    equal(view.lastEpoch, 2);
  }),
  scenario("an announced withdrawal applied twice in one wallet transaction pays once", async (w) => {
    await w.paidIn(gram(100));
    await w.toVault(
      w.owner,
      vaultMessages.announce({ withdrawalNano: gram(4), owner: w.owner, guardian: w.guardian }),
    );
    w.chain.now += 48 * hour;
    const apply = toVault(w, vaultMessages.applyAnnounced());
    const [first, second] = await both(w, w.owner, apply, apply);
    answers(first, "fine");
    answers(second, "NothingAnnounced");
    equal((await w.view()).feeDueNano, gram(6));
  }),
  scenario("a deposit twice in one wallet transaction counts twice, with money for both", async (w) => {
    const deposit = toVault(w, vaultMessages.sponsorDeposit(1n, gram(3)), gram(3.5));
    const held = w.chain.balance(w.vault.address);
    const [first, second] = await both(w, w.stranger, deposit, deposit);
    answers(first, "fine");
    answers(second, "fine");
    equal((await w.view()).nodesCreditNano, gram(6));
    equal(w.chain.balance(w.vault.address) - held, gram(6));
  }),
];
