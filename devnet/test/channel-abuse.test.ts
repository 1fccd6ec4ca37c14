import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { voucherHash } from "@bombyx/contracts/client-channel";
import type { ErrorCode, Voucher } from "@bombyx/protocol/wire";
import { memoryStore, VoucherSigner } from "@bombyx/sdk/payment";
import { Address } from "@ton/core";
import { type KeyPair, keyPairFromSeed, sign } from "@ton/crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { globalId } from "../src/chain/chain-server.ts";
import {
  type ChannelNetwork,
  type Developer,
  gram,
  type OwnChannel,
  question,
  startChannelNetwork,
  until,
} from "./channel-network.ts";
import { openLedgerFile } from "./ledger-file.ts";
import "./patience.ts";

/** 0.0000 2 GRAM a unit: a request of 1 KiB and 256 tokens holds 3,072 units. */
const nanoPerUnit = 20_000n;
const capNano = 3_072n * nanoPerUnit;
let paid: ChannelNetwork;
beforeAll(async () => {
  paid = await startChannelNetwork({
    slots: 8,
    pace: 3,
    // No limit on what is unsigned: here only the deposit bounds.
    terms: {
      unsignedLimitNano: "100000000000",
      unsignedMostNano: "100000000000",
      redeemAboveNano: "1000000000",
    },
    instruments: {
      gatewayEnvironment: {
        BOMBYX_QUEUE_PER_SLOT: "64",
        BOMBYX_QUEUE_DEADLINE_MS: "60000",
        BOMBYX_PRICES: await pricesFile(),
      },
    },
  });
});
afterAll(() => paid?.[Symbol.asyncDispose]());

async function pricesFile(): Promise<string> {
  const { mkdtemp } = await import("node:fs/promises");
  const { tmpdir } = await import("node:os");
  const file = join(await mkdtemp(join(tmpdir(), "bombyx-prices-")), "prices.json");
  const multipliers = {
    promptMultiplier: 10_000,
    cachedMultiplier: 1_000,
    completionMultiplier: 80_000,
    reasoningMultiplier: 80_000,
  };
  await writeFile(file, JSON.stringify({ default: { nanoPerUnit: `${nanoPerUnit}`, ...multipliers } }));
  return file;
}

const keysOf = async (signer: VoucherSigner): Promise<KeyPair> =>
  keyPairFromSeed(Buffer.from(signer.backup.seed, "hex"));

/** A voucher over what it says, by whoever's key. */
function voucherBy(keys: KeyPair, terms: Omit<Voucher, "signature" | "voucherKey">): Voucher {
  const { channel, vault, total } = terms;
  const hash = voucherHash(terms.globalId, Address.parse(channel), Address.parse(vault), BigInt(total));
  return {
    ...terms,
    voucherKey: keys.publicKey.toString("hex"),
    signature: sign(hash, keys.secretKey).toString("hex"),
  };
}

describe("vouchers of an abuser", () => {
  let ann: Developer;
  let channel: OwnChannel;
  let keys: KeyPair;
  let genuine: Voucher;
  beforeAll(async () => {
    ann = await paid.developer("ann");
    channel = await ann.openChannel(gram(2));
    keys = await keysOf(channel.signer);
    const { channel: address, vault } = channel.identity;
    genuine = voucherBy(keys, { globalId, channel: address, vault, total: "1000" });
    expect(await channel.put(genuine)).toMatchObject({ status: 200 });
  });

  const other = `0:${"7e".repeat(32)}`;
  const stranger = keyPairFromSeed(Buffer.alloc(32, 3));
  const cases: readonly [what: string, code: ErrorCode, make: () => Voucher][] = [
    [
      "signed for mainnet",
      "VOUCHER_NETWORK",
      () => voucherBy(keys, { ...genuine, globalId: -239, total: "2000" }),
    ],
    [
      "of another channel",
      "VOUCHER_CHANNEL",
      () => voucherBy(keys, { ...genuine, channel: other, total: "2000" }),
    ],
    [
      "for another vault",
      "VOUCHER_VAULT",
      () => voucherBy(keys, { ...genuine, vault: other, total: "2000" }),
    ],
    ["of another key", "VOUCHER_KEY", () => voucherBy(stranger, { ...genuine, total: "2000" })],
    [
      "of another key under the right name",
      "VOUCHER_SIGNATURE",
      () => ({ ...voucherBy(stranger, { ...genuine, total: "2000" }), voucherKey: genuine.voucherKey }),
    ],
    [
      "signed for mainnet that says it is for here",
      "VOUCHER_SIGNATURE",
      () => ({ ...voucherBy(keys, { ...genuine, globalId: -239, total: "2000" }), globalId }),
    ],
    ["raised after it was signed", "VOUCHER_SIGNATURE", () => ({ ...genuine, total: "2000" })],
    ["lowered, and signed so", "VOUCHER_LOWER", () => voucherBy(keys, { ...genuine, total: "999" })],
    [
      "above the deposit",
      "VOUCHER_ABOVE_DEPOSIT",
      () => voucherBy(keys, { ...genuine, total: `${gram(3)}` }),
    ],
    [
      "above what 64 bits hold",
      "VOUCHER_ABOVE_DEPOSIT",
      () => voucherBy(keys, { ...genuine, total: `${2n ** 64n}` }),
    ],
    ["above what coins hold", "BAD_REQUEST", () => ({ ...genuine, total: "9".repeat(39) })],
  ];

  it.each(cases)("are refused by their own name when %s, and nothing changes", async (_what, code, make) => {
    const before = await channel.seen();
    const answer = await channel.put(make());
    expect(answer.error?.code).toBe(code);
    expect(await channel.seen()).toEqual(before);
    // Its untampered twin is taken, however often.
    expect(await channel.put(genuine)).toMatchObject({ status: 200 });
    expect(await channel.seen()).toEqual(before);
  });

  it("are refused on a channel of somebody else's, with the channel's own voucher", async () => {
    const mallory = await paid.developer("mallory");
    const { channel: address } = channel.identity;
    const answer = await mallory.call("PUT", `/v1/channels/${address}/voucher`, genuine);
    expect(answer).toMatchObject({ status: 404, body: { error: { code: "CHANNEL_UNKNOWN" } } });
  });
});

