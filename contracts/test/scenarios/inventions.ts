import { equal, ok } from "node:assert/strict";
import { type Address, beginCell, Cell, contractAddress } from "@ton/core";
import { ClientChannel, channelMessages } from "../../src/client-channel/client-channel.ts";
import { packAccountLeaf } from "../../src/merkle/leaf.ts";
import { NodeAccount } from "../../src/node-account/node-account.ts";
import { Registry, registryMessages } from "../../src/registry/registry.ts";
import { packEpochRoot, vaultMessages, vaultOps } from "../../src/vault/messages.ts";
import { Vault } from "../../src/vault/vault.ts";
import { codeAt } from "../chain.ts";
import { answers, type Scenario, scenario } from "../scenario.ts";
import { gram, hour, keyOf } from "../world.ts";
import { forged } from "./forge.ts";

const day = 24 * hour;

/** A cell that stands for another one by its hash, which the machine would have to look up. */
function libraryCell(): Cell {
  const bits = beginCell().storeUint(2, 8).storeUint(1, 256).endCell().bits;
  return new Cell({ exotic: true, bits, refs: [] });
}

/** Attacks of our own invention against each contract, each beside what an honest sender does. */
export const scenarios: Scenario[] = [
  scenario(
    "channel: genuine code that begins with somebody else's past lies at another address, and the vault takes nothing from it",
    async (w) => {
      // As if 5 were redeemed already and the thief's key were the voucher key: a "channel" of the client's.
      const thief = keyOf("thief");
      const data = beginCell()
        .storeCoins(0)
        .storeUint(0, 32)
        .storeBuffer(w.client.hash)
        .storeBuffer(w.vault.address.hash)
        .storeUint(1, 64)
        .storeBuffer(thief.publicKey)
        .storeMaybeRef(null)
        .endCell();
      const init = { code: w.codes.clientChannel, data };
      const contract = new ClientChannel(contractAddress(0, init), init);
      const genuine = w.channel();
      ok(!contract.address.equals(genuine.contract.address));
      await w.deploy(contract, gram(10));
      const odd = { ...genuine, contract, key: thief };
      const done = await w.send(w.stranger, {
        to: contract.address,
        value: gram(0.5),
        body: w.voucher(odd, gram(4)),
      });
      answers(codeAt(done, contract.address), "fine");
      answers(codeAt(done, w.vault.address), "NotChannel");
      equal((await w.view()).nodesCreditNano, 0n);
      equal((await w.channelView(odd)).redeemedNano, 0n);
      await w.open(genuine);
      answers(await w.redeem(genuine, gram(4)), "fine");
      equal((await w.view()).nodesCreditNano, gram(3.6));
    },
  ),
  scenario(
    "channel: a withdrawal that overtakes a payment which then comes back gives the owner his own, once",
    async (w) => {
      // A vault that refuses every payment, so that each comes back while the owner empties the channel.
      const vault = Vault.fromTerms({ ...w.terms, feeBps: 3001 }, w.codes.vault, w.codes);
      await w.deploy(vault, gram(1));
      const identity = { owner: w.client, vault: vault.address, salt: 1n };
      const contract = ClientChannel.fromIdentity(identity, w.codes.clientChannel);
      const channel = { identity, contract, key: keyOf("voucher") };
      await w.open(channel);
      await w.toChannel(w.client, channel, channelMessages.close());
      w.chain.now += 72 * hour;
      const before = w.chain.balance(w.client);
      await w.chain.send(w.stranger, {
        to: contract.address,
        value: gram(0.5),
        body: w.voucher(channel, gram(4)),
      });
      await w.chain.step();
      await w.toChannel(w.client, channel, channelMessages.close());
      equal((await w.channelView(channel)).state, "closed");
      equal((await w.channelView(channel)).redeemedNano, 0n);
      answers(await w.redeem(channel, gram(5)), "Closed");
      await w.toChannel(w.client, channel, channelMessages.close());
      const got = w.chain.balance(w.client) - before;
      // 10 and the half that came with each of his request and the stranger's redeem.
      ok(got > gram(10.9) && got < gram(11), `${got}`);
      equal((await vault.getVault(w.chain.provider(vault.address))).nodesCreditNano, 0n);
    },
  ),
  scenario("channel: an approval in a library cell is refused where it enters", async (w) => {
    const channel = await w.open();
    const around = (approval: Cell): Cell =>
      beginCell().storeUint(0xb0000104, 32).storeUint(0, 64).storeRef(approval).endCell();
    answers(await w.toChannel(w.client, channel, around(libraryCell())), 9);
    equal((await w.channelView(channel)).state, "open");
    const approval = channelMessages.closeTogether(w.approval(channel, gram(1))).refs[0] as Cell;
    answers(await w.toChannel(w.client, channel, around(approval)), "fine");
  }),
  scenario("channel: the vault of another network's operator cannot close it or take it back", async (w) => {
    const channel = await w.open();
    await w.redeem(channel, gram(2));
    const other = Vault.fromTerms({ ...w.terms, owner: w.stranger, salt: 8n }, w.codes.vault, w.codes);
    const to = channel.contract.address;
    const confirmed = beginCell().storeUint(vaultOps.closingConfirmed, 32).storeUint(0, 64).endCell();
    answers(await forged(w, { from: other.address, to, body: confirmed }), "NotVault");
    equal((await w.channelView(channel)).state, "open");
    answers(await forged(w, { from: w.vault.address, to, body: confirmed }), "fine");
    equal((await w.channelView(channel)).state, "closed");
  }),
  scenario(
    "node account: a leaf that says nothing was earned, and a claim in a library cell, move nothing",
    async (w) => {
      await w.paidIn();
      const [a, b] = [w.node("a"), w.node("b")];
      await w.finalize(w.treeOf([w.leafOf(a, 0n), w.leafOf(b, gram(3))]));
      const empty = await w.claim(a, w.leafCell(0));
      answers(codeAt(empty, a.account.address), "NothingDue");
      const library = await w.claim(b, libraryCell());
      answers(codeAt(library, b.account.address), 9);
      equal((await w.view()).paidNano, 0n);
      await w.claim(b, w.leafCell(1));
      equal((await w.view()).paidNano, gram(3));
    },
  ),
  scenario(
    "node account: an owner who is himself an account of the vault cannot feed his payout back as a claim",
    async (w) => {
      await w.paidIn();
      const a = w.node("a");
      const identity = { vault: w.vault.address, nodeId: 6n, owner: a.account.address };
      const nested = {
        nodeId: 6n,
        owner: a.account.address,
        account: NodeAccount.fromIdentity(identity, w.codes.nodeAccount),
      };
      await w.finalize(w.treeOf([w.leafOf(a, gram(1)), w.leafOf(nested, gram(2))]));
      await w.claim(a, w.leafCell(0));
      await w.claim(nested, w.leafCell(1), w.stranger);
      equal((await w.view()).paidNano, gram(3));
      const { claimedNano } = await a.account.getAccount(w.chain.provider(a.account.address));
      equal(claimedNano, gram(1));
      answers(codeAt(await w.claim(nested, w.leafCell(1), w.stranger), nested.account.address), "NothingDue");
    },
  ),
  scenario(
    "vault: a thief who commits again after each veto burns numbers, stops nobody's claim, and is out after a rotation",
    async (w) => {
      await w.paidIn(gram(100));
      const [a, thief] = [w.node("a"), w.node("thief")];
      const honest = w.treeOf([w.leafOf(a, gram(40)), undefined]);
      await w.finalize(honest);
      const stolen = w.treeOf([w.leafOf(a, gram(40)), w.leafOf(thief, gram(50))]);
      for (const epoch of [2, 3, 4]) {
        answers(await w.commit(stolen, epoch), "fine");
        w.chain.now += day - 1;
        answers(await w.toVault(w.guardian, vaultMessages.veto(epoch)), "fine");
      }
      await w.claim(a, w.leafCell(0, honest));
      equal((await w.view()).paidNano, gram(40));
      const next = w.chain.wallet("next committer");
      await w.toVault(w.owner, vaultMessages.rotateHotKeys(next, keyOf("next ack").publicKey));
      answers(await w.commit(stolen, 5), "NotCommitter");
      const later = w.treeOf([w.leafOf(a, gram(45)), undefined]);
      answers(await w.toVault(next, vaultMessages.commitEpoch(w.rootOf(later, 5))), "fine");
      w.chain.now += day;
      await w.claim(a, w.leafCell(0, later));
      equal((await w.view()).paidNano, gram(45));
    },
  ),
  scenario(
    "vault: an owner who announces, then commits to what he announced, cannot have it both ways",
    async (w) => {
      await w.paidIn(gram(10));
      await w.toVault(w.owner, vaultMessages.sponsorDeposit(1n, gram(50)), gram(50.5));
      const announce = vaultMessages.announce({
        withdrawalNano: gram(51),
        owner: w.owner,
        guardian: w.guardian,
      });
      await w.toVault(w.owner, announce);
      w.chain.now += 2 * day - 1;
      const a = w.node("a");
      // 9 of the nodes and all 50 of the deposit, one second before he may take it.
      const tree = w.treeOf([w.leafOf(a, gram(59)), undefined]);
      answers(await w.commit(tree), "fine");
      w.chain.now += 1;
      answers(await w.toVault(w.owner, vaultMessages.applyAnnounced()), "BeyondOwnShare");
      w.chain.now += day;
      answers(await w.toVault(w.owner, vaultMessages.applyAnnounced()), "BeyondOwnShare");
      await w.claim(a, w.leafCell(0));
      equal((await w.view()).paidNano, gram(59));
      // The fee alone is his.
      const fee = vaultMessages.announce({ withdrawalNano: gram(1), owner: w.owner, guardian: w.guardian });
      await w.toVault(w.owner, fee);
      w.chain.now += 2 * day;
      answers(await w.toVault(w.owner, vaultMessages.applyAnnounced()), "fine");
    },
  ),
  scenario("vault: a root, a proof or an Ack in a library cell is refused", async (w) => {
    await w.paidIn();
    const tree = w.treeOf([w.leafOf(w.node("a"), gram(3)), w.leafOf(w.node("b"), gram(1))]);
    const commit = (root: Cell): Cell =>
      beginCell().storeUint(vaultOps.commitEpoch, 32).storeUint(0, 64).storeRef(root).endCell();
    answers(await w.toVault(w.committer, commit(libraryCell())), 9);
    await w.finalize(tree);
    const after = w.treeOf([w.leafOf(w.node("a"), gram(2)), w.leafOf(w.node("b"), gram(2))]);
    answers(await w.toVault(w.committer, commit(packEpochRoot(w.rootOf(after, 2)))), "fine");
    const [before, now] = [tree, after].map((one) => packAccountLeaf(0, one.leaf(0), one.path(0))) as [
      Cell,
      Cell,
    ];
    const dispute = (one: Cell, other: Cell) =>
      w.toVault(w.stranger, vaultMessages.dispute({ finalLeaf: one }, other));
    answers(await dispute(libraryCell(), now), 9);
    answers(await dispute(before, libraryCell()), 9);
    const { signature } = w.ack(w.node("a"));
    const byAck = vaultMessages.dispute({ ack: libraryCell(), signature }, now);
    answers(await w.toVault(w.stranger, byAck), 9);
    equal((await w.view()).pendingRoot?.epoch, 2);
    answers(await dispute(before, now), "fine");
  }),
  scenario(
    "vault: any number of junk channels and accounts costs who makes them, and nobody else",
    async (w) => {
      const held = w.chain.balance(w.vault.address);
      const state = w.chain.data(w.vault.address).hash();
      for (let at = 0n; at < 20n; at++) {
        const channel = w.channel(w.stranger, at);
        await w.open(channel, gram(0.01));
        const junk = NodeAccount.fromIdentity(
          { vault: w.vault.address, nodeId: at, owner: w.stranger },
          w.codes.nodeAccount,
        );
        await w.deploy(junk, gram(0.01));
      }
      equal(w.chain.balance(w.vault.address), held);
      ok(w.chain.data(w.vault.address).hash().equals(state));
      const channel = await w.open();
      answers(await w.redeem(channel, gram(1)), "fine");
    },
  ),
  scenario(
    "registry: who has the owner's key alone installs nothing while the guardian takes it back, and all of it when nobody does",
    async (w) => {
      const releaseKeys = [w.chain.wallet("r1"), w.chain.wallet("r2"), w.chain.wallet("r3")] as const;
      const registry = Registry.fromTerms(
        { owner: w.owner, guardian: w.guardian, releaseKeys, salt: 1n },
        w.codes.registry,
      );
      await w.deploy(registry, gram(2));
      const to = async (from: Address, body: Cell) =>
        codeAt(await w.send(from, { to: registry.address, value: gram(0.5), body }), registry.address);
      const view = () => registry.getRegistry(w.chain.provider(registry.address));
      const thief = w.chain.wallet("thief");
      const thiefHash = BigInt(`0x${thief.hash.toString("hex")}`);
      const slots = ["guardian", "firstReleaseKey", "secondReleaseKey", "gateways"] as const;
      await to(w.guardian, registryMessages.pause());
      for (const slot of slots) answers(await to(w.owner, registryMessages.propose(slot, thiefHash)), "fine");
      await to(w.owner, registryMessages.propose("unpause", 0n));
      const snapshot = w.chain.snapshot();
      w.chain.now += 48 * hour - 1;
      for (const slot of [...slots, "unpause"] as const)
        answers(await to(w.guardian, registryMessages.takeBack(slot)), "fine");
      w.chain.now += 1;
      for (const slot of slots)
        answers(await to(thief, registryMessages.activate(slot, thiefHash)), "NotProposed");
      equal((await view()).paused, true);
      ok((await view()).guardian.equals(w.guardian));
      // The twin: a guardian who sleeps for 48 h.
      w.chain.restore(snapshot);
      w.chain.now += 48 * hour;
      for (const slot of slots) answers(await to(thief, registryMessages.activate(slot, thiefHash)), "fine");
      ok((await view()).guardian.equals(thief));
    },
  ),
  scenario(
    "registry: two proposals for one entry in one wallet transaction leave the later one, with its own 48 h",
    async (w) => {
      const releaseKeys = [w.owner, w.guardian, w.client] as const;
      const registry = Registry.fromTerms(
        { owner: w.owner, guardian: w.guardian, releaseKeys, salt: 1n },
        w.codes.registry,
      );
      await w.deploy(registry, gram(2));
      const message = (body: Cell) => ({ to: registry.address, value: gram(0.5), body });
      await w.send(
        w.owner,
        message(registryMessages.propose("models", 1n)),
        message(registryMessages.propose("models", 2n)),
      );
      w.chain.now += 48 * hour;
      const done = await w.send(
        w.stranger,
        message(registryMessages.activate("models", 1n)),
        message(registryMessages.activate("models", 2n)),
      );
      answers(codeAt(done, registry.address, 0), "OtherProposal");
      answers(codeAt(done, registry.address, 1), "fine");
      equal((await registry.getRegistry(w.chain.provider(registry.address))).documents.get(1), 2n);
    },
  ),
];
