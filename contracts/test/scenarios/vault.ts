import { equal, ok } from "node:assert/strict";
import { Address, beginCell, Cell } from "@ton/core";
import { ClientChannel } from "../../src/client-channel/client-channel.ts";
import { packAccountLeaf } from "../../src/merkle/leaf.ts";
import { packAck, packEpochRoot, vaultMessages, vaultOps } from "../../src/vault/messages.ts";
import { Vault } from "../../src/vault/vault.ts";
import { codeAt, transactionOf } from "../chain.ts";
import { testnet } from "../prices.ts";
import { answers, leastValue, type Scenario, scenario } from "../scenario.ts";
import { gram, hour, keyOf, type World } from "../world.ts";
import { forged } from "./forge.ts";

const day = 24 * hour;

const announce = (w: World, withdrawalNano: bigint, owner = w.owner, guardian = w.guardian): Cell =>
  vaultMessages.announce({ withdrawalNano, owner, guardian });

const payment = (w: World, owner: Address, salt: bigint, amount: bigint): Cell =>
  beginCell()
    .storeUint(vaultOps.channelPayment, 32)
    .storeUint(0, 64)
    .storeCoins(amount)
    .storeBuffer(owner.hash)
    .storeUint(salt, 64)
    .storeBuffer(w.stranger.hash)
    .storeMaybeRef(null)
    .endCell();

const two = (w: World, a: bigint, b: bigint, depth?: number) =>
  w.treeOf([w.leafOf(w.node("a"), a), w.leafOf(w.node("b"), b)], depth);

/** Every message of people, cut or continued. */
function malformed(body: Cell): Cell[] {
  const bits = body.bits;
  const refs = body.refs;
  const more = beginCell().storeBits(bits).storeUint(0, 1);
  const less = beginCell().storeBits(bits.substring(0, bits.length - 1));
  for (const ref of refs) {
    more.storeRef(ref);
    less.storeRef(ref);
  }
  return [more.endCell(), less.endCell()];
}