describe("somebody else's channel", () => {
  it("is not spent from by whoever names it, registers it, or takes its proof", async () => {
    const owner = await paid.developer("owner");
    const thief = await paid.developer("thief");
    const channel = await owner.openChannel(gram(2));
    const before = await channel.seen();

    // The owner's proof, for the thief's account.
    const proof = channel.signer.register("developer:owner", Date.now());
    expect(await thief.call("POST", "/v1/channels", proof)).toMatchObject({
      body: { error: { code: "VOUCHER_SIGNATURE" } },
    });
    // A proof of the thief's own key: the chain has another.
    const own = await VoucherSigner.create({ ...channel.identity }, memoryStore());
    expect(
      await thief.call("POST", "/v1/channels", own.register("developer:thief", Date.now())),
    ).toMatchObject({
      body: { error: { code: "ALREADY_USED" } },
    });
    // Stale: what was signed ten minutes ago, and more.
    const stale = channel.signer.register("developer:owner", Date.now() - 11 * 60_000);
    expect(await owner.call("POST", "/v1/channels", stale)).toMatchObject({
      status: 400,
      body: { error: { code: "BAD_REQUEST", field: "at" } },
    });

    const naming = thief.client({ payment: nothingToPay(channel.identity.channel) });
    await expect(naming.chat.completions.create({ ...question, max_tokens: 256 })).rejects.toMatchObject({
      code: "CHANNEL_UNKNOWN",
    });
    naming.close();
    expect(await channel.seen()).toEqual(before);
  });

  it("that is not open yet goes to whose key opens it, whoever registered it before", async () => {
    const owner = await paid.developer("late");
    const thief = await paid.developer("early");
    const channel = await owner.newChannel();
    const own = await VoucherSigner.create({ ...channel.identity }, memoryStore());
    const taken = await thief.call("POST", "/v1/channels", own.register("developer:early", Date.now()));
    expect(taken).toMatchObject({ status: 201, body: { state: "unopened" } });
    await channel.open(gram(1));
    expect((await channel.register()).address).toBe(channel.identity.channel);
    await until(channel, ({ state, depositNano }) => state === "open" && depositNano !== "0");
    expect(await thief.call("GET", "/v1/channels")).toMatchObject({ body: { channels: [] } });
  });
});

/** Names a channel and counts nothing. */
const nothingToPay = (channel: string) => ({
  channel,
  attach: () => undefined,
  ready: async () => undefined,
  expect: async () => undefined,
  checked: () => undefined,
  unpaid: () => undefined,
  ended: () => undefined,
  pay: async () => undefined,
});

describe("a hundred requests at once on a balance for ten", () => {
  it("are served ten times at most, refused by name for the rest, and the sum is zero", async () => {
    const crowd = await paid.developer("crowd");
    const channel = await crowd.openChannel(10n * capNano + gram(0.03));
    const { availableNano } = await channel.seen();
    expect(BigInt(availableNano) / capNano).toBe(10n);
    const client = crowd.client();
    await client.prepare({ model: question.model });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 100 }, () => client.chat.completions.create({ ...question, max_tokens: 256 })),
    );
    client.close();
    const refused = outcomes.filter((outcome) => outcome.status === "rejected");
    const costNano = outcomes.reduce(
      (sum, outcome) => (outcome.status === "fulfilled" ? sum + BigInt(outcome.value.bombyx.costNano) : sum),
      0n,
    );
    expect(outcomes.length - refused.length).toBeGreaterThan(0);
    expect(outcomes.length - refused.length).toBeLessThanOrEqual(10);
    for (const { reason } of refused)
      expect(reason).toMatchObject({ code: "ALLOWANCE_EXHAUSTED", status: 402 });
    const { spentNano } = await until(channel, ({ reservedNano }) => reservedNano === "0");
    expect(spentNano).toBe(`${costNano}`);
    await using ledger = await openLedgerFile(paid.network.gatewayData);
    expect(await ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  });
});
