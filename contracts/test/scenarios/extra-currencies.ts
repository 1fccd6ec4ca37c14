import { equal, ok } from "node:assert/strict";
import { type Address, Cell, Dictionary } from "@ton/core";
import { channelMessages } from "../../src/client-channel/client-channel.ts";
import { Registry, registryMessages } from "../../src/registry/registry.ts";
import { vaultMessages } from "../../src/vault/messages.ts";
import { codeAt } from "../chain.ts";
import { answers, type Scenario, scenario } from "../scenario.ts";
import { gram, hour, type World } from "../world.ts";

/** More kinds than one message may carry on, so that who passes them on would fail. */
const kinds = 3;

/** A message with other currencies beside its grams. */
async function withOthers(w: World, to: Address, body = Cell.EMPTY, from = w.stranger): Promise<void> {
  const other = Dictionary.empty(Dictionary.Keys.Uint(32), Dictionary.Values.BigVarUint(5));
  for (let kind = 1; kind <= kinds; kind++) other.set(kind, 1_000n);
  w.chain.inject({
    info: {
      type: "internal",
      ihrDisabled: true,
      bounce: true,
      bounced: false,
      src: from,
      dest: to,
      value: { coins: gram(0.5), other },
      ihrFee: 0n,
      forwardFee: 0n,
      createdAt: w.chain.now,
      createdLt: 0n,
    },
    body,
  });
  await w.chain.settle();
}

const kindsAt = (w: World, address: Address): number =>
  w.chain.account(address)?.account?.storage.balance.other?.size ?? 0;

export const scenarios: Scenario[] = [
  scenario(
    "a channel that was given other currencies pays and closes as before, and keeps them",
    async (w) => {
      const channel = await w.open();
      const { address } = channel.contract;
      await withOthers(w, address);
      equal(kindsAt(w, address), kinds);
      answers(await w.redeem(channel, gram(1)), "fine");
      equal((await w.view()).nodesCreditNano, gram(0.9));
      // A voucher that arrives together with other currencies is a voucher.
      await withOthers(w, address, w.voucher(channel, gram(2)));
      equal((await w.view()).nodesCreditNano, gram(1.8));
      const snapshot = w.chain.snapshot();
      const together = channelMessages.closeTogether(w.approval(channel, gram(4)));
      answers(await w.toChannel(w.client, channel, together), "fine");
      equal((await w.channelView(channel)).state, "closed");
      w.chain.restore(snapshot);
      await w.toChannel(w.client, channel, channelMessages.close());
      w.chain.now += 72 * hour;
      const before = w.chain.balance(w.client);
      answers(await w.toChannel(w.client, channel, channelMessages.close()), "fine");
      ok(w.chain.balance(w.client) - before > gram(7.9));
      equal(kindsAt(w, address), kinds);
      equal(kindsAt(w, w.vault.address), 0);
    },
  ),
  scenario("a vault and an account that were given other currencies pay what is due", async (w) => {
    await w.paidIn(gram(100));
    const [a, b] = [w.node("a"), w.node("b")];
    await withOthers(w, w.vault.address);
    await w.finalize(w.treeOf([w.leafOf(a, gram(60)), w.leafOf(b, gram(20))]));
    await w.claim(a, w.leafCell(0));
    await w.deploy(b.account, gram(0.1));
    await withOthers(w, b.account.address);
    const done = await w.claim(b, w.leafCell(1), w.stranger);
    answers(codeAt(done, w.vault.address), "fine");
    equal((await w.view()).paidNano, gram(80));
    answers(await w.toVault(w.stranger, vaultMessages.sponsorDeposit(1n, gram(1)), gram(2)), "fine");
    await w.toVault(
      w.owner,
      vaultMessages.announce({ withdrawalNano: gram(10), owner: w.owner, guardian: w.guardian }),
    );
    w.chain.now += 48 * hour;
    const before = w.chain.balance(w.owner);
    answers(await w.toVault(w.owner, vaultMessages.applyAnnounced()), "fine");
    ok(w.chain.balance(w.owner) - before > gram(9.9));
    equal(kindsAt(w, w.vault.address), kinds);
    equal(kindsAt(w, w.owner) + kindsAt(w, w.stranger) + kindsAt(w, b.owner), 0);
  }),
  scenario("a registry that was given other currencies obeys its guardian", async (w) => {
    const releaseKeys = [w.owner, w.guardian, w.client] as const;
    const registry = Registry.fromTerms(
      { owner: w.owner, guardian: w.guardian, releaseKeys, salt: 1n },
      w.codes.registry,
    );
    await w.deploy(registry, gram(2));
    await withOthers(w, registry.address);
    await withOthers(w, registry.address, registryMessages.pause(), w.guardian);
    equal((await registry.getRegistry(w.chain.provider(registry.address))).paused, true);
    equal(kindsAt(w, registry.address), kinds);
  }),
];
