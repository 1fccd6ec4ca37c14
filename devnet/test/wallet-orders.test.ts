import { ClientChannel } from "@bombyx/contracts/client-channel";
import { NodeAccount } from "@bombyx/contracts/node-account";
import { SumTree } from "@bombyx/contracts/sum-tree";
import { vaultMessages } from "@bombyx/contracts/vault-messages";
import type { NodeEarnings } from "@bombyx/protocol/wire";
import {
  channelIdentity,
  claimOrder,
  closeOrder,
  followOrders,
  type Order,
  type Outcome,
  openChannelOrder,
  PinnedChain,
  topUpOrder,
  transferMs,
  transferOf,
} from "@bombyx/sdk/ton";
import { friendlyAddress } from "@bombyx/sdk/wallet";
import { Address, beginCell, Cell } from "@ton/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { globalId } from "../src/chain/chain-server.ts";
import type { KeyedWallet } from "../src/chain/settlement/operator-keys.ts";
import { LocalWallet } from "../src/wallet/local-wallet.ts";
import { gram, localTon, type TestTon } from "./local-ton.ts";

const day = 24 * 3_600_000;
const never = new AbortController().signal;
const nodeId = 77n;
const hexId = nodeId.toString(16).padStart(64, "0");

let chain: TestTon;
let pinned: PinnedChain;
beforeAll(async () => {
  chain = await localTon("over HTTP");
  // One server by two names: two endpoints that agree.
  pinned = new PinnedChain([chain.url, chain.url.replace("127.0.0.1", "localhost")]);
});
afterAll(() => chain[Symbol.asyncDispose]());

/** Every node so far, each at its place for ever. */
const leaves: { account: Address; earned: bigint; units: bigint }[] = [];
let epoch = 0;

/** Commits that the node of `owner` earned this much, and lets it become final. */
async function earn(owner: Address, earned: bigint): Promise<NodeEarnings> {
  const { settlement, person, send, ton } = chain;
  const { vault, code, operator } = settlement;
  const sponsor = await person(earned + gram(1));
  await send(sponsor, {
    to: vault.address,
    value: earned + gram(0.1),
    body: vaultMessages.sponsorDeposit(1n, earned),
  });
  const account = NodeAccount.fromIdentity({ vault: vault.address, nodeId, owner }, code.nodeAccount).address;
  const known = leaves.findIndex((leaf) => leaf.account.equals(account));
  const index = known < 0 ? leaves.length : known;
  leaves[index] = { account, earned, units: 100n };
  const tree = new SumTree({ globalId, vault: vault.address }, leaves);
  epoch++;
  const root = {
    epoch,
    depth: tree.depth,
    root: tree.root,
    committedNano: tree.total,
    units: BigInt(100 * leaves.length),
    requests: 3n,
    leavesHash: Buffer.alloc(32, 1),
    clientRoot: Buffer.alloc(32, 2),
  };
  await send(operator.committer, {
    to: vault.address,
    value: gram(0.1),
    body: vaultMessages.commitEpoch(root),
  });
  await ton.advance(day);
  return {
    node: hexId,
    machine: null,
    name: "attic",
    payout: owner.toString({ bounceable: false }),
    account: account.toRawString(),
    index,
    earnedNano: String(earned),
    heldNano: "0",
    pendingNano: "0",
    finalNano: String(earned),
    paidNano: "0",
    proof: {
      root: {
        epoch,
        depth: tree.depth,
        root: Buffer.from(tree.root).toString("hex"),
        committedNano: String(tree.total),
        units: String(100 * leaves.length),
        requests: "3",
        leavesHash: "01".repeat(32),
        clientRoot: "02".repeat(32),
      },
      leaf: { index, earnedNano: String(earned), units: "100" },
      path: tree
        .path(index)
        .map(({ sum, hash }) => ({ sum: String(sum), hash: Buffer.from(hash).toString("hex") })),
    },
  };
}

const terms = () => ({ vault: chain.settlement.vault.address.toRawString() });

