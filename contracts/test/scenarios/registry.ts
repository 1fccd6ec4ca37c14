import { equal, ok } from "node:assert/strict";
import { Address, beginCell, type Cell } from "@ton/core";
import { Registry, type RegistrySlot, registryMessages, registrySlots } from "../../src/registry/registry.ts";
import { exitCode } from "../../src/rules/refusal.ts";
import { codeAt, transactionOf } from "../chain.ts";
import { answers, leastValue, type Scenario, scenario } from "../scenario.ts";
import { gram, hour, type World } from "../world.ts";
import { forged } from "./forge.ts";

interface Setting {
  readonly registry: Registry;
  readonly releasers: readonly [Address, Address, Address];
  to(from: Address, body: Cell): Promise<number | undefined>;
  view(): ReturnType<Registry["getRegistry"]>;
}

async function setting(w: World): Promise<Setting> {
  const releasers = [
    w.chain.wallet("release 1"),
    w.chain.wallet("release 2"),
    w.chain.wallet("release 3"),
  ] as const;
  const registry = Registry.fromTerms(
    { owner: w.owner, guardian: w.guardian, releaseKeys: releasers, salt: 1n },
    w.codes.registry,
  );
  await w.deploy(registry, gram(2));
  return {
    registry,
    releasers,
    to: async (from, body) =>
      codeAt(await w.send(from, { to: registry.address, value: gram(0.5), body }), registry.address),
    view: () => registry.getRegistry(w.chain.provider(registry.address)),
  };
}

const two = 48 * hour;
const hashOf = (address: Address): bigint => BigInt(`0x${address.hash.toString("hex")}`);

async function widen(w: World, s: Setting, slot: RegistrySlot, value: bigint): Promise<void> {
  answers(await s.to(w.owner, registryMessages.propose(slot, value)), "fine");
  w.chain.now += two;
  answers(await s.to(w.stranger, registryMessages.activate(slot, value)), "fine");
}