const money: Scenario[] = [
  scenario(
    "only genuine channels pay in: forged payments, other owners, salts, code and vaults are refused",
    async (w) => {
      const channel = await w.open();
      const to = w.vault.address;
      const from = channel.contract.address;
      answers(await w.toVault(w.stranger, payment(w, w.client, 1n, gram(100))), "NotChannel");
      answers(await w.toVault(w.client, payment(w, w.client, 1n, gram(0.1))), "NotChannel");
      answers(await forged(w, { from, to, body: payment(w, w.stranger, 1n, gram(0.1)) }), "NotChannel");
      answers(await forged(w, { from, to, body: payment(w, w.client, 2n, gram(0.1)) }), "NotChannel");
      const identity = { owner: w.client, vault: to, salt: 1n };
      const otherCode = ClientChannel.fromIdentity(identity, w.codes.nodeAccount).address;
      answers(
        await forged(w, { from: otherCode, to, body: payment(w, w.client, 1n, gram(0.1)) }),
        "NotChannel",
      );
      const otherVault = ClientChannel.fromIdentity(
        { ...identity, vault: w.stranger },
        w.codes.clientChannel,
      ).address;
      answers(
        await forged(w, { from: otherVault, to, body: payment(w, w.client, 1n, gram(0.1)) }),
        "NotChannel",
      );
      const twin = new Address(-1, from.hash);
      answers(
        await forged(w, { from: twin, to, body: payment(w, w.client, 1n, gram(0.1)) }),
        "WrongWorkchain",
      );
      equal((await w.view()).nodesCreditNano, 0n);
      for (const body of malformed(payment(w, w.client, 1n, gram(0.1))))
        answers(await forged(w, { from, to, body }), 9);
      answers(await forged(w, { from, to, body: payment(w, w.client, 1n, gram(0.1)) }), "fine");
      equal((await w.view()).nodesCreditNano, gram(0.09));
    },
  ),
  scenario(
    "the fee is rounded for the nodes' loss of less than a nano and never exceeds its share",
    async (w) => {
      const channel = await w.open();
      answers(await w.redeem(channel, 19n), "fine");
      const view = await w.view();
      equal(view.nodesCreditNano, 17n);
      equal(view.feeDueNano, 2n);
    },
  ),
  scenario("a vault with a fee above 30 % takes nothing; at 30 % it works", async (w) => {
    for (const [feeBps, expected] of [
      [3000, gram(0.7)],
      [3001, 0n],
    ] as const) {
      const vault = Vault.fromTerms({ ...w.terms, feeBps }, w.codes.vault, w.codes);
      await w.deploy(vault, gram(1));
      const identity = { owner: w.client, vault: vault.address, salt: 1n };
      const channel = {
        identity,
        contract: ClientChannel.fromIdentity(identity, w.codes.clientChannel),
        key: keyOf("voucher"),
      };
      await w.open(channel);
      await w.redeem(channel, gram(1));
      equal((await vault.getVault(w.chain.provider(vault.address))).nodesCreditNano, expected);
      equal((await w.channelView(channel)).redeemedNano, expected === 0n ? 0n : gram(1));
    }
  }),
  scenario(
    "a sponsor's deposit is the nodes'; the owner's own stays its own until a root uses it",
    async (w) => {
      answers(await w.toVault(w.stranger, vaultMessages.sponsorDeposit(1n, gram(5)), gram(5.5)), "fine");
      answers(await w.toVault(w.owner, vaultMessages.sponsorDeposit(2n, gram(7)), gram(7.5)), "fine");
      let view = await w.view();
      equal(view.nodesCreditNano, gram(5));
      equal(view.ownerDepositNano, gram(7));
      equal(view.withdrawableNano, gram(7));
      equal(await w.commit(two(w, gram(6), gram(2))), 0);
      equal((await w.view()).withdrawableNano, gram(4));
      w.chain.now += day;
      view = await w.view();
      equal(view.ownerDepositNano, gram(4));
      equal(view.nodesCreditNano, gram(8));
      // A payment after the root became final does not give the deposit back.
      const channel = await w.open(w.channel(), gram(11));
      await w.redeem(channel, gram(10));
      view = await w.view();
      equal(view.ownerDepositNano, gram(4));
      equal(view.nodesCreditNano, gram(17));
    },
  ),
  scenario("a deposit needs its amount and gas, and keeps not a nano more", async (w) => {
    const body = vaultMessages.sponsorDeposit(1n, gram(1));
    const least = await leastValue(w, async (value) => (await w.toVault(w.stranger, body, value)) === 0);
    equal(least, gram(1) + (w.prices === "today" ? 440_001n : 2_640_000n));
    answers(await w.toVault(w.stranger, body, least - 1n), "ValueTooLow");
    const before = w.chain.balance(w.vault.address);
    answers(await w.toVault(w.stranger, body, least), "fine");
    ok(w.chain.balance(w.vault.address) - before >= gram(1));
    const held = w.chain.balance(w.vault.address);
    const wallet = w.chain.balance(w.stranger);
    answers(await w.toVault(w.stranger, body, gram(3)), "fine");
    equal(w.chain.balance(w.vault.address) - held, gram(1));
    ok(wallet - w.chain.balance(w.stranger) < gram(1.1));
    for (const bad of malformed(body)) answers(await w.toVault(w.stranger, bad, gram(3)), 9);
  }),
  scenario("an excess too small to be sent back stays, and the deposit counts all the same", async (w) => {
    await w.paidIn();
    await w.commit(two(w, gram(3), gram(1)));
    // Making the root final takes the gas that the excess would have been.
    w.chain.now += day;
    const body = vaultMessages.sponsorDeposit(1n, gram(1));
    const least = await leastValue(w, async (value) => (await w.toVault(w.stranger, body, value)) === 0);
    equal(least, gram(1) + (w.prices === "today" ? 440_001n : 2_640_000n));
    const before = (await w.view()).nodesCreditNano;
    const done = await w.send(w.stranger, { to: w.vault.address, value: least, body });
    const arrived = transactionOf(done, w.vault.address);
    answers(codeAt(done, w.vault.address), "fine");
    equal(arrived.outMessagesCount, 0);
    const view = await w.view();
    equal(view.nodesCreditNano, before + gram(1));
    equal(view.finalRoot?.epoch, 1);
  }),
  scenario(
    "the operator takes its fee and unspent deposit, 48 h to 9 days after saying so, and nothing else",
    async (w) => {
      await w.paidIn(gram(100));
      await w.toVault(w.owner, vaultMessages.sponsorDeposit(2n, gram(7)), gram(7.5));
      const apply = vaultMessages.applyAnnounced();
      answers(await w.toVault(w.owner, apply), "NothingAnnounced");
      answers(await w.toVault(w.stranger, announce(w, gram(1))), "NotOwner");
      answers(await w.toVault(w.owner, announce(w, gram(17) + 1n)), "fine");
      w.chain.now += 48 * hour - 1;
      answers(await w.toVault(w.owner, apply), "TooEarly");
      w.chain.now += 1;
      answers(await w.toVault(w.stranger, apply), "NotOwner");
      answers(await w.toVault(w.owner, apply), "BeyondOwnShare");
      answers(await w.toVault(w.owner, announce(w, gram(17))), "fine");
      w.chain.now += 9 * day;
      answers(await w.toVault(w.owner, apply), "AnnouncementStale");
      answers(await w.toVault(w.owner, announce(w, gram(17))), "fine");
      w.chain.now += 9 * day - 1;
      const before = w.chain.balance(w.owner);
      const till = w.chain.balance(w.vault.address);
      answers(await w.toVault(w.owner, apply), "fine");
      ok(w.chain.balance(w.owner) - before > gram(16.9));
      const took = till - w.chain.balance(w.vault.address);
      ok(took >= gram(17) && took < gram(17.02));
      const view = await w.view();
      equal(view.feeDueNano, 0n);
      equal(view.ownerDepositNano, 0n);
      equal(view.owedNano, gram(90));
      answers(await w.toVault(w.owner, apply), "NothingAnnounced");
    },
  ),
  scenario(
    "a withdrawal takes the fee first, and leaves what a pending root uses of the deposit",
    async (w) => {
      await w.paidIn(gram(10));
      await w.toVault(w.owner, vaultMessages.sponsorDeposit(2n, gram(5)), gram(5.5));
      await w.toVault(w.owner, announce(w, gram(3)));
      w.chain.now += 2 * day;
      // 9 of the nodes, 5 of the owner: the root uses 3 of the 5. Fee 1, so 3 may be taken.
      equal(await w.commit(two(w, gram(11), gram(1))), 0);
      answers(await w.toVault(w.owner, vaultMessages.applyAnnounced()), "fine");
      const view = await w.view();
      equal(view.feeDueNano, 0n);
      equal(view.ownerDepositNano, gram(3));
      await w.toVault(w.owner, announce(w, 1n));
      w.chain.now += 2 * day;
      answers(await w.toVault(w.owner, vaultMessages.applyAnnounced()), "BeyondOwnShare");
    },
  ),
  scenario("a withdrawal that would touch the rent of five years is refused", async (w) => {
    await w.paidIn(gram(10));
    await w.toVault(w.owner, announce(w, gram(1)));
    w.chain.now += 2 * day;
    const account = w.chain.account(w.vault.address)!;
    const { storage } = account.account!;
    const put = (coins: bigint): void =>
      w.chain.put({
        ...account,
        account: { ...account.account!, storage: { ...storage, balance: { coins } } },
      });
    put(gram(10));
    answers(await w.toVault(w.owner, vaultMessages.applyAnnounced()), "Underfunded");
    put(gram(11));
    answers(await w.toVault(w.owner, vaultMessages.applyAnnounced()), "fine");
  }),
];

