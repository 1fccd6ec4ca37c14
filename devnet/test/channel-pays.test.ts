import { channelMessages } from "@bombyx/contracts/client-channel";
import { memoryStore, type OwnReceipt, totalOf, VoucherSigner } from "@bombyx/sdk/payment";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Explorer } from "../src/chain/explorer/explorer.ts";
import { gram as asGram } from "../src/chain/explorer/gram.ts";
import { type ChannelNetwork, gram, question, startChannelNetwork, until } from "./channel-network.ts";
import { openLedgerFile } from "./ledger-file.ts";
import "./patience.ts";

/** An answer costs 2,560 nano or a little more at the built-in price. */
const unsignedLimitNano = 30_000n;
let paid: ChannelNetwork;
beforeAll(async () => {
  paid = await startChannelNetwork({
    terms: {
      redeemAboveNano: "1",
      unsignedLimitNano: `${unsignedLimitNano}`,
      unsignedMostNano: `${unsignedLimitNano}`,
    },
  });
});
afterAll(() => paid?.[Symbol.asyncDispose]());

describe("a developer with a wallet and no allowance", () => {
  it("opens a channel, asks, signs what receipts say, and the vault receives it", async () => {
    const ann = await paid.developer("ann");
    const before = ann.client();
    await expect(before.chat.completions.create(question)).rejects.toMatchObject({ status: 402 });
    before.close();

    const channel = await ann.openChannel(gram(2));
    const { depositNano } = await channel.seen();
    // Everything but fees and the contract's rent can be spent.
    expect(BigInt(depositNano)).toBeGreaterThan(gram(1.99));
    const vaultBefore = await paid.vault();

    const payment = channel.pays();
    const client = ann.client({ payment });
    const answer = await client.chat.completions.create(question);
    expect(answer.choices[0].message.content).toMatch(/Paris/);
    const costNano = BigInt(answer.bombyx.costNano);
    expect(costNano).toBeGreaterThan(0n);
    await payment.flush();
    expect(channel.signer.signedNano).toBe(costNano);
    expect(await channel.seen()).toMatchObject({
      spentNano: `${costNano}`,
      reservedNano: "0",
      voucher: { total: `${costNano}`, voucherKey: channel.signer.voucherKey },
    });

    await until(channel, ({ redeemedNano }) => redeemedNano === `${costNano}`);
    expect((await channel.onChain()).redeemedNano).toBe(costNano);
    const vault = await paid.vault();
    const fee = costNano / 10n;
    expect(vault.nodesCreditNano - vaultBefore.nodesCreditNano).toBe(costNano - fee);
    expect(vault.feeDueNano - vaultBefore.feeDueNano).toBe(fee);

    const explorer = new Explorer(paid.ton, paid.settled.settlement);
    const report = await explorer.account(channel.contract.address);
    expect(report.facts).toContainEqual(["redeemed", asGram(costNano)]);
    await payment.close();
    client.close();
  });

  it("is stopped at the limit when it signs nothing, and goes on when it has signed", async () => {
    const bob = await paid.developer("bob");
    const channel = await bob.openChannel(gram(1));
    const client = bob.client();
    let refusal: unknown;
    for (let asked = 0; refusal === undefined && asked < 40; asked++) {
      await client.chat.completions.create(question).catch((error: unknown) => {
        refusal = error;
      });
    }
    const { spentNano, reservedNano } = await channel.seen();
    expect(refusal).toMatchObject({ code: "VOUCHER_REQUIRED", status: 402, totalNano: spentNano });
    // One more answer at most, and nothing is held for what was refused.
    expect(BigInt(spentNano)).toBeGreaterThanOrEqual(unsignedLimitNano);
    expect(BigInt(spentNano)).toBeLessThan(2n * unsignedLimitNano);
    expect(reservedNano).toBe("0");

    const backup = await VoucherSigner.restore(channel.signer.backup, BigInt(spentNano), memoryStore());
    const voucher = await backup.voucher();
    if (!voucher) throw new Error("nothing was signed");
    expect(await channel.put(voucher)).toEqual({ status: 200, error: undefined });
    const answer = await client.chat.completions.create(question);
    expect(answer.choices[0].message.content).toMatch(/Paris/);
    client.close();
  });

  it("signs as it goes when its channel pays for much at once, and never more than its receipts say", async () => {
    const cas = await paid.developer("cas");
    const channel = await cas.openChannel(gram(1));
    const payment = channel.pays();
    const client = cas.client({ payment });
    // More than may be unsigned, and more at the same time than may run unsigned; no more than the node's queue holds.
    const answers = await Promise.all(
      Array.from({ length: 16 }, () => client.chat.completions.create(question)),
    );
    const costNano = answers.reduce((sum, { bombyx }) => sum + BigInt(bombyx.costNano), 0n);
    expect(costNano).toBeGreaterThan(unsignedLimitNano);
    await payment.flush();
    expect(channel.signer.signedNano).toBe(costNano);
    expect((await channel.seen()).spentNano).toBe(`${costNano}`);
    await payment.close();
    client.close();
  });

  it("pays for an answer that it cut off, by the receipt that the gateway has of it", async () => {
    const dan = await paid.developer("dan");
    const channel = await dan.openChannel(gram(1));
    const payment = channel.pays();
    const client = dan.client({ payment });
    const stream = await client.chat.completions.create({
      ...question,
      messages: [{ role: "user", content: "Please tell me a story about a penguin." }],
      stream: true,
    });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    const { spentNano } = await until(channel, (seen) => seen.spentNano !== "0" && seen.reservedNano === "0");
    expect(channel.signer.checkedNano).toBe(0n);
    await payment.flush();
    expect(channel.signer.signedNano).toBe(BigInt(spentNano));
    await payment.close();
    client.close();
  });

  it("tops up, and may spend that, too", async () => {
    const eve = await paid.developer("eve");
    const channel = await eve.openChannel(gram(1));
    const before = BigInt((await channel.seen()).depositNano);
    await channel.topUp(gram(3));
    const after = await until(channel, ({ depositNano }) => BigInt(depositNano) > before);
    const grown = BigInt(after.depositNano) - before;
    expect(grown).toBeGreaterThan(gram(2.99));
    expect(grown).toBeLessThanOrEqual(gram(3));
  });
});

