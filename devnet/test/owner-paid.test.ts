import { createHash } from "node:crypto";
import { verifyClientLeaf } from "@bombyx/contracts/client-tree";
import { codeOf } from "@bombyx/contracts/code";
import { packLeaf } from "@bombyx/contracts/leaf";
import { claimMessage, NodeAccount } from "@bombyx/contracts/node-account";
import { refusalOf } from "@bombyx/contracts/refusal";
import { vaultOps } from "@bombyx/contracts/vault-messages";
import {
  type AccountEvent,
  clientProofSchema,
  type Earnings,
  earningsSchema,
  type NodeEarnings,
  type SettlementJson,
  settlementSchema,
} from "@bombyx/protocol/wire";
import { type Address, internal, SendMode, type Transaction } from "@ton/core";
import { afterAll, beforeAll, expect, it } from "vitest";
import * as z from "zod";
import type { KeyedWallet } from "../src/chain/settlement/operator-keys.ts";
import { gram } from "./local-ton.ts";
import { type SettledNetwork, startSettledNetwork } from "./settled-network.ts";
import "./patience.ts";

const day = 24 * 3_600_000;
let network: SettledNetwork;
let ownerKey: string;
let node: string;

beforeAll(async () => {
  network = await startSettledNetwork({ nodes: 1, pace: 0 });
  const made = await network.admin(
    ["keys", "create", "--developer", "owner-of-alder"],
    z.object({ key: z.string() }),
  );
  ownerKey = made.key;
  node = network.nodes[0]?.node ?? "";
});
afterAll(() => network[Symbol.asyncDispose]());

