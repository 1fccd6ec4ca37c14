import { channelOps } from "@bombyx/contracts/client-channel";
import { vaultOps } from "@bombyx/contracts/vault-messages";
import { expect, it } from "vitest";
import {
  type ChannelNetwork,
  gram,
  type OwnChannel,
  question,
  startChannelNetwork,
  until,
} from "./channel-network.ts";
import { openLedgerFile } from "./ledger-file.ts";
import "./patience.ts";

/** Of the channel's transactions: redeems that arrived, and payments that left. */
async function redeems({ tonClient }: ChannelNetwork, { contract }: OwnChannel) {
  const transactions = await tonClient.getTransactions(contract.address, { limit: 50 });
  const opOf = (
    body: { beginParse(): { remainingBits: number; loadUint(bits: number): number } } | undefined,
  ) => {
    const slice = body?.beginParse();
    return slice && slice.remainingBits >= 32 ? slice.loadUint(32) : 0;
  };
  return {
    arrived: transactions.filter(({ inMessage }) => opOf(inMessage?.body) === channelOps.redeem).length,
    paid: transactions.flatMap(({ outMessages }) =>
      outMessages.values().filter(({ body }) => opOf(body) === vaultOps.channelPayment),
    ).length,
  };
}

it("a voucher that was acknowledged is redeemed once, wherever the gateway is killed", async () => {
  await using paid = await startChannelNetwork({ terms: { redeemAboveNano: "1" } });
  const ann = await paid.developer("ann");
  const channel = await ann.openChannel(gram(2));
  const payment = channel.pays();
  const client = ann.client({ payment });
  let payments = 0;
  const ask = async () => {
    await client.chat.completions.create(question);
    await payment.flush();
    payments++;
  };
  const redeemed = async () => {
    const total = `${channel.signer.signedNano}`;
    await until(channel, ({ redeemedNano, spentNano }) => redeemedNano === total && spentNano === total);
  };

  // Between its acknowledgement and anything on the chain.
  await ask();
  await paid.network.killGateway();
  const before = await channel.onChain();
  expect(before.redeemedNano).toBeLessThan(channel.signer.signedNano);
  await paid.network.restartGateway();
  await redeemed();

  // When the message is on the chain, and the gateway has not seen what became of it.
  await ask();
  await expect
    .poll(async () => (await redeems(paid, channel)).paid, { timeout: 20_000, interval: 5 })
    .toBe(payments);
  await paid.network.killGateway();
  await paid.network.restartGateway();
  await redeemed();

  // And once more without anybody being killed.
  await ask();
  await redeemed();
  expect((await redeems(paid, channel)).paid).toBe(payments);
  const vault = await paid.vault();
  expect(vault.feeDueNano + vault.nodesCreditNano).toBe(channel.signer.signedNano);
  await using ledger = await openLedgerFile(paid.network.gatewayData);
  expect(await ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  client.close();
});
