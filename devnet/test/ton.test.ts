import { randomBytes } from "node:crypto";
import { ClientChannel, channelMessages, voucherHash } from "@bombyx/contracts/client-channel";
import { packLeaf } from "@bombyx/contracts/leaf";
import { claimMessage, NodeAccount } from "@bombyx/contracts/node-account";
import { SumTree } from "@bombyx/contracts/sum-tree";
import { vaultMessages } from "@bombyx/contracts/vault-messages";
import { Address, beginCell, comment, external, storeMessage } from "@ton/core";
import { sign as signHash } from "@ton/crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { globalId } from "../src/chain/chain-server.ts";
import { doors, emptyTransfer, gram, localTon, type TestTon } from "./local-ton.ts";

const hour = 3_600_000;

describe.each(doors)("local TON %s", (door) => {
  let chain: TestTon;
  beforeAll(async () => {
    chain = await localTon(door);
  });
  afterAll(() => chain[Symbol.asyncDispose]());

  it("carries Vault and Registry from the start, with the operator's keys in them", async () => {
    const { client, settlement } = chain;
    const { operator } = settlement;
    const vault = await client.open(settlement.vault).getVault();
    expect(vault.owner.equals(operator.owner.wallet.address)).toBe(true);
    expect(vault.ackKey.equals(operator.ack.publicKey)).toBe(true);
    expect(vault.lastEpoch).toBe(0);
    const registry = await client.open(settlement.registry).getRegistry();
    expect(registry.guardian.equals(operator.guardian.wallet.address)).toBe(true);
    expect(registry.paused).toBe(false);
  });

  it("has a faucet, and money moves from wallet to wallet with every message to be found", async () => {
    const { client, ton, person, send } = chain;
    const alice = await person(gram(5));
    expect(await client.getBalance(alice.wallet.address)).toBe(gram(5));
    expect(await client.isContractDeployed(alice.wallet.address)).toBe(false);
    const bob = await person(gram(1));
    await send(alice, {
      to: bob.wallet.address,
      value: gram(2),
      bounce: false,
      body: comment("for the llamas"),
    });

    expect(await client.getBalance(bob.wallet.address)).toBeGreaterThan(gram(2.99));
    expect(await client.getBalance(alice.wallet.address)).toBeLessThan(gram(3));
    expect(await client.open(alice.wallet).getSeqno()).toBe(1);
    const [last] = await client.getTransactions(alice.wallet.address, { limit: 1 });
    const out = last?.outMessages.get(0);
    if (out?.info.type !== "internal") throw new Error("the wallet sent nothing");
    const arrived = await client.tryLocateResultTx(
      alice.wallet.address,
      bob.wallet.address,
      String(out.info.createdLt),
    );
    expect(arrived.inMessage?.body.equals(comment("for the llamas"))).toBe(true);
    const source = await client.tryLocateSourceTx(
      alice.wallet.address,
      bob.wallet.address,
      String(out.info.createdLt),
    );
    expect(source.hash()).toEqual(last?.hash());
    const again = await client.getTransaction(
      alice.wallet.address,
      String(last?.lt),
      last?.hash().toString("base64") ?? "",
    );
    expect(again?.hash()).toEqual(last?.hash());

    // Page by page, as a watcher reads an account to its beginning.
    const [second] = await client.getTransactions(alice.wallet.address, {
      limit: 1,
      lt: String(last?.lt),
      hash: last?.hash().toString("base64") ?? "",
    });
    expect(second?.lt).toBe(last?.prevTransactionLt);
    expect(ton.transactions.count()).toBeGreaterThan(10);
  });

  it("says what a transfer would cost, and it costs that", async () => {
    const { client, person, send } = chain;
    const alice = await person(gram(5));
    const { address, init } = alice.wallet;
    await send(alice, { to: address, value: 1n, bounce: false });
    const body = emptyTransfer(alice, 1);
    const { source_fees: fees } = await client.estimateExternalMessageFee(address, {
      body,
      initCode: null,
      initData: null,
      ignoreSignature: true,
    });
    expect(init).toBeDefined();
    await client.sendExternalMessage(alice.wallet, body);
    const [done] = await client.getTransactions(address, { limit: 1 });
    const said = fees.in_fwd_fee + fees.storage_fee + fees.gas_fee + fees.fwd_fee;
    expect(Math.abs(Number(done?.totalFees.coins) - said)).toBeLessThan(1_000);
  });

  it("goes from a deposit to a payout: open, redeem, commit, 24 hours, claim", async () => {
    const { client, settlement, ton, person, send } = chain;
    const { vault, code, operator } = settlement;
    const client1 = await person(gram(20));
    const voucherKey = operator.ack; // any Ed25519 key will do
    const channel = ClientChannel.fromIdentity(
      { owner: client1.wallet.address, vault: vault.address, salt: 1n },
      code.clientChannel,
    );
    await send(client1, {
      to: channel.address,
      value: gram(11),
      init: channel.init ?? null,
      body: channelMessages.setKey(voucherKey.publicKey),
    });
    expect(await client.open(channel).getChannel()).toMatchObject({ state: "open", redeemedNano: 0n });

    const voucher = voucherHash(globalId, channel.address, vault.address, gram(10));
    await send(client1, {
      to: channel.address,
      value: gram(0.1),
      body: channelMessages.redeem(gram(10), signHash(voucher, voucherKey.secretKey)),
    });
    expect(await client.open(vault).getVault()).toMatchObject({
      nodesCreditNano: gram(9),
      feeDueNano: gram(1),
    });

    const owner = await person(gram(1));
    const node = NodeAccount.fromIdentity(
      { vault: vault.address, nodeId: 7n, owner: owner.wallet.address },
      code.nodeAccount,
    );
    const tree = new SumTree({ globalId, vault: vault.address }, [
      { account: node.address, earned: gram(8), units: 100n },
    ]);
    const root = {
      epoch: 1,
      depth: tree.depth,
      root: tree.root,
      committedNano: tree.total,
      units: 100n,
      requests: 3n,
      leavesHash: Buffer.alloc(32, 1),
      clientRoot: Buffer.alloc(32, 2),
    };
    await send(operator.committer, {
      to: vault.address,
      value: gram(0.1),
      body: vaultMessages.commitEpoch(root),
    });
    const leaf = tree.leaf(0);
    if (!leaf) throw new Error("the tree is empty");
    const claim = {
      to: node.address,
      value: gram(0.1),
      init: node.init ?? null,
      body: claimMessage(packLeaf(leaf, tree.path(0))),
    };
    const before = await client.getBalance(owner.wallet.address);
    await send(owner, claim);
    // Not final yet: the money stays where it is.
    expect(await client.getBalance(owner.wallet.address)).toBeLessThan(before);
    expect(await client.open(vault).getVault()).toMatchObject({ paidNano: 0n, finalRoot: undefined });

    const seqno = ton.seqno();
    await ton.advance(24 * hour);
    expect(ton.seqno() - seqno).toBeLessThan(60);
    expect((await client.open(vault).getVault()).finalRoot?.epoch).toBe(1);
    await send(owner, claim);
    expect(await client.getBalance(owner.wallet.address)).toBeGreaterThan(before + gram(7.9));
    expect(await client.open(node).getAccount()).toMatchObject({ claimedNano: gram(8) });
    expect(await client.open(vault).getVault()).toMatchObject({ paidNano: gram(8) });
  });

  it("answers an account that is not there as a node does", async () => {
    const { client } = chain;
    const nobody = new Address(0, randomBytes(32));
    expect(await client.getContractState(nobody)).toMatchObject({ state: "uninitialized", balance: 0n });
    await expect(client.runMethod(nobody, "seqno")).rejects.toThrow(/exit_code: -13/);
    expect(await client.getTransactions(nobody, { limit: 5 })).toEqual([]);
  });

  it("shows blocks with their transactions", async () => {
    const { client, person } = chain;
    const someone = await person(gram(1));
    const [tx] = await client.getTransactions(someone.wallet.address, { limit: 1 });
    const { latestSeqno } = await client.getMasterchainInfo();
    const blocks = Array.from({ length: 30 }, (_, back) => latestSeqno - back).filter((one) => one > 0);
    const found = await Promise.all(
      blocks.map(async (seqno) => {
        const [shard] = await client.getWorkchainShards(seqno);
        if (!shard) throw new Error("no shard");
        return client.getShardTransactions(shard.workchain, shard.seqno, shard.shard);
      }),
    );
    expect(found.flat().map(({ lt }) => lt)).toContain(String(tx?.lt));
  });

  it("refuses what no account takes in, and says why", async () => {
    const { client, person, send } = chain;
    await expect(client.sendFile(Buffer.from("this is no bag of cells"))).rejects.toThrow();
    // The faucet signs nothing, so nobody but its own door may order it.
    const order = external({ to: chain.ton.faucetAddress, body: beginCell().endCell() });
    const ordered = beginCell().store(storeMessage(order)).endCell().toBoc();
    await expect(client.sendFile(ordered)).rejects.toThrow(door === "in process" ? /its own door/ : /422/);
    const alice = await person(gram(2));
    await send(alice, { to: alice.wallet.address, value: 1n, bounce: false });
    const balance = await client.getBalance(alice.wallet.address);
    const boc = (seqno: number, secretKey = alice.keys.secretKey) =>
      beginCell()
        .store(
          storeMessage(external({ to: alice.wallet.address, body: emptyTransfer(alice, seqno, secretKey) })),
        )
        .endCell()
        .toBoc();
    await expect(client.sendFile(boc(0))).rejects.toThrow();
    await expect(
      client.sendFile(boc(1, Buffer.concat([randomBytes(32), randomBytes(32)]))),
    ).rejects.toThrow();
    expect(await client.getBalance(alice.wallet.address)).toBe(balance);
    // The untampered twin.
    await client.sendFile(boc(1));
    expect(await client.open(alice.wallet).getSeqno()).toBe(2);
    await expect(client.sendFile(boc(1))).rejects.toThrow();
  });
});