/** Asks the wallet, as TON Connect does, and watches what comes of it. */
async function carryOut(
  keyed: KeyedWallet,
  order: Order,
  verdict: "approve" | "silence" = "approve",
): Promise<Outcome> {
  const wallet = new LocalWallet(keyed, globalId, async () => chain.ton);
  wallet.verdict = "approve";
  await wallet.connect({ manifestUrl: "https://app.example/m.json", items: [{ name: "ton_addr" }] }, never);
  wallet.verdict = verdict;
  const from = wallet.address.toRawString();
  let now = Date.now();
  const request = transferOf([order], { from, globalId, now });
  const asked = wallet.send(
    "app.example",
    {
      method: "sendTransaction",
      id: "1",
      params: [JSON.stringify({ ...request, valid_until: request.validUntil })],
    },
    never,
  );
  const answer =
    verdict === "silence" ? {} : ((await asked) as { result?: string; error?: { message: string } });
  if ("error" in answer && answer.error) throw new Error(answer.error.message);
  return followOrders({
    chain: pinned,
    wallet: from,
    orders: [order],
    validUntilAt: now + transferMs,
    boc: () => (answer as { result?: string }).result,
    signal: never,
    now: () => now,
    pause: async () => {
      now += 30_000;
    },
  });
}

describe("a claim", () => {
  it("grows the wallet by what was earned less exactly the fee that is told, the first with a deployment", async () => {
    const { ton, person } = chain;
    const owner = await person(gram(2));
    const node = await earn(owner.wallet.address, gram(3));
    const first = claimOrder(node, terms(), false);
    expect(first.init).toBeDefined();
    const before = ton.balance(owner.wallet.address);
    const outcome = await carryOut(owner, first);
    if (outcome.kind !== "done") throw new Error(JSON.stringify(outcome));
    expect(outcome.paidNano).toBe(gram(3));
    expect(ton.balance(owner.wallet.address)).toBe(before + outcome.paidNano - outcome.feeNano);
    // Told before, and near what it was.
    expect(Number(outcome.feeNano)).toBeGreaterThan(Number(first.feeNano) * 0.5);
    expect(Number(outcome.feeNano)).toBeLessThan(Number(first.feeNano) * 1.5);

    // A second claim of the same is refused by the account itself, and says by which rule.
    const again = await carryOut(owner, claimOrder(node, terms(), true));
    expect(again).toMatchObject({ kind: "refused", refusal: "NothingDue", code: 140 });
    expect(ton.balance(owner.wallet.address)).toBeLessThan(before + gram(3));

    // The next epoch pays the difference, without a deployment.
    const next = await earn(owner.wallet.address, gram(5));
    const then = ton.balance(owner.wallet.address);
    const paid = await carryOut(owner, claimOrder(next, terms(), true));
    if (paid.kind !== "done") throw new Error(JSON.stringify(paid));
    expect(paid.paidNano).toBe(gram(2));
    expect(ton.balance(owner.wallet.address)).toBe(then + gram(2) - paid.feeNano);
  });

  it("of more than the final root says is refused by the vault, and costs only its fee", async () => {
    const { ton, person } = chain;
    const owner = await person(gram(2));
    const node = await earn(owner.wallet.address, gram(5));
    const proof = node.proof;
    if (!proof) throw new Error("there is no proof");
    const inflated = { ...node, proof: { ...proof, leaf: { ...proof.leaf, earnedNano: String(gram(6)) } } };
    const before = ton.balance(owner.wallet.address);
    const outcome = await carryOut(owner, claimOrder(inflated, terms(), false));
    expect(outcome).toMatchObject({ kind: "refused", refusal: "WrongProof", code: 163 });
    if (outcome.kind !== "refused") return;
    expect(ton.balance(owner.wallet.address)).toBe(before - outcome.feeNano);
    expect(outcome.feeNano).toBeLessThan(gram(0.02));
    // Its untampered twin.
    expect(await carryOut(owner, claimOrder(node, terms(), true))).toMatchObject({
      kind: "done",
      paidNano: gram(5),
    });
  });

  it("from a wallet with too little is told as not sent", async () => {
    const { person, ton } = chain;
    const owner = await person(gram(1));
    const node = { ...(await earn(owner.wallet.address, gram(6))) };
    const poor = claimOrder(node, terms(), false);
    const outcome = await carryOut(owner, { ...poor, attachNano: gram(50) });
    expect(outcome).toEqual({ kind: "not-sent" });
    expect(ton.account(Address.parseRaw(poor.to))).toBeUndefined();
  });

  it("that a wallet never answers is over when it is not valid any more", async () => {
    const { person } = chain;
    const owner = await person(gram(2));
    const order = { ...claimOrder(await earn(owner.wallet.address, gram(7)), terms(), false) };
    expect(await carryOut(owner, order, "silence")).toEqual({ kind: "expired" });
  });
});

