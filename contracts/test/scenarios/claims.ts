import { equal, ok } from "node:assert/strict";
import { Address, beginCell, Cell } from "@ton/core";
import { packLeaf } from "../../src/merkle/leaf.ts";
import type { LeafAt, SumTree } from "../../src/merkle/sum-tree.ts";
import { claimMessage, NodeAccount, nodeAccountOps } from "../../src/node-account/node-account.ts";
import { codeAt, transactionOf } from "../chain.ts";
import { configOf, testnet } from "../prices.ts";
import { answers, leastValue, type Scenario, scenario } from "../scenario.ts";
import { gram, hour, keyOf, type NodeActor, type World } from "../world.ts";
import { forged } from "./forge.ts";

/** A final root in which node a earned 60, b 20, place 2 is empty and d earned 1. */
async function paidNetwork(
  w: World,
  depth?: number,
): Promise<{ a: NodeActor; b: NodeActor; d: NodeActor; tree: SumTree }> {
  await w.paidIn(gram(100));
  const [a, b, d] = [w.node("a"), w.node("b"), w.node("d")];
  const leaves: LeafAt[] = [w.leafOf(a, gram(60)), w.leafOf(b, gram(20)), undefined, w.leafOf(d, gram(1))];
  const tree = w.treeOf(leaves, depth);
  await w.finalize(tree);
  return { a, b, d, tree };
}

const paid = async (w: World): Promise<bigint> => (await w.view()).paidNano;
const claimed = async (w: World, node: NodeActor): Promise<bigint> =>
  (await node.account.getAccount(w.chain.provider(node.account.address))).claimedNano;

/** The vault's and the account's exit codes, in this order. */
async function claimCodes(w: World, node: NodeActor, leaf: Cell, from = node.owner, value = gram(0.5)) {
  const done = await w.claim(node, leaf, from, value);
  const reached = w.chain.transactions.some(
    (one) => one.address === BigInt(`0x${w.vault.address.hash.toString("hex")}`),
  );
  w.chain.transactions = [];
  return {
    account: codeAt(done, node.account.address),
    vault: reached ? safe(done, w.vault.address) : undefined,
  };
}

function safe(done: Parameters<typeof codeAt>[0], address: Address): number | undefined {
  try {
    return codeAt(done, address);
  } catch {
    return undefined;
  }
}