const roots: Scenario[] = [
  scenario("only the committer commits, one root at a time, each with the next number", async (w) => {
    await w.paidIn();
    const tree = two(w, gram(3), gram(1));
    const body = vaultMessages.commitEpoch(w.rootOf(tree, 1));
    for (const from of [w.stranger, w.owner, w.guardian])
      answers(await w.toVault(from, body), "NotCommitter");
    answers(await w.commit(tree, 0), "WrongEpoch");
    answers(await w.commit(tree, 2), "WrongEpoch");
    answers(await w.commit(tree, 1), "fine");
    answers(await w.commit(tree, 2), "RootPending");
    w.chain.now += day - 1;
    answers(await w.commit(tree, 2), "RootPending");
    w.chain.now += 1;
    answers(await w.commit(tree, 1), "WrongEpoch");
    answers(await w.commit(tree, 2), "fine");
    const view = await w.view();
    equal(view.finalRoot?.epoch, 1);
    equal(view.pendingRoot?.epoch, 2);
    equal(view.lastEpoch, 2);
  }),
  scenario("a commit keeps its whole content and gives its value back", async (w) => {
    await w.paidIn();
    const tree = two(w, gram(3), gram(1));
    const before = w.chain.balance(w.committer);
    const till = w.chain.balance(w.vault.address);
    answers(await w.commit(tree, 1), "fine");
    ok(before - w.chain.balance(w.committer) < gram(w.prices === "today" ? 0.001 : 0.0065));
    equal(w.chain.balance(w.vault.address), till);
    const { pendingRoot } = await w.view();
    equal(pendingRoot?.committedNano, gram(4));
    ok(Buffer.from(tree.root).equals(pendingRoot!.root));
    equal(pendingRoot?.units, 1000n);
    ok(Buffer.alloc(32, 0xbb).equals(pendingRoot!.clientRoot));
  }),
  ...(
    [
      ["total", { committedNano: gram(4) - 1n }],
      ["units", { units: 999n }],
      ["requests", { requests: 9n }],
    ] as const
  ).map(([what, change]) =>
    scenario(`committed ${what} never falls; the same again is fine`, async (w) => {
      await w.paidIn();
      const tree = two(w, gram(3), gram(1));
      await w.finalize(tree);
      answers(await w.commit(tree, 2, { units: 1000n, requests: 10n, ...change }), "TotalFell");
      answers(await w.commit(tree, 2, { units: 1000n, requests: 10n }), "fine");
    }),
  ),
  scenario(
    "invented attack: a smaller tree, in which an account has no place, is refused; a larger one is fine",
    async (w) => {
      await w.paidIn();
      await w.finalize(two(w, gram(3), gram(1), 3));
      answers(await w.commit(two(w, gram(3), gram(1), 2), 2), "TotalFell");
      answers(await w.commit(two(w, gram(3), gram(1), 20), 2), "fine");
      w.chain.now += day;
      answers(await w.commit(two(w, gram(3), gram(1), 20), 3, { depth: 21 }), "TreeTooDeep");
    },
  ),
  scenario("no more is committed than was paid in, to the nano", async (w) => {
    await w.paidIn(gram(10));
    await w.toVault(w.owner, vaultMessages.sponsorDeposit(2n, gram(5)), gram(5.5));
    answers(await w.commit(two(w, gram(13), gram(1) + 1n)), "TotalUncovered");
    answers(await w.commit(two(w, gram(13), gram(1))), "fine");
  }),
  scenario("a till without five years' rent takes no new root until anybody gives it some", async (w) => {
    await w.paidIn(gram(10));
    const account = w.chain.account(w.vault.address)!;
    const { storage } = account.account!;
    const coins = gram(10) + gram(0.001);
    w.chain.put({
      ...account,
      account: { ...account.account!, storage: { ...storage, balance: { coins } } },
    });
    answers(await w.commit(two(w, gram(3), gram(1))), "Underfunded");
    await w.send(w.stranger, { to: w.vault.address, value: gram(0.5), bounce: false });
    answers(await w.commit(two(w, gram(3), gram(1))), "fine");
  }),
  scenario("a root's cell that is cut, continued or hides more is refused", async (w) => {
    await w.paidIn();
    const root = packEpochRoot(w.rootOf(two(w, gram(3), gram(1)), 1));
    const inner = root.refs[0]!;
    const around = (attachments: Cell): Cell =>
      beginCell().storeBits(root.bits).storeRef(attachments).endCell();
    const commit = (cell: Cell): Cell =>
      beginCell().storeUint(vaultOps.commitEpoch, 32).storeUint(0, 64).storeRef(cell).endCell();
    const bad = [
      around(beginCell().storeBits(inner.bits).storeRef(Cell.EMPTY).endCell()),
      around(beginCell().storeBits(inner.bits).storeUint(0, 1).endCell()),
      around(Cell.EMPTY),
      beginCell().storeBits(root.bits).storeUint(1, 1).storeRef(inner).endCell(),
      beginCell().storeBits(root.bits).storeRef(inner).storeRef(Cell.EMPTY).endCell(),
    ];
    for (const cell of bad) answers(await w.toVault(w.committer, commit(cell)), 9);
    for (const body of malformed(commit(root))) answers(await w.toVault(w.committer, body), 9);
    answers(await w.toVault(w.committer, commit(root)), "fine");
  }),
  scenario("two commits in one wallet transaction make one root", async (w) => {
    await w.paidIn();
    const message = (epoch: number) => ({
      to: w.vault.address,
      value: gram(0.5),
      body: vaultMessages.commitEpoch(w.rootOf(two(w, gram(3), gram(1)), epoch)),
    });
    await w.send(w.committer, message(1), message(2));
    equal((await w.view()).lastEpoch, 1);
  }),
  scenario("the guardian vetoes a pending root by its number, never a final one", async (w) => {
    await w.paidIn();
    const tree = two(w, gram(3), gram(1));
    answers(await w.toVault(w.guardian, vaultMessages.veto(0)), "NoRootPending");
    await w.commit(tree);
    for (const from of [w.stranger, w.owner, w.committer])
      answers(await w.toVault(from, vaultMessages.veto(1)), "NotGuardian");
    answers(await w.toVault(w.guardian, vaultMessages.veto(2)), "WrongEpoch");
    for (const body of malformed(vaultMessages.veto(1))) answers(await w.toVault(w.guardian, body), 9);
    w.chain.now += day - 1;
    const snapshot = w.chain.snapshot();
    answers(await w.toVault(w.guardian, vaultMessages.veto(1)), "fine");
    equal((await w.view()).pendingRoot, undefined);
    equal((await w.view()).finalRoot, undefined);
    // The number is not used again: two roots never share one.
    answers(await w.commit(tree, 1), "WrongEpoch");
    answers(await w.commit(tree, 2), "fine");
    w.chain.restore(snapshot);
    w.chain.now += 1;
    answers(await w.toVault(w.guardian, vaultMessages.veto(1)), "NoRootPending");
    equal((await w.view()).finalRoot?.epoch, 1);
  }),
];