export const scenarios: Scenario[] = [
  scenario(
    "a document's hash waits 48 h in public; anybody activates exactly what was proposed",
    async (w) => {
      const s = await setting(w);
      for (const slot of ["models", "gateways", "platforms", "miniApp"] as const) {
        const propose = registryMessages.propose(slot, 7n);
        for (const from of [w.stranger, w.guardian, s.releasers[0]])
          answers(await s.to(from, propose), "NotOwner");
        answers(await s.to(w.stranger, registryMessages.activate(slot, 7n)), "NotProposed");
        answers(await s.to(w.owner, propose), "fine");
        w.chain.now += two - 1;
        answers(await s.to(w.stranger, registryMessages.activate(slot, 7n)), "NotRipe");
        w.chain.now += 1;
        answers(await s.to(w.stranger, registryMessages.activate(slot, 8n)), "OtherProposal");
        equal((await s.view()).documents.get(registrySlots[slot]), undefined);
        answers(await s.to(w.stranger, registryMessages.activate(slot, 7n)), "fine");
        equal((await s.view()).documents.get(registrySlots[slot]), 7n);
        answers(await s.to(w.stranger, registryMessages.activate(slot, 7n)), "NotProposed");
      }
    },
  ),
  scenario("an entry that does not exist is not proposed; the last one is", async (w) => {
    const s = await setting(w);
    const body = (slot: number): Cell =>
      beginCell().storeUint(0xb0000401, 32).storeUint(0, 64).storeUint(slot, 8).storeUint(1, 256).endCell();
    answers(await s.to(w.owner, body(13)), "UnknownSlot");
    answers(await s.to(w.owner, body(255)), "UnknownSlot");
    answers(await s.to(w.owner, body(12)), "fine");
  }),
  scenario("a release needs two of three release keys, none of them twice", async (w) => {
    const s = await setting(w);
    const [one, second, third] = s.releasers;
    const pairs = [
      [one, second],
      [one, third],
      [second, third],
    ] as const;
    for (const [at, [x, y]] of pairs.entries()) {
      const value = BigInt(at + 1);
      const approve = registryMessages.approveRelease(value);
      answers(await s.to(x, approve), "NotProposed");
      answers(await s.to(w.owner, registryMessages.propose("release", value)), "fine");
      answers(await s.to(w.owner, approve), "NotReleaseKey");
      answers(await s.to(x, registryMessages.approveRelease(99n)), "OtherProposal");
      w.chain.now += two;
      answers(await s.to(w.stranger, registryMessages.activate("release", value)), "NotApproved");
      answers(await s.to(x, approve), "fine");
      answers(await s.to(x, approve), "fine");
      answers(await s.to(w.stranger, registryMessages.activate("release", value)), "NotApproved");
      answers(await s.to(y, approve), "fine");
      equal((await s.view()).proposals.get(0)?.approvals, 2);
      answers(await s.to(w.stranger, registryMessages.activate("release", value)), "fine");
      equal((await s.view()).documents.get(0), value);
    }
  }),
  scenario(
    "invented attack: approvals given to one release do not carry over to another put in its place",
    async (w) => {
      const s = await setting(w);
      await s.to(w.owner, registryMessages.propose("release", 1n));
      await s.to(s.releasers[0], registryMessages.approveRelease(1n));
      await s.to(s.releasers[1], registryMessages.approveRelease(1n));
      w.chain.now += two;
      answers(await s.to(w.owner, registryMessages.propose("release", 666n)), "fine");
      answers(await s.to(w.owner, registryMessages.activate("release", 666n)), "NotRipe");
      w.chain.now += two;
      answers(await s.to(w.owner, registryMessages.activate("release", 666n)), "NotApproved");
      equal((await s.view()).documents.get(0), undefined);
    },
  ),
  scenario("the guardian denies at once; taking an entry off waits 48 h", async (w) => {
    const s = await setting(w);
    for (const from of [w.stranger, w.owner])
      answers(await s.to(from, registryMessages.deny(5n)), "NotWatch");
    answers(await s.to(w.guardian, registryMessages.deny(5n)), "fine");
    equal((await s.view()).denied.get(5n), w.chain.now);
    answers(await s.to(w.guardian, registryMessages.deny(5n)), "AlreadyDenied");
    await s.to(w.owner, registryMessages.propose("undeny", 6n));
    w.chain.now += two;
    answers(await s.to(w.stranger, registryMessages.activate("undeny", 6n)), "NotDenied");
    equal((await s.view()).proposals.get(7)?.value, 6n);
    await widen(w, s, "undeny", 5n);
    equal((await s.view()).denied.size, 0);
    answers(await s.to(w.guardian, registryMessages.deny(5n)), "fine");
  }),
  scenario("the deny-list holds 256 entries, and one again after one was taken off", async (w) => {
    const s = await setting(w);
    const deny = (hash: bigint) => ({
      to: s.registry.address,
      value: gram(0.5),
      body: registryMessages.deny(hash),
    });
    for (let at = 1n; at <= 256n; at += 64n) {
      await w.send(w.guardian, ...Array.from({ length: 64 }, (_, one) => deny(at + BigInt(one))));
    }
    equal((await s.view()).denied.size, 256);
    answers(await s.to(w.guardian, registryMessages.deny(1000n)), "ListFull");
    await widen(w, s, "undeny", 9n);
    answers(await s.to(w.guardian, registryMessages.deny(1000n)), "fine");
    answers(await s.to(w.guardian, registryMessages.deny(1001n)), "ListFull");
    // Five years' rent of all of it is there.
    const before = w.chain.balance(s.registry.address);
    w.chain.now += 5 * 365 * 24 * hour;
    await w.send(w.stranger, { to: s.registry.address, value: 1n });
    ok(w.chain.balance(s.registry.address) > 0n && w.chain.balance(s.registry.address) < before);
  }),
  scenario(
    "the minimum version rises at once by the guardian and falls after 48 h by the owner",
    async (w) => {
      const s = await setting(w);
      answers(await s.to(w.owner, registryMessages.raiseMinVersion(5)), "NotWatch");
      answers(await s.to(w.guardian, registryMessages.raiseMinVersion(5)), "fine");
      for (const version of [5, 4])
        answers(await s.to(w.guardian, registryMessages.raiseMinVersion(version)), "NotNarrower");
      await widen(w, s, "minVersion", 3n);
      equal((await s.view()).minVersion, 3);
      await s.to(w.owner, registryMessages.propose("minVersion", 1n << 32n));
      w.chain.now += two;
      answers(await s.to(w.owner, registryMessages.activate("minVersion", 1n << 32n)), 5);
    },
  ),
  scenario("the guardian pauses at once; unpausing waits 48 h", async (w) => {
    const s = await setting(w);
    for (const from of [w.stranger, w.owner]) answers(await s.to(from, registryMessages.pause()), "NotWatch");
    answers(await s.to(w.guardian, registryMessages.pause()), "fine");
    equal((await s.view()).paused, true);
    await widen(w, s, "unpause", 0n);
    equal((await s.view()).paused, false);
  }),
  scenario("guardian and owner take proposals back at once", async (w) => {
    const s = await setting(w);
    for (const from of [w.guardian, w.owner]) {
      await s.to(w.owner, registryMessages.propose("models", 7n));
      answers(await s.to(w.stranger, registryMessages.takeBack("models")), "NotWatch");
      answers(await s.to(from, registryMessages.takeBack("models")), "fine");
      answers(await s.to(from, registryMessages.takeBack("models")), "NotProposed");
      w.chain.now += two;
      answers(await s.to(w.owner, registryMessages.activate("models", 7n)), "NotProposed");
    }
  }),
  scenario(
    "owner, guardian and each release key change 48 h after the proposal, one at a time",
    async (w) => {
      const s = await setting(w);
      const names = ["owner", "guardian", "firstReleaseKey", "secondReleaseKey", "thirdReleaseKey"] as const;
      const next = names.map((name) => w.chain.wallet(`next ${name}`));
      for (const [at, name] of [...names.entries()].reverse()) await widen(w, s, name, hashOf(next[at]!));
      const view = await s.view();
      ok(view.owner.equals(next[0]!) && view.guardian.equals(next[1]!));
      for (const [at, key] of view.releaseKeys.entries()) ok(key.equals(next[at + 2]!), `release key ${at}`);
      answers(await s.to(w.owner, registryMessages.propose("models", 1n)), "NotOwner");
      answers(await s.to(w.guardian, registryMessages.pause()), "NotWatch");
    },
  ),
  scenario(
    "what is cut, continued, unknown or from another workchain is refused; the value comes back",
    async (w) => {
      const s = await setting(w);
      await s.to(w.owner, registryMessages.propose("release", 1n));
      const bodies: [Address, Cell][] = [
        [w.owner, registryMessages.propose("models", 1n)],
        [s.releasers[0], registryMessages.approveRelease(1n)],
        [w.owner, registryMessages.activate("release", 1n)],
        [w.owner, registryMessages.takeBack("release")],
        [w.guardian, registryMessages.deny(1n)],
        [w.guardian, registryMessages.raiseMinVersion(2)],
        [w.guardian, registryMessages.pause()],
      ];
      for (const [from, body] of bodies) {
        answers(await s.to(from, beginCell().storeBits(body.bits).storeUint(0, 1).endCell()), 9);
        answers(
          await s.to(
            from,
            beginCell()
              .storeBits(body.bits.substring(0, body.bits.length - 1))
              .endCell(),
          ),
          9,
        );
      }
      answers(await s.to(w.guardian, beginCell().storeUint(1, 32).endCell()), "UnknownMessage");
      const alien = new Address(-1, w.guardian.hash);
      answers(
        await forged(w, { from: alien, to: s.registry.address, body: registryMessages.pause() }),
        "WrongWorkchain",
      );
      const before = w.chain.balance(w.guardian);
      const held = w.chain.balance(s.registry.address);
      answers(await s.to(w.guardian, registryMessages.pause()), "fine");
      ok(before - w.chain.balance(w.guardian) < gram(0.02));
      ok(held - w.chain.balance(s.registry.address) < gram(0.0001));
      answers(
        codeAt(await w.send(w.stranger, { to: s.registry.address, value: gram(1) }), s.registry.address),
        "fine",
      );
      ok(w.chain.balance(s.registry.address) - held > gram(0.9));
    },
  ),
  scenario("whoever changes something makes up for missing rent", async (w) => {
    const s = await setting(w);
    const account = w.chain.account(s.registry.address)!;
    const { storage } = account.account!;
    w.chain.put({
      ...account,
      account: { ...account.account!, storage: { ...storage, balance: { coins: 1n } } },
    });
    answers(await s.to(w.guardian, registryMessages.pause()), w.prices === "today" ? "fine" : 37);
    if (w.prices === "today") {
      const kept = w.chain.balance(s.registry.address);
      ok(kept > gram(0.1) && kept < gram(0.3), `${kept}`);
    }
    const done = await w.send(w.guardian, {
      to: s.registry.address,
      value: gram(0.05),
      body: registryMessages.pause(),
    });
    if (w.prices !== "today") ok(codeAt(done, s.registry.address) !== 0);
  }),
  scenario("what is too little to give back stays, and the change is made all the same", async (w) => {
    const s = await setting(w);
    const pause = async (value: bigint) => {
      const message = { to: s.registry.address, value, body: registryMessages.pause() };
      return transactionOf(await w.send(w.guardian, message), s.registry.address);
    };
    const least = await leastValue(w, async (value) => exitCode(await pause(value)) === 0, gram(0.5));
    const attempt = await pause(least);
    equal(attempt.outMessagesCount, 0);
    equal((await s.view()).paused, true);
  }),
];