describe("a voucher key", () => {
  it("has one signer: the one that does not know of the other's vouchers is told before it asks anything", async () => {
    const fay = await paid.developer("fay");
    const channel = await fay.openChannel(gram(1));
    const copy = await VoucherSigner.restore(channel.signer.backup, 0n, memoryStore());
    const payment = channel.pays();
    const client = fay.client({ payment });
    await client.chat.completions.create(question);
    await payment.flush();
    client.close();
    const { spentNano } = await channel.seen();

    const { ChannelPayment } = await import("@bombyx/sdk/payment");
    const second = fay.client({ payment: new ChannelPayment(copy) });
    await expect(second.chat.completions.create(question)).rejects.toMatchObject({
      code: "SECOND_SIGNER",
      message: expect.stringContaining("this store has signed 0"),
    });
    second.close();
    expect((await channel.seen()).spentNano).toBe(spentNano);
  });

  it("is gone on with from its own receipts after its state was lost", async () => {
    const gus = await paid.developer("gus");
    const channel = await gus.openChannel(gram(1));
    const journal: OwnReceipt[] = [];
    const payment = channel.pays({ journal: (receipt) => void journal.push(receipt) });
    const client = gus.client({ payment });
    for (let n = 0; n < 3; n++) await client.chat.completions.create(question);
    await payment.flush();
    client.close();
    const { spentNano } = await channel.seen();

    const total = await totalOf(journal);
    expect(total).toBe(BigInt(spentNano));
    const { ChannelPayment } = await import("@bombyx/sdk/payment");
    const heir = await VoucherSigner.restore(channel.signer.backup, total, memoryStore());
    const paying = new ChannelPayment(heir);
    const again = gus.client({ payment: paying });
    const answer = await again.chat.completions.create(question);
    await paying.flush();
    expect(heir.signedNano).toBe(total + BigInt(answer.bombyx.costNano));
    expect((await channel.seen()).voucher?.total).toBe(`${heir.signedNano}`);
    again.close();
  });

  it("is rotated by its owner: the old key's voucher is redeemed at once, the new key signs on", async () => {
    const hal = await paid.developer("hal");
    const channel = await hal.openChannel(gram(1));
    const payment = channel.pays();
    const client = hal.client({ payment });
    await client.chat.completions.create(question);
    await payment.flush();
    const old = channel.signer.voucherKey;
    const next = await channel.signer.rotate();
    await channel.message(channelMessages.setKey(Buffer.from(next, "hex")));
    const seen = await until(channel, ({ voucherKey }) => voucherKey === next);
    expect(seen.previousKey).toMatchObject({ key: old });
    await until(channel, ({ redeemedNano, spentNano }) => redeemedNano === spentNano);
    // What was under way with the old key still counts; what comes after is signed by the new one.
    for (let n = 0; n < 2; n++) {
      await client.chat.completions.create(question);
      await payment.flush();
    }
    expect(channel.signer.voucherKey).toBe(next);
    expect((await channel.seen()).voucher).toMatchObject({
      voucherKey: next,
      total: `${channel.signer.signedNano}`,
    });
    await until(channel, ({ redeemedNano, spentNano }) => redeemedNano === spentNano);
    client.close();
  });
});

it("leaves the books in order", async () => {
  await using ledger = await openLedgerFile(paid.network.gatewayData);
  expect(await ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
});