export const scenarios: Scenario[] = [
  scenario(
    "the owner gets exactly what was earned, whoever sends the claim, and the sender its excess",
    async (w) => {
      const { a, b } = await paidNetwork(w);
      const owner = w.chain.balance(a.owner);
      const sender = w.chain.balance(w.stranger);
      const till = w.chain.balance(w.vault.address);
      w.chain.transactions = [];
      const { account, vault } = await claimCodes(w, a, w.leafCell(0), w.stranger);
      answers(account, "fine");
      answers(vault, "fine");
      const got = w.chain.balance(a.owner) - owner;
      ok(got <= gram(60) && got > gram(60) - gram(0.002), `${got}`);
      ok(sender - w.chain.balance(w.stranger) < gram(w.prices === "today" ? 0.01 : 0.06));
      near(till - w.chain.balance(w.vault.address), gram(60));
      equal(await paid(w), gram(60));
      equal(await claimed(w, a), gram(60));
      const own = w.chain.balance(b.owner);
      await w.claim(b, w.leafCell(1));
      ok(w.chain.balance(b.owner) - own > gram(19.9));
      equal(await paid(w), gram(80));
      near(till - w.chain.balance(w.vault.address), gram(80));
    },
  ),
  scenario("a claim is paid once; the next epoch pays the difference", async (w) => {
    const { a, b } = await paidNetwork(w);
    await w.claim(a, w.leafCell(0));
    const again = await claimCodes(w, a, w.leafCell(0));
    answers(again.account, "NothingDue");
    equal(await paid(w), gram(60));
    await w.finalize(
      w.treeOf([w.leafOf(a, gram(65)), w.leafOf(b, gram(20)), undefined, w.leafOf(w.node("d"), gram(1))]),
      2,
    );
    const before = w.chain.balance(a.owner);
    answers((await claimCodes(w, a, w.leafCell(0))).account, "fine");
    ok(w.chain.balance(a.owner) - before > gram(4.9) && w.chain.balance(a.owner) - before < gram(5));
    equal(await paid(w), gram(65));
  }),
  scenario(
    "a bogus claim and an honest one in one wallet transaction pay what was earned, not twice that",
    async (w) => {
      const { a, tree } = await paidNetwork(w);
      const leaf = tree.leaf(0)!;
      const bogus = packLeaf({ ...leaf, earned: 1n }, tree.path(0));
      const before = w.chain.balance(w.vault.address);
      await w.send(a.owner, w.claimOf(a, bogus), w.claimOf(a, w.leafCell(0)));
      await w.claim(a, w.leafCell(0));
      await w.claim(a, w.leafCell(0));
      near(before - w.chain.balance(w.vault.address), gram(60));
      equal(await claimed(w, a), gram(60));
      equal(await paid(w), gram(60));
    },
  ),
  scenario(
    "two bogus claims before the honest one, bounces last: nothing is lost and nothing is paid twice",
    async (w) => {
      const { a, tree } = await paidNetwork(w);
      const leaf = tree.leaf(0)!;
      const bogus = (earned: bigint): Cell => packLeaf({ ...leaf, earned }, tree.path(0));
      await w.chain.send(
        a.owner,
        w.claimOf(a, bogus(7n)),
        w.claimOf(a, bogus(gram(10))),
        w.claimOf(a, w.leafCell(0)),
      );
      await w.chain.settle();
      await w.claim(a, w.leafCell(0));
      equal(await claimed(w, a), gram(60));
      equal(await paid(w), gram(60));
    },
  ),
  scenario(
    "a refused claim gives its value back to the owner and takes nothing of what is due",
    async (w) => {
      const { a, tree } = await paidNetwork(w);
      const leaf = tree.leaf(0)!;
      const before = w.chain.balance(a.owner);
      const { vault } = await claimCodes(w, a, packLeaf({ ...leaf, earned: gram(61) }, tree.path(0)));
      answers(vault, "WrongProof");
      equal(await claimed(w, a), 0n);
      ok(before - w.chain.balance(a.owner) < gram(0.15));
      answers((await claimCodes(w, a, w.leafCell(0))).vault, "fine");
      equal(await paid(w), gram(60));
    },
  ),
  ...(
    [
      [
        "an inflated amount",
        "WrongProof",
        ({ tree }) => packLeaf({ ...tree.leaf(0)!, earned: gram(61) }, tree.path(0)),
      ],
      ["other units", "WrongProof", ({ tree }) => packLeaf({ ...tree.leaf(0)!, units: 1n }, tree.path(0))],
      ["another's leaf", "WrongProof", ({ tree }) => packLeaf(tree.leaf(3)!, tree.path(3))],
      ["another's place", "WrongProof", ({ tree }) => packLeaf({ ...tree.leaf(0)!, index: 1 }, tree.path(1))],
      [
        "an index beyond the tree that folds to the same place",
        "WrongPath",
        ({ tree }) => packLeaf({ ...tree.leaf(0)!, index: 4 }, tree.path(0)),
      ],
      [
        "a path that is too long",
        "WrongPath",
        ({ tree }) => packLeaf(tree.leaf(0)!, [...tree.path(0), { sum: 0n, hash: Buffer.alloc(32) }]),
      ],
      ["a path that is too short", 9, ({ tree }) => packLeaf(tree.leaf(0)!, tree.path(0).slice(0, 1))],
      ["no path", 9, ({ tree }) => packLeaf(tree.leaf(0)!, [])],
      [
        "an inner node as a leaf",
        "WrongProof",
        ({ tree }) => packLeaf({ index: 0, earned: tree.total, units: 0n }, tree.path(0)),
      ],
      [
        "a smaller sum beside the genuine hash",
        "WrongProof",
        ({ tree }) =>
          packLeaf(
            tree.leaf(0)!,
            tree.path(0).map((one, at) => (at === 1 ? { ...one, sum: one.sum - 1n } : one)),
          ),
      ],
      [
        "sums that overflow 128 bits",
        "WrongProof",
        ({ tree }) =>
          packLeaf(
            { ...tree.leaf(0)!, earned: (1n << 120n) - 1n },
            tree.path(0).map((one) => ({ ...one, sum: (1n << 120n) - 1n })),
          ),
      ],
      [
        "a path cell with a second reference",
        9,
        ({ tree }) => {
          const long = tree.path(0);
          const second = beginCell()
            .storeCoins(long[1]!.sum)
            .storeBuffer(Buffer.from(long[1]!.hash))
            .endCell();
          const first = beginCell()
            .storeCoins(long[0]!.sum)
            .storeBuffer(Buffer.from(long[0]!.hash))
            .storeRef(second)
            .storeRef(Cell.EMPTY)
            .endCell();
          return rawLeaf(tree, first);
        },
      ],
      [
        "a path that ends in a reference",
        "WrongPath",
        ({ tree }) => {
          const builder = beginCell();
          for (const { sum, hash } of tree.path(0)) builder.storeCoins(sum).storeBuffer(Buffer.from(hash));
          return rawLeaf(tree, builder.storeRef(Cell.EMPTY).endCell());
        },
      ],
      [
        "a library cell for a path",
        9,
        ({ tree }) => {
          const bits = beginCell().storeUint(2, 8).storeUint(1, 256).endCell().bits;
          return rawLeaf(tree, new Cell({ exotic: true, bits, refs: [] }));
        },
      ],
    ] as [string, "WrongProof" | "WrongPath" | number, (n: { tree: SumTree }) => Cell][]
  ).map(([what, refusal, leafOf]) =>
    scenario(`a claim with ${what} is refused and comes back; the honest one is paid`, async (w) => {
      const { a, tree } = await paidNetwork(w);
      w.chain.transactions = [];
      const { account, vault } = await claimCodes(w, a, leafOf({ tree }));
      answers(account, "fine");
      answers(vault, refusal);
      equal(await claimed(w, a), 0n);
      equal(await paid(w), 0n);
      w.chain.transactions = [];
      answers((await claimCodes(w, a, w.leafCell(0))).vault, "fine");
      equal(await paid(w), gram(60));
    }),
  ),
  scenario("a leaf that is cut, continued or above 2^120 is refused at entry", async (w) => {
    const { a, tree } = await paidNetwork(w);
    await w.claim(a, w.leafCell(0));
    const good = w.leafCell(0);
    const bodies = [
      beginCell().storeSlice(good.beginParse()).storeUint(0, 1).endCell(),
      beginCell().storeSlice(good.beginParse()).storeRef(Cell.EMPTY).endCell(),
      beginCell().storeBits(good.bits.substring(0, 100)).endCell(),
    ];
    for (const leaf of bodies) answers((await claimCodes(w, a, leaf)).account, 9);
    const extra = beginCell().storeSlice(claimMessage(good).beginParse()).storeUint(1, 3).endCell();
    answers(
      codeAt(
        await w.send(a.owner, { to: a.account.address, value: gram(0.5), body: extra }),
        a.account.address,
      ),
      9,
    );
    void tree;
  }),
  scenario("a path deeper than any tree stops at the account", async (w) => {
    const { a, tree } = await paidNetwork(w);
    const chain = (cells: number): Cell => {
      let cell = beginCell().storeUint(1, 8).endCell();
      for (let at = 1; at < cells; at++) cell = beginCell().storeUint(1, 8).storeRef(cell).endCell();
      return cell;
    };
    w.chain.transactions = [];
    answers((await claimCodes(w, a, rawLeaf(tree, chain(11)))).account, "PathTooDeep");
    const ten = await claimCodes(w, a, rawLeaf(tree, chain(10)));
    answers(ten.account, "fine");
    ok(ten.vault !== 0);
    equal(await claimed(w, a), 0n);
  }),
  scenario(
    "invented attack: a proof that fans out into hundreds of cells cannot strand the step at the vault",
    async (w) => {
      const { a, tree } = await paidNetwork(w);
      let at = 0;
      const fan = (depth: number): Cell => {
        const builder = beginCell().storeUint(at++, 32);
        if (depth > 0) for (let ref = 0; ref < 4; ref++) builder.storeRef(fan(depth - 1));
        return builder.endCell();
      };
      const wide = rawLeaf(tree, fan(4));
      const least = await leastValue(
        w,
        async (value) => codeAt(await w.claim(a, wide, w.stranger, value), a.account.address) === 0,
        gram(4),
      );
      await w.claim(a, wide, w.stranger, least);
      equal(await claimed(w, a), 0n, "the step must come back");
      await w.claim(a, w.leafCell(0));
      equal(await claimed(w, a), gram(60));
    },
  ),
  scenario("a message too large to pass on bounces to its sender and changes nothing", async (w) => {
    const { a, tree } = await paidNetwork(w);
    await w.claim(a, w.leafCell(0));
    await w.finalize(
      w.treeOf([
        w.leafOf(a, gram(61)),
        w.leafOf(w.node("b"), gram(20)),
        undefined,
        w.leafOf(w.node("d"), gram(1)),
      ]),
      2,
    );
    let count = 0;
    const fan = (depth: number, cells: number): Cell => {
      const builder = beginCell().storeUint(count++, 32);
      let left = cells - 1;
      for (let ref = 0; ref < 4 && left > 0 && depth > 0; ref++) {
        const share = Math.ceil(left / (4 - ref));
        builder.storeRef(fan(depth - 1, share));
        left -= share;
      }
      return builder.endCell();
    };
    // 8,192 cells are what a message may have: the step to the vault would have one or two more.
    const huge = rawLeaf(tree, fan(9, 8191), gram(61));
    const to = a.account.address;
    const code = await forged(w, {
      from: a.owner,
      to,
      body: claimMessage(huge),
      value: gram(40),
      bounce: true,
    });
    ok(code !== undefined && code >= 32 && code < 60, `${code}`);
    equal(await claimed(w, a), gram(60));
    // The first claim of another account fails the same way, with its rent.
    const b = w.node("b");
    await w.deploy(b.account, 1n);
    const before = w.chain.balance(b.owner);
    await forged(w, {
      from: b.owner,
      to: b.account.address,
      body: claimMessage(huge),
      value: gram(40),
      bounce: true,
    });
    ok(w.chain.balance(b.owner) - before > gram(30), "no bounce");
  }),
  scenario(
    "a first claim needs rent and the whole chain's cost, to the nano; a later one the cost alone",
    async (w) => {
      const { a, b } = await paidNetwork(w, 20);
      const attempt = async (value: bigint): Promise<boolean> =>
        codeAt(await w.claim(a, w.leafCell(0), w.stranger, value), a.account.address) === 0;
      const first = await leastValue(w, attempt);
      equal(first, w.prices === "today" ? 6_231_028n : 41_043_247n);
      w.chain.transactions = [];
      answers((await claimCodes(w, a, w.leafCell(0), w.stranger, first - 1n)).account, "ValueTooLow");
      const done = await w.claim(a, w.leafCell(0), w.stranger, first);
      answers(codeAt(done, w.vault.address), "fine");
      equal(await paid(w), gram(60));
      const reserve = w.chain.balance(a.account.address);
      await w.finalize(w.treeOf([w.leafOf(a, gram(61)), w.leafOf(b, gram(20))], 20), 2, {
        committedNano: gram(81),
      });
      const later = await leastValue(w, attempt);
      equal(later, w.prices === "today" ? 3_350_965n : 20_107_299n);
      ok(later < first - reserve + gram(0.01), `${later} ${first} ${reserve}`);
      answers((await claimCodes(w, a, w.leafCell(0), w.stranger, later - 1n)).account, "ValueTooLow");
      answers(codeAt(await w.claim(a, w.leafCell(0), w.stranger, later), w.vault.address), "fine");
      equal(await paid(w), gram(61));
      ok(w.chain.balance(a.account.address) >= reserve - gram(0.001));
    },
  ),
  scenario("at the least value a refused claim still comes back, so nothing due is lost", async (w) => {
    const { a, tree } = await paidNetwork(w, 20);
    const bogus = packLeaf({ ...tree.leaf(0)!, earned: gram(99) }, tree.path(0));
    const least = await leastValue(
      w,
      async (value) => codeAt(await w.claim(a, bogus, w.stranger, value), a.account.address) === 0,
    );
    await w.claim(a, bogus, w.stranger, least);
    equal(await claimed(w, a), 0n);
    await w.claim(a, w.leafCell(0));
    equal(await claimed(w, a), gram(60));
  }),
  scenario("a donation lying in the account does not pay for a stranger's gas", async (w) => {
    const { a, tree } = await paidNetwork(w, 20);
    await w.claim(a, w.leafCell(0));
    await w.finalize(w.treeOf([w.leafOf(a, gram(61)), w.leafOf(w.node("b"), gram(20))], 20), 2, {
      committedNano: gram(81),
    });
    await w.send(w.stranger, { to: a.account.address, value: gram(3) });
    const bogus = packLeaf({ ...tree.leaf(0)!, earned: gram(99) }, tree.path(0));
    const little = gram(w.prices === "today" ? 0.0012 : 0.007);
    w.chain.transactions = [];
    answers((await claimCodes(w, a, bogus, w.stranger, little)).account, "ValueTooLow");
    // An honest claim leaves it where it is.
    const held = w.chain.balance(a.account.address);
    await w.claim(a, w.leafCell(0), w.stranger);
    equal(await claimed(w, a), gram(61));
    ok(held - w.chain.balance(a.account.address) < gram(0.0001));
    // A refused claim with enough value brings the donation to the owner.
    const before = w.chain.balance(a.owner);
    await w.claim(a, bogus, w.stranger);
    ok(w.chain.balance(a.owner) - before > gram(2.9));
    equal(await claimed(w, a), gram(61));
  }),
  scenario(
    "only a genuine account is paid: forged steps, other owners, other code, other vaults",
    async (w) => {
      const { a, tree } = await paidNetwork(w);
      const thief = w.chain.wallet("thief");
      const step = (nodeId: bigint, owner: Address): Cell =>
        beginCell()
          .storeUint(nodeAccountOps.claimStep, 32)
          .storeUint(0, 64)
          .storeCoins(gram(60))
          .storeUint(nodeId, 256)
          .storeBuffer(owner.hash)
          .storeBuffer(thief.hash)
          .storeRef(packLeaf(tree.leaf(0)!, tree.path(0)))
          .endCell();
      answers(await w.toVault(thief, step(a.nodeId, a.owner)), "NotNodeAccount");
      answers(await w.toVault(thief, step(a.nodeId, thief)), "NotNodeAccount");
      const from = a.account.address;
      const to = w.vault.address;
      answers(await forged(w, { from, to, body: step(a.nodeId, thief) }), "NotNodeAccount");
      answers(await forged(w, { from, to, body: step(a.nodeId + 1n, a.owner) }), "NotNodeAccount");
      answers(
        await forged(w, { from: new Address(-1, from.hash), to, body: step(a.nodeId, a.owner) }),
        "WrongWorkchain",
      );
      const otherVault = NodeAccount.fromIdentity(
        { vault: w.chain.wallet("x"), nodeId: a.nodeId, owner: a.owner },
        w.codes.nodeAccount,
      );
      answers(
        await forged(w, { from: otherVault.address, to, body: step(a.nodeId, a.owner) }),
        "NotNodeAccount",
      );
      const otherCode = NodeAccount.fromIdentity(
        { vault: to, nodeId: a.nodeId, owner: a.owner },
        w.codes.clientChannel,
      );
      answers(
        await forged(w, { from: otherCode.address, to, body: step(a.nodeId, a.owner) }),
        "NotNodeAccount",
      );
      equal(await paid(w), 0n);
      const longer = beginCell().storeSlice(step(a.nodeId, a.owner).beginParse()).storeUint(0, 1).endCell();
      answers(await forged(w, { from, to, body: longer }), 9);
      answers(await forged(w, { from, to, body: step(a.nodeId, a.owner) }), "fine");
      equal(await paid(w), gram(60));
    },
  ),
  scenario("a node account bounces only what its vault bounced", async (w) => {
    const { a } = await paidNetwork(w);
    await w.claim(a, w.leafCell(0));
    const bounce = (op: number): Cell =>
      beginCell().storeUint(0xffffffff, 32).storeUint(op, 32).storeUint(0, 64).storeCoins(gram(60)).endCell();
    const to = a.account.address;
    const body = bounce(nodeAccountOps.claimStep);
    answers(await forged(w, { from: w.stranger, to, body, bounced: true }), "NotVault");
    answers(
      await forged(w, { from: new Address(-1, w.vault.address.hash), to, body, bounced: true }),
      "WrongWorkchain",
    );
    answers(codeAt(await w.send(w.stranger, { to, value: gram(0.1), body }), to), "UnknownMessage");
    equal(await claimed(w, a), gram(60));
    answers(await forged(w, { from: w.vault.address, to, body, bounced: true }), "fine");
    equal(await claimed(w, a), 0n);
  }),
  scenario("a bounced step is taken back even when nothing is left to return", async (w) => {
    const { a } = await paidNetwork(w);
    await w.claim(a, w.leafCell(0));
    w.chain.now += 4 * 365 * 24 * hour;
    const body = beginCell()
      .storeUint(0xffffffff, 32)
      .storeUint(nodeAccountOps.claimStep, 32)
      .storeUint(0, 64)
      .storeCoins(gram(60))
      .endCell();
    const value = gram(w.prices === "today" ? 0.0004 : 0.0024);
    answers(
      await forged(w, { from: w.vault.address, to: a.account.address, body, bounced: true, value }),
      "fine",
    );
    equal(await claimed(w, a), 0n);
  }),
  scenario(
    "unknown messages, comments and other workchains are refused; an empty one is a gift",
    async (w) => {
      const { a } = await paidNetwork(w);
      await w.claim(a, w.leafCell(0));
      const to = a.account.address;
      const comment = beginCell().storeUint(0, 32).storeStringTail("hi").endCell();
      answers(
        codeAt(await w.send(w.stranger, { to, value: gram(0.1), body: comment }), to),
        "UnknownMessage",
      );
      const body = claimMessage(w.leafCell(1));
      answers(await forged(w, { from: new Address(-1, a.owner.hash), to, body }), "WrongWorkchain");
      const before = w.chain.balance(to);
      answers(codeAt(await w.send(w.stranger, { to, value: gram(1) }), to), "fine");
      ok(w.chain.balance(to) - before > gram(0.99));
    },
  ),
  scenario(
    "claims run on the last final root: neither on none, nor on a pending one, nor on the one before",
    async (w) => {
      await w.paidIn(gram(100));
      const a = w.node("a");
      const first = w.treeOf([w.leafOf(a, gram(10)), w.leafOf(w.node("b"), gram(1))]);
      await w.commit(first);
      w.chain.transactions = [];
      answers((await claimCodes(w, a, w.leafCell(0))).vault, "NoFinalRoot");
      w.chain.now += 24 * hour - 1;
      w.chain.transactions = [];
      answers((await claimCodes(w, a, w.leafCell(0))).vault, "NoFinalRoot");
      w.chain.now += 1;
      w.chain.transactions = [];
      answers((await claimCodes(w, a, w.leafCell(0))).vault, "fine");
      const second = w.treeOf([w.leafOf(a, gram(15)), w.leafOf(w.node("b"), gram(1))]);
      await w.commit(second, 2);
      w.chain.transactions = [];
      answers((await claimCodes(w, a, w.leafCell(0, second))).vault, "WrongProof");
      w.chain.now += 24 * hour;
      w.chain.transactions = [];
      answers((await claimCodes(w, w.node("b"), w.leafCell(1, first))).vault, "WrongProof");
      w.chain.transactions = [];
      answers((await claimCodes(w, a, w.leafCell(0, second))).vault, "fine");
      equal(await paid(w), gram(15));
    },
  ),
  scenario(
    "one account in two places is paid its largest leaf, and never beyond what was committed",
    async (w) => {
      await w.paidIn(gram(100));
      const a = w.node("a");
      await w.finalize(w.treeOf([w.leafOf(a, gram(10)), w.leafOf(a, gram(12))]));
      await w.claim(a, w.leafCell(0));
      await w.claim(a, w.leafCell(1));
      await w.claim(a, w.leafCell(0));
      equal(await paid(w), gram(12));
    },
  ),
  scenario(
    "a final root that pays others less than they were paid already cannot make the vault pay beyond it",
    async (w) => {
      await w.paidIn(gram(100));
      const [a, b] = [w.node("a"), w.node("b")];
      await w.finalize(w.treeOf([w.leafOf(a, gram(10)), w.leafOf(b, gram(1))]));
      await w.claim(a, w.leafCell(0));
      // The operator takes a's earnings away and gives them to b: nobody vetoed, nobody disputed.
      await w.finalize(w.treeOf([w.leafOf(a, 0n), w.leafOf(b, gram(11))]), 2);
      w.chain.transactions = [];
      answers((await claimCodes(w, b, w.leafCell(1))).vault, "BeyondCommitted");
      equal(await paid(w), gram(10));
      equal(await claimed(w, b), 0n);
    },
  ),
  scenario("a till that lacks the money refuses, pays nothing, and pays when it has it again", async (w) => {
    const { a } = await paidNetwork(w);
    const account = w.chain.account(w.vault.address)!;
    const drained = {
      ...account,
      account: {
        ...account.account!,
        storage: { ...account.account!.storage, balance: { coins: gram(59.9) } },
      },
    };
    w.chain.put(drained);
    w.chain.transactions = [];
    const { vault } = await claimCodes(w, a, w.leafCell(0));
    answers(vault, "Underfunded");
    equal(await claimed(w, a), 0n);
    await w.send(w.stranger, { to: w.vault.address, value: gram(0.2), bounce: false });
    w.chain.transactions = [];
    answers((await claimCodes(w, a, w.leafCell(0))).vault, "fine");
    equal(await paid(w), gram(60));
  }),
  scenario(
    "an owner whose wallet is not there, or throws, is paid all the same and holds up nobody",
    async (w) => {
      await w.paidIn(gram(100));
      const nobody = new Address(0, Buffer.alloc(32, 7));
      const identity = { vault: w.vault.address, nodeId: 5n, owner: nobody };
      const account = NodeAccount.fromIdentity(identity, w.codes.nodeAccount);
      const absent: NodeActor = { nodeId: 5n, owner: nobody, account };
      // A vault of somebody else is a contract that throws at a payout.
      const hostileIdentity = { vault: w.vault.address, nodeId: 6n, owner: account.address };
      const hostile: NodeActor = {
        nodeId: 6n,
        owner: account.address,
        account: NodeAccount.fromIdentity(hostileIdentity, w.codes.nodeAccount),
      };
      const a = w.node("a");
      await w.finalize(
        w.treeOf([w.leafOf(absent, gram(1)), w.leafOf(hostile, gram(2)), w.leafOf(a, gram(3))]),
      );
      await w.claim(absent, w.leafCell(0), w.stranger);
      ok(w.chain.balance(nobody) > gram(0.99));
      const held = w.chain.balance(account.address);
      await w.claim(hostile, w.leafCell(1), w.stranger);
      ok(w.chain.balance(account.address) - held > gram(1.99));
      await w.claim(a, w.leafCell(2));
      equal(await paid(w), gram(6));
    },
  ),
  scenario("a tree of another network pays nothing", async (w) => {
    const { a } = await paidNetwork(w);
    w.chain.config = configOf(w.prices, testnet);
    w.chain.transactions = [];
    answers((await claimCodes(w, a, w.leafCell(0))).vault, "WrongProof");
    w.chain.config = configOf(w.prices);
    w.chain.transactions = [];
    answers((await claimCodes(w, a, w.leafCell(0))).vault, "fine");
  }),
  scenario("ten silent years later a node is paid what it earned", async (w) => {
    const { a, b, d } = await paidNetwork(w);
    w.chain.now += 10 * 365 * 24 * hour;
    ok(w.chain.isActive(w.vault.address));
    for (const [node, index] of [
      [a, 0],
      [b, 1],
      [d, 3],
    ] as const)
      await w.claim(node, w.leafCell(index), w.stranger);
    equal(await paid(w), gram(81));
    w.chain.now += 10 * 365 * 24 * hour;
    await w.send(w.stranger, { to: a.account.address, value: gram(0.5) });
    equal(await claimed(w, a), gram(60));
  }),
  scenario(
    "prices that rise sixfold between two claims, or fall to a sixth, leave the till solvent",
    async (w) => {
      const { a, b } = await paidNetwork(w);
      const other = w.prices === "today" ? "before2026" : "today";
      await w.chain.send(a.owner, w.claimOf(a, w.leafCell(0)));
      await w.chain.step();
      w.chain.config = configOf(other);
      await w.chain.settle();
      await w.claim(b, w.leafCell(1));
      const { owedNano } = await w.view();
      ok(w.chain.balance(w.vault.address) >= owedNano);
      equal(owedNano + (await paid(w)), gram(100));
    },
  ),
  scenario(
    "nobody is robbed by a leaf whose index an account never had: keys and amounts stay where they are",
    async (w) => {
      const { b } = await paidNetwork(w);
      w.chain.transactions = [];
      // b claims with a's proof on its own account.
      answers((await claimCodes(w, b, w.leafCell(0))).vault, "WrongProof");
      equal(await claimed(w, b), 0n);
      void keyOf;
      void transactionOf;
    },
  ),
];

/** Equal but for the vault's own rent of a day. */
function near(actual: bigint, expected: bigint): void {
  ok(actual >= expected && actual - expected < gram(0.0005), `${actual} instead of ${expected}`);
}

/** The leaf of node a around any path cell. */
function rawLeaf(tree: SumTree, path: Cell, earned = tree.leaf(0)!.earned): Cell {
  return beginCell()
    .storeUint(0, 64)
    .storeCoins(earned)
    .storeUint(tree.leaf(0)!.units, 64)
    .storeMaybeRef(path)
    .endCell();
}
