import { equal, ok } from "node:assert/strict";
import type { Address, Cell, StateInit } from "@ton/core";
import { channelMessages } from "../../src/client-channel/client-channel.ts";
import { packAccountLeaf } from "../../src/merkle/leaf.ts";
import { Registry, registryMessages } from "../../src/registry/registry.ts";
import { exitCode } from "../../src/rules/refusal.ts";
import { vaultMessages } from "../../src/vault/messages.ts";
import { transactionOf } from "../chain.ts";
import { leastValue, type Scenario, scenario } from "../scenario.ts";
import { gram, hour, keyOf, type World } from "../world.ts";

/** A message that pays for one transaction only, and for which the contract therefore asks no least value. */
interface Entry {
  readonly from: Address;
  readonly to: Address;
  readonly body: Cell;
  readonly init?: StateInit;
}

/**
 * At the least value with which the message is accepted the change is made; with a nano less nothing changes, whatever the
 * machine calls it (out of gas, nothing run, no money for the action).
 */
async function atLeast(w: World, { from, to, body, init }: Entry): Promise<void> {
  const attempt = async (value: bigint): Promise<boolean> => {
    const done = await w.send(from, { to, value, body, ...(init && { init }) });
    return exitCode(transactionOf(done, to)) === 0;
  };
  const dataHash = (): string => (w.chain.isActive(to) ? w.chain.data(to).hash().toString("hex") : "none");
  const before = dataHash();
  const least = await leastValue(w, attempt, gram(0.2));
  const snapshot = w.chain.snapshot();
  equal(await attempt(least - 1n), false);
  ok([before, "none"].includes(dataHash()) || init !== undefined, "a refused message changed the state");
  w.chain.restore(snapshot);
  equal(await attempt(least), true);
  ok(dataHash() !== before, "an accepted message changed nothing");
}

export const scenarios: Scenario[] = [
  scenario("channel: opening, rotating and asking to close happen wholly or not at all", async (w) => {
    const channel = w.channel();
    const to = channel.contract.address;
    const from = w.client;
    const init = channel.contract.init as StateInit;
    await atLeast(w, { from, to, init, body: channelMessages.setKey(channel.key.publicKey) });
    await w.send(from, { to, value: gram(1) });
    await atLeast(w, { from, to, body: channelMessages.setKey(keyOf("next").publicKey) });
    await atLeast(w, { from, to, body: channelMessages.close() });
    w.chain.now += 72 * hour;
    await atLeast(w, { from, to, body: channelMessages.close() });
    equal((await w.channelView(channel)).state, "closed");
  }),
  scenario("vault: commit, veto and dispute happen wholly or not at all", async (w) => {
    await w.paidIn();
    const tree = (a: number) => w.treeOf([w.leafOf(w.node("a"), gram(a)), w.leafOf(w.node("b"), gram(4))]);
    const to = w.vault.address;
    const commit = (a: number, epoch: number): Entry => ({
      from: w.committer,
      to,
      body: vaultMessages.commitEpoch(w.rootOf(tree(a), epoch, { committedNano: gram(a + 4) })),
    });
    await atLeast(w, commit(3, 1));
    await atLeast(w, { from: w.guardian, to, body: vaultMessages.veto(1) });
    await atLeast(w, commit(3, 2));
    w.chain.now += 24 * hour;
    const [before, after] = [
      tree(3),
      w.treeOf([w.leafOf(w.node("a"), gram(2)), w.leafOf(w.node("b"), gram(5))]),
    ];
    const body = vaultMessages.commitEpoch(w.rootOf(after, 3));
    await atLeast(w, { from: w.committer, to, body });
    const dispute = vaultMessages.dispute(
      { finalLeaf: packAccountLeaf(0, before.leaf(0), before.path(0)) },
      packAccountLeaf(0, after.leaf(0), after.path(0)),
    );
    await atLeast(w, { from: w.stranger, to, body: dispute });
    equal((await w.view()).finalRoot?.epoch, 2);
  }),
  scenario("vault: rotation, announcement and withdrawal happen wholly or not at all", async (w) => {
    await w.paidIn();
    const [from, to] = [w.owner, w.vault.address];
    await atLeast(w, { from, to, body: vaultMessages.rotateHotKeys(w.stranger, keyOf("next").publicKey) });
    const terms = { withdrawalNano: gram(1), owner: w.owner, guardian: w.guardian };
    await atLeast(w, { from, to, body: vaultMessages.announce(terms) });
    w.chain.now += 48 * hour;
    const till = w.chain.balance(to);
    await atLeast(w, { from, to, body: vaultMessages.applyAnnounced() });
    const took = till - w.chain.balance(to);
    ok(took >= gram(0.99) && took < gram(1.05), `${took}`);
  }),
  scenario("registry: every message happens wholly or not at all", async (w) => {
    const releaseKeys = [w.chain.wallet("r1"), w.chain.wallet("r2"), w.chain.wallet("r3")] as const;
    const registry = Registry.fromTerms(
      { owner: w.owner, guardian: w.guardian, releaseKeys, salt: 1n },
      w.codes.registry,
    );
    await w.deploy(registry, gram(2));
    const to = registry.address;
    const at = (from: Address, body: Cell): Promise<void> => atLeast(w, { from, to, body });
    await at(w.owner, registryMessages.propose("release", 5n));
    await at(releaseKeys[0], registryMessages.approveRelease(5n));
    await at(releaseKeys[1], registryMessages.approveRelease(5n));
    await at(w.owner, registryMessages.propose("models", 6n));
    await at(w.guardian, registryMessages.takeBack("models"));
    await at(w.guardian, registryMessages.deny(7n));
    await at(w.guardian, registryMessages.raiseMinVersion(8));
    await at(w.guardian, registryMessages.pause());
    w.chain.now += 48 * hour;
    await at(w.stranger, registryMessages.activate("release", 5n));
    equal((await registry.getRegistry(w.chain.provider(to))).documents.get(0), 5n);
  }),
];
