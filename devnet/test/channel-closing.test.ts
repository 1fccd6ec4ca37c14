import { channelMessages } from "@bombyx/contracts/client-channel";
import { ChannelDoor } from "@bombyx/sdk/payment";
import { Cell } from "@ton/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ChannelNetwork, gram, question, startChannelNetwork, until } from "./channel-network.ts";
import { openLedgerFile } from "./ledger-file.ts";
import "./patience.ts";

let paid: ChannelNetwork;
beforeAll(async () => {
  // Nothing is redeemed for its size.
  paid = await startChannelNetwork({ terms: { redeemAboveNano: "100000000" } });
});
afterAll(() => paid?.[Symbol.asyncDispose]());

const doorOf = (apiKey: string) => new ChannelDoor({ url: paid.network.gateway.url, apiKey });

/** Asks once, and leaves the voucher with the gateway. */
async function askAndSign(name: string, depositNano: bigint) {
  const developer = await paid.developer(name);
  const channel = await developer.openChannel(depositNano);
  const payment = channel.pays();
  const client = developer.client({ payment });
  const answer = await client.chat.completions.create(question);
  await payment.flush();
  return { developer, channel, payment, client, costNano: BigInt(answer.bombyx.costNano) };
}

describe("a channel whose owner asked to close it", () => {
  it("serves nothing, and its voucher is redeemed long before the owner may withdraw", async () => {
    const { developer, channel, client, costNano } = await askAndSign("ann", gram(1));
    expect((await channel.seen()).redeemedNano).toBe("0");
    await channel.message(channelMessages.close());
    const closing = await until(channel, ({ state }) => state === "closing");
    expect((closing.closesAt ?? 0) - Date.now()).toBeGreaterThan(71 * 3_600_000);
    await expect(client.chat.completions.create(question)).rejects.toMatchObject({ code: "CHANNEL_CLOSING" });
    await until(channel, ({ redeemedNano }) => redeemedNano === `${costNano}`);
    expect((await channel.onChain()).redeemedNano).toBe(costNano);
    // Nobody closes together what closes already.
    await expect(doorOf(developer.apiKey).approveClosing(channel.identity.channel)).rejects.toMatchObject({
      code: "CHANNEL_CLOSING",
    });
    client.close();
  });
});

describe("closing together", () => {
  it("serves nothing from the approval on; the vault gets what was spent, the owner all the rest, at once", async () => {
    const { developer, channel, payment, client, costNano } = await askAndSign("bob", gram(5));
    const vaultBefore = await paid.vault();
    const approval = await payment.approveClosing();
    expect(approval.totalNano).toBe(`${costNano}`);
    expect(approval.validUntilAt - Date.now()).toBeLessThanOrEqual(10 * 60_000);
    await expect(client.chat.completions.create(question)).rejects.toMatchObject({
      code: "CHANNEL_CLOSING",
      retryAfterMs: expect.any(Number),
    });
    // Asked again it says the same total.
    expect((await payment.approveClosing()).totalNano).toBe(`${costNano}`);

    const before = await paid.tonClient.getBalance(developer.wallet.wallet.address);
    await channel.message(Cell.fromBase64(approval.body), BigInt(approval.valueNano));
    const closed = await until(
      channel,
      ({ state, availableNano }) => state === "closed" && availableNano === "0",
    );
    expect(closed).toMatchObject({ spentNano: `${costNano}`, redeemedNano: `${costNano}` });
    const back = (await paid.tonClient.getBalance(developer.wallet.wallet.address)) - before;
    expect(back).toBeGreaterThan(gram(4.98));
    const vault = await paid.vault();
    expect(vault.nodesCreditNano + vault.feeDueNano).toBe(
      vaultBefore.nodesCreditNano + vaultBefore.feeDueNano + costNano,
    );
    await expect(client.chat.completions.create(question)).rejects.toMatchObject({ code: "CHANNEL_CLOSING" });
    client.close();
    await using ledger = await openLedgerFile(paid.network.gatewayData);
    expect((await ledger.audit()).sumNano).toBe(0n);
  });

  it("is for the channel's own account, by its own key", async () => {
    const { channel, client } = await askAndSign("cas", gram(1));
    const mallory = await paid.developer("mallory");
    await expect(doorOf(mallory.apiKey).approveClosing(channel.identity.channel)).rejects.toMatchObject({
      code: "CHANNEL_UNKNOWN",
    });
    // The twin: it is still served.
    await client.chat.completions.create(question);
    client.close();
  });
});
