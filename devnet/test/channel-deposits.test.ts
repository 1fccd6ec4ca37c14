import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { channelMessages } from "@bombyx/contracts/client-channel";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type ChannelNetwork, gram, question, startChannelNetwork, until } from "./channel-network.ts";
import { type CrookedEndpoint, crookedEndpoint, straight } from "./crooked-endpoint.ts";
import { openLedgerFile } from "./ledger-file.ts";
import "./patience.ts";

let paid: ChannelNetwork;
/** One of the gateway's two. */
let crooked: CrookedEndpoint;
beforeAll(async () => {
  paid = await startChannelNetwork({
    terms: { redeemAboveNano: "1" },
    through: async ([first = "", second = ""]) => {
      crooked = await crookedEndpoint(second);
      return [first, crooked.url];
    },
  });
});
afterAll(async () => {
  await paid?.[Symbol.asyncDispose]();
  await crooked?.[Symbol.asyncDispose]();
});

const booksOf = async () => {
  await using ledger = await openLedgerFile(paid.network.gatewayData);
  return await ledger.audit();
};

it("a deposit that one endpoint tells twice and backwards is credited once", async () => {
  const ann = await paid.developer("ann");
  let bent = 0;
  crooked.bend = (method, result) => {
    if (method !== "getTransactions" || !Array.isArray(result)) return result;
    bent++;
    return [...result, ...result].reverse();
  };
  const channel = await ann.openChannel(gram(1));
  const first = BigInt((await channel.seen()).depositNano);
  await channel.topUp(gram(1));
  const after = await until(channel, ({ depositNano }) => BigInt(depositNano) > first);
  crooked.bend = straight;
  expect(bent).toBeGreaterThan(0);
  expect(BigInt(after.depositNano)).toBeLessThan(gram(2));
  expect(BigInt(after.depositNano)).toBeGreaterThan(gram(1.98));
  expect((await booksOf()).sumNano).toBe(0n);
});

it("a deposit that one endpoint invents is not credited; the true one is, when it stops lying", async () => {
  const bob = await paid.developer("bob");
  const channel = await bob.newChannel();
  let lies = 0;
  crooked.bend = (method, result) => {
    if (method !== "getAddressInformation") return result;
    lies++;
    return { ...(result as object), balance: String(gram(1_000_000)) };
  };
  await channel.open(gram(1));
  const registered = await channel.register();
  expect(registered).toMatchObject({ state: "unopened", availableNano: registered.depositNano });
  expect(BigInt(registered.depositNano)).toBeLessThan(gram(1));
  const client = bob.client();
  await expect(client.chat.completions.create(question)).rejects.toMatchObject({ status: 402 });
  expect(lies).toBeGreaterThan(0);
  crooked.bend = straight;
  const open = await until(channel, ({ state, depositNano }) => state === "open" && depositNano !== "0");
  expect(BigInt(open.depositNano)).toBeGreaterThan(gram(0.98));
  expect(BigInt(open.depositNano)).toBeLessThan(gram(1));
  await client.chat.completions.create(question);
  client.close();
});

it("reading every channel again from its first transaction leaves the ledger as it is", async () => {
  const cas = await paid.developer("cas");
  const channel = await cas.openChannel(gram(1));
  const payment = channel.pays();
  const client = cas.client({ payment });
  await client.chat.completions.create(question);
  await payment.flush();
  await channel.topUp(gram(0.5));
  const next = await channel.signer.rotate();
  await channel.message(channelMessages.setKey(Buffer.from(next, "hex")));
  const settled = await until(
    channel,
    ({ redeemedNano, spentNano, voucherKey }) => voucherKey === next && redeemedNano === spentNano,
  );
  await payment.close();
  client.close();
  await paid.network.killGateway();
  const before = await booksOf();
  const store = new DatabaseSync(join(paid.network.gatewayData, "gateway.sqlite"));
  store.exec(
    "UPDATE channels SET lt = NULL, hash = NULL, balance_nano = 0, redeemed_nano = 0, deposit_nano = 0",
  );
  store.close();
  await paid.network.restartGateway();
  const again = await until(channel, ({ redeemedNano }) => redeemedNano === settled.redeemedNano);
  expect(again).toEqual(settled);
  expect(await booksOf()).toEqual(before);
});