const disputes: Scenario[] = [
  ...(
    [
      ["an amount fell", (w) => two(w, gram(3) - 1n, gram(1) + 1n)],
      [
        "an account lost its place to another",
        (w) => w.treeOf([w.leafOf(w.node("c"), gram(3)), w.leafOf(w.node("b"), gram(1))]),
      ],
      ["a place was emptied", (w) => w.treeOf([undefined, w.leafOf(w.node("b"), gram(4))])],
    ] as [string, (w: World) => ReturnType<World["treeOf"]>][]
  ).map(([what, next]) =>
    scenario(`anybody kills a pending root in which ${what}`, async (w) => {
      await w.paidIn();
      const before = two(w, gram(3), gram(1));
      await w.finalize(before);
      const after = next(w);
      await w.commit(after, 2);
      const leaf = (tree: typeof before, index: number) =>
        packAccountLeaf(index, tree.leaf(index), tree.path(index));
      // b earned no less in either.
      const calm = vaultMessages.dispute({ finalLeaf: leaf(before, 1) }, leaf(after, 1));
      answers(await w.toVault(w.stranger, calm), "NotInConflict");
      const mixed = vaultMessages.dispute({ finalLeaf: leaf(before, 0) }, leaf(after, 1));
      answers(await w.toVault(w.stranger, mixed), "NotInConflict");
      const none = vaultMessages.dispute({ finalLeaf: leaf(before, 0) }, null);
      answers(await w.toVault(w.stranger, none), "NotInConflict");
      const swapped = vaultMessages.dispute({ finalLeaf: leaf(after, 0) }, leaf(before, 0));
      ok((await w.toVault(w.stranger, swapped)) !== 0);
      equal((await w.view()).pendingRoot?.epoch, 2);
      const good = vaultMessages.dispute({ finalLeaf: leaf(before, 0) }, leaf(after, 0));
      for (const body of malformed(good)) ok((await w.toVault(w.stranger, body)) !== 0);
      answers(await w.toVault(w.stranger, good), "fine");
      const view = await w.view();
      equal(view.pendingRoot, undefined);
      equal(view.finalRoot?.epoch, 1);
      answers(await w.toVault(w.stranger, good), "NoRootPending");
    }),
  ),
  scenario(
    "an honest next root survives every leaf's dispute, and forged proofs of either root",
    async (w) => {
      await w.paidIn();
      const before = w.treeOf([w.leafOf(w.node("a"), gram(3)), undefined, w.leafOf(w.node("b"), gram(1))]);
      await w.finalize(before);
      const after = w.treeOf([
        w.leafOf(w.node("a"), gram(3)),
        w.leafOf(w.node("c"), gram(2)),
        w.leafOf(w.node("b"), gram(1)),
      ]);
      await w.commit(after, 2);
      const leaf = (tree: typeof before, index: number) =>
        packAccountLeaf(index, tree.leaf(index), tree.path(index));
      const dispute = (a: Cell, b: Cell) => w.toVault(w.stranger, vaultMessages.dispute({ finalLeaf: a }, b));
      answers(await dispute(leaf(before, 0), leaf(after, 0)), "NotInConflict");
      answers(await dispute(leaf(before, 2), leaf(after, 2)), "NotInConflict");
      // An empty place may be taken.
      answers(await dispute(leaf(before, 1), leaf(after, 1)), "NotInConflict");
      const inflated = packAccountLeaf(0, { ...before.leaf(0)!, earned: gram(9) }, before.path(0));
      answers(await dispute(inflated, leaf(after, 0)), "WrongProof");
      const deflated = packAccountLeaf(0, { ...after.leaf(0)!, earned: 1n }, after.path(0));
      answers(await dispute(leaf(before, 0), deflated), "WrongProof");
      answers(await dispute(leaf(before, 0), packAccountLeaf(0, undefined, after.path(0))), "WrongProof");
      const alias = packAccountLeaf(4, { ...after.leaf(1)!, index: 4 }, after.path(0));
      answers(
        await dispute(packAccountLeaf(4, { ...before.leaf(0)!, index: 4 }, before.path(0)), alias),
        "WrongPath",
      );
      // An "empty" leaf that says it earned something.
      const odd = beginCell()
        .storeBit(0)
        .storeSlice(leafCell(0, 5n, 0n, after))
        .endCell();
      answers(await dispute(leaf(before, 0), odd), "WrongProof");
      const oddUnits = beginCell()
        .storeBit(0)
        .storeSlice(leafCell(0, 0n, 5n, after))
        .endCell();
      answers(await dispute(leaf(before, 0), oddUnits), "WrongProof");
      equal((await w.view()).pendingRoot?.epoch, 2);
    },
  ),
  scenario("nothing is disputed by a final root when none is final, nor after 24 h", async (w) => {
    await w.paidIn();
    const tree = two(w, gram(3), gram(1));
    const leaf = packAccountLeaf(0, tree.leaf(0), tree.path(0));
    const body = vaultMessages.dispute({ finalLeaf: leaf }, leaf);
    answers(await w.toVault(w.stranger, body), "NoRootPending");
    await w.commit(tree);
    answers(await w.toVault(w.stranger, body), "NoFinalRoot");
    w.chain.now += day;
    answers(await w.toVault(w.stranger, body), "NoRootPending");
  }),
  scenario("an Ack above the pending leaf kills the root; one that it covers does not", async (w) => {
    await w.paidIn();
    const tree = two(w, gram(3), gram(1));
    await w.commit(tree);
    const a = w.node("a");
    const leaf = packAccountLeaf(0, tree.leaf(0), tree.path(0));
    const other = packAccountLeaf(1, tree.leaf(1), tree.path(1));
    const dispute = (
      changes: Parameters<World["ack"]>[1],
      pending: Cell | null = leaf,
      key = keyOf("ack"),
    ) => {
      const { cell, signature } = w.ack(a, { cumulativeNano: gram(3) + 1n, ...changes }, key);
      return w.toVault(w.stranger, vaultMessages.dispute({ ack: cell, signature }, pending));
    };
    answers(await dispute({ cumulativeNano: gram(3) }), "NotInConflict");
    answers(await dispute({ cumulativeNano: gram(4), heldNano: gram(1) }), "NotInConflict");
    answers(await dispute({ heldNano: gram(9) }), "NotInConflict");
    answers(await dispute({ epoch: 2 }), "WrongAck");
    answers(await dispute({ globalId: testnet }), "WrongAck");
    answers(await dispute({ vault: w.stranger }), "WrongAck");
    answers(await dispute({}, leaf, keyOf("thief")), "BadAckSignature");
    answers(await dispute({}, other), "NotInConflict");
    answers(await dispute({ index: 1 }), "NotInConflict");
    answers(await dispute({}, null), "NotInConflict");
    const tampered = packAck({
      globalId: testnet,
      vault: w.vault.address,
      account: a.account.address,
      index: 0,
      epoch: 1,
      cumulativeNano: gram(9),
      heldNano: 0n,
      count: 1n,
      receiptsHash: Buffer.alloc(32),
    });
    answers(
      await w.toVault(
        w.stranger,
        vaultMessages.dispute({ ack: tampered, signature: w.ack(a).signature }, leaf),
      ),
      "WrongAck",
    );
    equal((await w.view()).pendingRoot?.epoch, 1);
    answers(await dispute({ heldNano: 0n }), "fine");
    equal((await w.view()).pendingRoot, undefined);
  }),
  scenario(
    "an Ack whose place another account holds, or nobody, or that lies beyond the tree, kills the root",
    async (w) => {
      await w.paidIn();
      const tree = w.treeOf([w.leafOf(w.node("b"), gram(1)), undefined]);
      await w.commit(tree);
      const snapshot = w.chain.snapshot();
      const a = w.node("a");
      const dispute = (index: number, pending: Cell | null) => {
        const { cell, signature } = w.ack(a, { index, cumulativeNano: 1n });
        return w.toVault(w.stranger, vaultMessages.dispute({ ack: cell, signature }, pending));
      };
      answers(await dispute(0, packAccountLeaf(0, tree.leaf(0), tree.path(0))), "fine");
      w.chain.restore(snapshot);
      answers(await dispute(1, packAccountLeaf(1, undefined, tree.path(1))), "fine");
      w.chain.restore(snapshot);
      answers(await dispute(1, null), "NotInConflict");
      answers(await dispute(2, null), "fine");
    },
  ),
  scenario("an Ack's cells are parsed whole", async (w) => {
    await w.paidIn();
    const tree = two(w, gram(3), gram(1));
    await w.commit(tree);
    const leaf = packAccountLeaf(0, tree.leaf(0), tree.path(0));
    const { cell } = w.ack(w.node("a"), { cumulativeNano: gram(5) });
    const inner = cell.refs[0]!;
    const bad = [
      beginCell().storeBits(cell.bits).storeUint(0, 1).storeRef(inner).endCell(),
      beginCell().storeBits(cell.bits).storeRef(inner).storeRef(Cell.EMPTY).endCell(),
      beginCell()
        .storeBits(cell.bits)
        .storeRef(beginCell().storeBits(inner.bits).storeUint(0, 1).endCell())
        .endCell(),
      beginCell()
        .storeBits(cell.bits)
        .storeRef(beginCell().storeBits(inner.bits).storeRef(Cell.EMPTY).endCell())
        .endCell(),
    ];
    for (const ack of bad) {
      const signature = keyOf("ack").sign(ack.hash());
      answers(await w.toVault(w.stranger, vaultMessages.dispute({ ack, signature }, leaf)), 9);
    }
    const other = beginCell()
      .storeUint(0xb0f00002, 32)
      .storeBits(cell.bits.substring(32, cell.bits.length - 32))
      .storeRef(inner)
      .endCell();
    const signature = keyOf("ack").sign(other.hash());
    ok((await w.toVault(w.stranger, vaultMessages.dispute({ ack: other, signature }, leaf))) !== 0);
  }),
];