async function get<T>(path: string, schema: z.ZodType<T>, key = ownerKey): Promise<T> {
  const response = await fetch(`${network.gateway.url}${path}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  expect(response.status, path).toBe(200);
  return schema.parse(await response.json());
}

const settlement = (): Promise<SettlementJson> => get("/v1/settlement", settlementSchema);
const earnings = (): Promise<Earnings> => get("/v1/owner/earnings", earningsSchema);
async function ofNode(): Promise<NodeEarnings> {
  const found = (await earnings()).nodes.find((one) => one.node === node);
  if (!found) throw new Error("the owner has no such node");
  return found;
}

async function ask(): Promise<number> {
  const { status } = await fetch(`${network.proxy.url}/chat/completions`, {
    method: "POST",
    headers: { authorization: `Bearer ${network.apiKey}`, "content-type": "application/json" },
    body: JSON.stringify({
      model: "spark",
      max_tokens: 64,
      messages: [{ role: "user", content: "What is the capital of France?" }],
    }),
  });
  return status;
}

const until = async <T>(read: () => Promise<T>, is: (value: T) => boolean): Promise<T> => {
  let last: T | undefined;
  await expect
    .poll(
      async () => {
        last = await read();
        return is(last);
      },
      { timeout: 60_000, interval: 100 },
    )
    .toBe(true);
  return last as T;
};

const accountOf = (owner: KeyedWallet): NodeAccount =>
  NodeAccount.fromIdentity(
    {
      vault: network.settled.settlement.vault.address,
      nodeId: BigInt(`0x${node}`),
      owner: owner.wallet.address,
    },
    codeOf("node-account"),
  );

/** The owner's wallet claims with the proof that the gateway serves, as the Mini App has it do. */
async function claim(owner: KeyedWallet, { proof }: NodeEarnings): Promise<void> {
  if (!proof) throw new Error("there is no proof");
  const account = accountOf(owner);
  const leaf = packLeaf(
    {
      index: proof.leaf.index,
      earned: BigInt(proof.leaf.earnedNano),
      units: BigInt(proof.leaf.units),
    },
    proof.path.map(({ sum, hash }) => ({ sum: BigInt(sum), hash: Buffer.from(hash, "hex") })),
  );
  const wallet = network.client.open(owner.wallet);
  await wallet.sendTransfer({
    seqno: await wallet.getSeqno(),
    secretKey: owner.keys.secretKey,
    sendMode: SendMode.PAY_GAS_SEPARATELY,
    messages: [
      internal({
        to: account.address,
        value: gram(0.05),
        bounce: true,
        init: account.init ?? null,
        body: claimMessage(leaf),
      }),
    ],
  });
  await network.chainOfMoney.settled();
}

const transactionsOf = (address: Address): Promise<Transaction[]> =>
  network.client.getTransactions(address, { limit: 20 });

/** What the chain took of the value that moved in these transactions. */
const feesOf = (transactions: readonly Transaction[]): bigint =>
  transactions.reduce(
    (sum, { totalFees, outMessages }) =>
      sum +
      totalFees.coins +
      outMessages
        .values()
        .reduce((fees, { info }) => fees + (info.type === "internal" ? info.forwardFee : 0n), 0n),
    0n,
  );

it("pays an owner exactly what was earned, once, and everybody can check it", async () => {
  const owner = network.settled.owners.get("alder");
  if (!owner) throw new Error("alder has no owner");
  const { chainOfMoney, client } = network;

  // A person asks, the node answers, its receipt settles.
  expect(await ask()).toBe(200);
  expect(await ask()).toBe(200);
  const earned = await until(ofNode, ({ earnedNano }) => earnedNano !== "0");
  expect(earned).toMatchObject({
    payout: owner.wallet.address.toRawString(),
    account: accountOf(owner).address.toRawString(),
    index: 0,
    heldNano: "0",
    finalNano: "0",
    paidNano: "0",
    proof: null,
  });

  // An epoch is committed; nobody can claim while it is pending.
  const { pending } = await until(settlement, (now) => now.pending !== null);
  expect(pending?.epoch).toBe(1);
  expect((pending?.finalAt ?? 0) - (pending?.sinceAt ?? 0)).toBe(day);
  expect((await ofNode()).proof).toBeNull();
  const leaves = await fetch(`${network.gateway.url}/v1/settlement/epochs/1/leaves`);
  const file = Buffer.from(await leaves.arrayBuffer());
  expect(createHash("sha256").update(file).digest("hex")).toBe(pending?.leavesHash);

  // 24 hours later on the chain's clock it is final.
  await chainOfMoney.advance(day);
  const due = await until(ofNode, ({ finalNano }) => finalNano !== "0");
  const { final } = await settlement();
  expect(due.proof?.root).toEqual(final);
  expect(due.finalNano).toBe(final?.committedNano);
  expect(BigInt(due.finalNano)).toBeLessThanOrEqual(BigInt(due.earnedNano));
  const claimed = BigInt(due.finalNano);
  expect(claimed).toBeGreaterThan(0n);

  // The owner claims: the wallet grows by exactly that, less what the chain took.
  await chainOfMoney.faucet(owner.wallet.address, gram(1));
  await chainOfMoney.settled();
  const before = chainOfMoney.balance(owner.wallet.address);
  const vaultBefore = chainOfMoney.balance(network.settled.settlement.vault.address);
  await claim(owner, due);
  const after = chainOfMoney.balance(owner.wallet.address);
  const { claimedNano } = await client.open(accountOf(owner)).getAccount();
  expect(claimedNano).toBe(claimed);
  const ofWallet = await transactionsOf(owner.wallet.address);
  const payout = ofWallet.find(({ inMessage }) => {
    const body = inMessage?.body.beginParse();
    return body !== undefined && body.remainingBits >= 32 && body.loadUint(32) === vaultOps.payout;
  });
  expect(payout?.inMessage?.body.beginParse().skip(96).loadCoins()).toBe(claimed);
  const vaultTook = vaultBefore - chainOfMoney.balance(network.settled.settlement.vault.address);
  expect(vaultTook - claimed).toBeLessThan(gram(0.001));
  const fee = before + claimed - after;
  expect(fee).toBeGreaterThan(0n);
  const rent = chainOfMoney.balance(accountOf(owner).address);
  expect(fee - rent).toBeLessThan(gram(0.03));
  expect(feesOf(ofWallet)).toBeGreaterThan(0n);

  // A second claim with the same proof gets nothing.
  await claim(owner, due);
  const [again] = await transactionsOf(accountOf(owner).address);
  expect(again && refusalOf(again)?.refusal).toBe("NothingDue");
  expect(chainOfMoney.balance(owner.wallet.address)).toBeLessThan(after);
  expect((await client.open(accountOf(owner)).getAccount()).claimedNano).toBe(claimed);

  // The gateway sees it on the chain.
  const paid = await until(ofNode, ({ paidNano }) => paidNano !== "0");
  expect(paid.paidNano).toBe(String(claimed));
  const { days } = await earnings();
  expect(days.reduce((sum, { paidNano }) => sum + BigInt(paidNano), 0n)).toBe(claimed);
  expect(days.reduce((sum, { earnedNano }) => sum + BigInt(earnedNano), 0n)).toBe(BigInt(paid.earnedNano));

  // The owner was told; the one who asked can prove what it used, and reads nobody else's.
  expect(await firstEvent("payout.ready")).toMatchObject({
    account: "developer:owner-of-alder",
    message: expect.stringMatching(/^0\.\d+ GRAM more can be claimed\.$/),
  });
  const proof = await get("/v1/account/usage-proof", clientProofSchema, network.apiKey);
  const bytes = (hex: string) => Buffer.from(hex, "hex");
  const line = {
    salt: bytes(proof.leaf.salt),
    account: bytes(proof.leaf.account),
    amount: BigInt(proof.leaf.amountNano),
  };
  const verify = (amount: bigint) =>
    verifyClientLeaf(
      bytes(proof.root.clientRoot),
      { ...line, amount },
      proof.leaf.index,
      proof.path.map(bytes),
    );
  expect(proof.root).toEqual(final);
  expect(verify(line.amount)).toBe(true);
  expect(verify(line.amount - 1n)).toBe(false);
});

it("goes on after the gateway was killed while a root was pending, and a final earning is claimed without it", async () => {
  const owner = network.settled.owners.get("alder");
  if (!owner) throw new Error("alder has no owner");
  const { chainOfMoney, client } = network;
  const before = await ofNode();
  expect(await ask()).toBe(200);
  const { pending } = await until(settlement, (now) => now.pending?.epoch === 2);
  await network.killGateway();
  await chainOfMoney.advance(day);
  await network.restartGateway();
  const after = await until(ofNode, ({ proof }) => proof?.root.epoch === 2);
  expect(after.proof?.root.root).toBe(pending?.root);
  expect(BigInt(after.finalNano)).toBeGreaterThan(BigInt(before.finalNano));
  expect(after.paidNano).toBe(before.paidNano);
  expect(after.index).toBe(before.index);

  // The operator is gone: chain and proof suffice.
  await network.killGateway();
  await claim(owner, after);
  expect((await client.open(accountOf(owner)).getAccount()).claimedNano).toBe(BigInt(after.finalNano));

  // Back again, it has seen on the chain what was paid meanwhile.
  await network.restartGateway();
  const seen = await until(ofNode, ({ paidNano }) => paidNano === after.finalNano);
  expect(seen.earnedNano).toBe(after.earnedNano);
});

async function firstEvent(type: AccountEvent["type"]): Promise<AccountEvent> {
  const response = await fetch(`${network.gateway.url}/v1/events?after=0`, {
    headers: { authorization: `Bearer ${ownerKey}` },
  });
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString("utf8");
    const found = text
      .split("\n")
      .filter((line) => line.startsWith("data: "))
      .map((line) => JSON.parse(line.slice(6)) as AccountEvent)
      .find((event) => event.type === type);
    if (found) return found;
  }
  throw new Error(`no event ${type}`);
}