describe("a channel", () => {
  const hour = 3_600_000;
  const identityOf = ({ wallet }: KeyedWallet, salt: string) =>
    channelIdentity({ globalId, owner: wallet.address.toRawString(), vault: terms().vault, salt });

  it("is opened, topped up, asked to close and withdrawn by its owner's wallet, and the rest comes back", async () => {
    const { client, ton, person } = chain;
    const owner = await person(gram(10));
    const voucherKey = "ab".repeat(32);
    const opening = openChannelOrder(identityOf(owner, "7"), voucherKey, gram(2));
    const opened = await carryOut(owner, opening);
    expect(opened).toMatchObject({ kind: "done", paidNano: 0n });
    const contract = client.open(new ClientChannel(Address.parseRaw(opening.to)));
    const first = await contract.getChannel();
    expect(first).toMatchObject({ state: "open", salt: 7n });
    expect(first.voucherKey?.toString("hex")).toBe(voucherKey);
    expect(first.balanceNano).toBeGreaterThan(gram(1.99));

    await carryOut(owner, topUpOrder(opening.to, gram(1)));
    expect((await contract.getChannel()).balanceNano).toBeGreaterThan(gram(2.99));

    expect(await carryOut(owner, closeOrder(opening.to))).toMatchObject({ kind: "done" });
    expect(await contract.getChannel()).toMatchObject({ state: "closing" });
    // Before the 72 hours are over nothing comes back, and the contract says why.
    expect(await carryOut(owner, closeOrder(opening.to))).toMatchObject({
      kind: "refused",
      refusal: "StillClosing",
    });
    await ton.advance(72 * hour);
    const before = ton.balance(owner.wallet.address);
    const withdrawn = await carryOut(owner, closeOrder(opening.to));
    expect(withdrawn).toMatchObject({ kind: "done" });
    expect(await contract.getChannel()).toMatchObject({ state: "closed" });
    expect(ton.balance(owner.wallet.address)).toBeGreaterThan(before + gram(2.97));
  });

  it("takes orders of its owner alone", async () => {
    const { person } = chain;
    const [owner, stranger] = [await person(gram(5)), await person(gram(5))];
    const opening = openChannelOrder(identityOf(owner, "8"), "cd".repeat(32), gram(1));
    await carryOut(owner, opening);
    expect(await carryOut(stranger, closeOrder(opening.to))).toMatchObject({
      kind: "refused",
      refusal: "NotOwner",
    });
    expect(await carryOut(owner, closeOrder(opening.to))).toMatchObject({ kind: "done" });
  });
});

describe("pinned endpoints", () => {
  const address = () => chain.settlement.vault.address.toRawString();
  const through = (change: (url: string, answer: unknown) => unknown) =>
    new PinnedChain([chain.url, chain.url.replace("127.0.0.1", "localhost")], async (url, init) => {
      const answer: unknown = await (await fetch(url, init)).json();
      return Response.json(change(url, answer));
    });

  it("are believed when two agree", async () => {
    expect((await pinned.account(address(), never)).state).toBe("active");
    expect((await pinned.transactions(address(), never)).length).toBeGreaterThan(1);
  });

  it("are not believed alone, nor when one makes up a balance", async () => {
    const alone = new PinnedChain([chain.url, chain.url]);
    await expect(alone.account(address(), never)).rejects.toMatchObject({ code: "CHAIN_UNAVAILABLE" });
    const richer = through((url, answer) =>
      url.includes("localhost")
        ? { ...(answer as object), result: { ...(answer as { result: object }).result, balance: "1" } }
        : answer,
    );
    await expect(richer.account(address(), never)).rejects.toMatchObject({ code: "CHAIN_UNAVAILABLE" });
  });

  it("cannot make up a transaction together, for each is hashed here", async () => {
    const forged = beginCell().storeUint(7, 8).endCell().toBoc().toString("base64");
    const honest = await pinned.transactions(address(), never);
    const lying = through((_, answer) => {
      const { result } = answer as { result: { data: string }[] };
      return { ok: true, result: result.map((one, place) => (place === 0 ? { ...one, data: forged } : one)) };
    });
    expect(await lying.transactions(address(), never)).toHaveLength(honest.length - 1);
  });
});

it("an address is written as the TON library writes it", () => {
  const raw = chain.settlement.vault.address.toRawString();
  for (const form of [
    { bounceable: true, testOnly: false },
    { bounceable: false, testOnly: true },
  ]) {
    expect(friendlyAddress(raw, form)).toBe(Address.parseRaw(raw).toString(form));
  }
  expect(() => friendlyAddress("UQ", { bounceable: true, testOnly: false })).toThrow(/64 hex digits/);
  expect(Cell.EMPTY.bits.length).toBe(0);
});