const keys: Scenario[] = [
  scenario("hot keys rotate at once, by the owner alone", async (w) => {
    await w.paidIn();
    const next = w.chain.wallet("next committer");
    const body = vaultMessages.rotateHotKeys(next, keyOf("next ack").publicKey);
    for (const from of [w.stranger, w.guardian, w.committer])
      answers(await w.toVault(from, body), "NotOwner");
    for (const bad of malformed(body)) answers(await w.toVault(w.owner, bad), 9);
    answers(await w.toVault(w.owner, body), "fine");
    const tree = two(w, gram(3), gram(1));
    answers(await w.commit(tree), "NotCommitter");
    answers(await w.toVault(next, vaultMessages.commitEpoch(w.rootOf(tree, 1))), "fine");
    const leaf = packAccountLeaf(0, tree.leaf(0), tree.path(0));
    const ack = (key: string) => {
      const { cell, signature } = w.ack(w.node("a"), { cumulativeNano: gram(9) }, keyOf(key));
      return w.toVault(w.stranger, vaultMessages.dispute({ ack: cell, signature }, leaf));
    };
    answers(await ack("ack"), "BadAckSignature");
    answers(await ack("next ack"), "fine");
  }),
  scenario("owner and guardian change 48 h after the announcement, the committer stays", async (w) => {
    const [owner, guardian] = [w.chain.wallet("next owner"), w.chain.wallet("next guardian")];
    const body = announce(w, 0n, owner, guardian);
    for (const bad of malformed(body)) answers(await w.toVault(w.owner, bad), 9);
    answers(await w.toVault(w.owner, body), "fine");
    const { announced } = await w.view();
    ok(announced?.owner.equals(owner) && announced.guardian.equals(guardian));
    w.chain.now += 2 * day;
    for (const bad of malformed(vaultMessages.applyAnnounced())) answers(await w.toVault(w.owner, bad), 9);
    answers(await w.toVault(w.owner, vaultMessages.applyAnnounced()), "fine");
    const view = await w.view();
    ok(view.owner.equals(owner) && view.guardian.equals(guardian) && view.committer.equals(w.committer));
    equal(view.announced, undefined);
    answers(await w.toVault(w.owner, announce(w, 0n)), "NotOwner");
  }),
  scenario(
    "unknown messages, comments and other workchains are refused; an empty one is a gift",
    async (w) => {
      const comment = beginCell().storeUint(0, 32).storeStringTail("hi").endCell();
      answers(await w.toVault(w.owner, comment), "UnknownMessage");
      answers(await w.toVault(w.stranger, comment), "NotOwner");
      const from = new Address(-1, w.guardian.hash);
      answers(await forged(w, { from, to: w.vault.address, body: vaultMessages.veto(1) }), "WrongWorkchain");
      const before = w.chain.balance(w.vault.address);
      await w.send(w.stranger, { to: w.vault.address, value: gram(1) });
      ok(w.chain.balance(w.vault.address) - before > gram(0.99));
      // A bounce is nobody's message.
      answers(
        await forged(w, {
          from: w.guardian,
          to: w.vault.address,
          body: vaultMessages.veto(1),
          bounced: true,
        }),
        "fine",
      );
    },
  ),
  scenario(
    "a leaked commit key costs what nobody vetoes in 24 h: earlier final earnings stay claimable meanwhile",
    async (w) => {
      await w.paidIn(gram(100));
      const [a, thief] = [w.node("a"), w.node("thief")];
      const honest = w.treeOf([w.leafOf(a, gram(40)), undefined]);
      await w.finalize(honest);
      // The thief commits all there is for itself.
      await w.commit(w.treeOf([w.leafOf(a, gram(40)), w.leafOf(thief, gram(50))]), 2);
      await w.claim(a, w.leafCell(0, honest));
      equal((await w.view()).paidNano, gram(40));
      answers(await w.toVault(w.guardian, vaultMessages.veto(2)), "fine");
      await w.claim(thief, w.leafCell(1));
      equal((await w.view()).paidNano, gram(40));
      await w.toVault(w.owner, vaultMessages.rotateHotKeys(w.owner, keyOf("ack").publicKey));
      answers(await w.commit(honest, 3), "NotCommitter");
    },
  ),
  scenario(
    "a leaked commit key that nobody vetoes takes the unspent pool, and nothing that was claimed before",
    async (w) => {
      await w.paidIn(gram(100));
      const [a, thief] = [w.node("a"), w.node("thief")];
      await w.finalize(w.treeOf([w.leafOf(a, gram(40)), undefined]));
      await w.claim(a, w.leafCell(0));
      await w.finalize(w.treeOf([w.leafOf(a, gram(40)), w.leafOf(thief, gram(50))]), 2);
      await w.claim(thief, w.leafCell(1));
      const view = await w.view();
      equal(view.paidNano, gram(90));
      ok(w.chain.balance(w.vault.address) >= view.owedNano);
    },
  ),
  scenario("a leaked ack key stalls commits until it is rotated, and moves no money", async (w) => {
    await w.paidIn(gram(100));
    const tree = two(w, gram(3), gram(1));
    for (const epoch of [1, 2]) {
      await w.commit(tree, epoch);
      const { cell, signature } = w.ack(w.node("thief"), { epoch, index: 0, cumulativeNano: 1n });
      const leaf = packAccountLeaf(0, tree.leaf(0), tree.path(0));
      answers(await w.toVault(w.stranger, vaultMessages.dispute({ ack: cell, signature }, leaf)), "fine");
      equal((await w.view()).paidNano, 0n);
    }
    await w.toVault(w.owner, vaultMessages.rotateHotKeys(w.committer, keyOf("next ack").publicKey));
    await w.commit(tree, 3);
    const { cell, signature } = w.ack(w.node("thief"), { epoch: 3, cumulativeNano: 1n });
    const leaf = packAccountLeaf(0, tree.leaf(0), tree.path(0));
    answers(
      await w.toVault(w.stranger, vaultMessages.dispute({ ack: cell, signature }, leaf)),
      "BadAckSignature",
    );
  }),
  scenario(
    "an operator that vanished: final earnings are claimed years later, deposits come back after 72 h",
    async (w) => {
      const channel = await w.open();
      await w.redeem(channel, gram(5));
      const a = w.node("a");
      await w.commit(w.treeOf([w.leafOf(a, gram(4))]));
      w.chain.now += 3 * 365 * day;
      await w.claim(a, w.leafCell(0), w.stranger);
      equal((await w.view()).paidNano, gram(4));
      const { channelMessages } = await import("../../src/client-channel/client-channel.ts");
      await w.toChannel(w.client, channel, channelMessages.close());
      w.chain.now += 72 * hour;
      const before = w.chain.balance(w.client);
      await w.toChannel(w.client, channel, channelMessages.close());
      ok(w.chain.balance(w.client) - before > gram(4.8));
    },
  ),
];

function leafCell(index: number, earned: bigint, units: bigint, tree: ReturnType<World["treeOf"]>) {
  const genuine = packAccountLeaf(index, undefined, tree.path(index)).beginParse();
  genuine.skip(1 + 64 + 4 + 64);
  return beginCell()
    .storeUint(index, 64)
    .storeCoins(earned)
    .storeUint(units, 64)
    .storeSlice(genuine)
    .endCell()
    .beginParse();
}

export const scenarios: Scenario[] = [...money, ...roots, ...disputes, ...keys];
