import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { decodeLinkMessage, linkKind } from "@bombyx/protocol/wire";
import { BombyxClient } from "@bombyx/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { type LinkRelay, startLinkRelay } from "./link-relay.ts";
import { botId, botKey, startNetwork, type TestNetwork } from "./network.ts";
import { post, user } from "./sse.ts";
import "./patience.ts";

const telegram = generateKeyPairSync("ed25519");
const publicKey = Buffer.from(telegram.publicKey.export({ format: "jwk" }).x ?? "", "base64url");

/** Init data as Telegram signs it for third parties, by this test's own Telegram. */
function initData(options: { userId: number; bot?: number; ageMs?: number; key?: KeyObject }): string {
  const { userId, bot = botId, ageMs = 0, key = telegram.privateKey } = options;
  const fields = {
    auth_date: `${Math.floor((Date.now() - ageMs) / 1_000)}`,
    query_id: "AAH",
    user: JSON.stringify({ id: userId, first_name: "Ada" }),
  };
  const signed = Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .join("\n");
  const signature = sign(null, Buffer.from(`${bot}:WebAppData\n${signed}`), key).toString("base64url");
  return new URLSearchParams({ ...fields, signature, hash: "00" }).toString();
}

interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

let network: TestNetwork;
let key: string;
let relay: LinkRelay;
/** Kinds of messages that the gateway has sent to the node. */
const sent: number[] = [];
beforeAll(async () => {
  network = await startNetwork({
    nodes: 1,
    pace: 0,
    // No request fits in it.
    allowanceNano: "1",
    instruments: {
      gatewayEnvironment: { BOMBYX_INIT_DATA_KEYS: publicKey.toString("hex") },
      reach: async (part, gateway) => {
        if (part === "proxy") return gateway;
        relay = await startLinkRelay(gateway, ({ from, bytes, binary }) => {
          if (from === "gateway" && binary) sent.push(decodeLinkMessage(bytes).kind);
          return undefined;
        });
        return relay.url;
      },
    },
  });
  key = await botKey(network);
});
afterAll(async () => {
  await network?.[Symbol.asyncDispose]();
  await relay?.[Symbol.asyncDispose]();
});

/** Once, however often it is called. */
const topUp = () =>
  network.admin(
    ["sponsors", "fund", "--developer", "devnet", "--nano", "1000000000", "--key", "top-up"],
    z.unknown(),
  );
const question = () => ({
  model: network.model,
  messages: user("What is the capital of France?"),
  temperature: 0,
});

describe("an allowance that is used up", () => {
  it("opens no session: nothing at all reaches the node", async () => {
    const made = await network.admin(
      ["keys", "create", "--developer", "penniless"],
      z.object({ key: z.string() }),
    );
    const { gateway, policy } = network;
    const client = new BombyxClient({ gateway: gateway.url, apiKey: made.key, policy });
    await expect(client.chat.completions.create(question())).rejects.toMatchObject({
      code: "ALLOWANCE_EXHAUSTED",
      status: 402,
    });
    client.close();
    expect(sent).toEqual([]);
  });

  it("is refused before any work when a request does not fit in it, in OpenAI's shape at the proxy; topped up, it serves", async () => {
    const door = { proxy: network.proxy.url, apiKey: network.apiKey };
    const refused = await post(door, "/chat/completions", question());
    expect(refused.status).toBe(402);
    expect(await refused.json()).toEqual({
      error: {
        message: expect.stringMatching(/top it up/),
        type: expect.any(String),
        param: null,
        code: "ALLOWANCE_EXHAUSTED",
      },
    });
    expect(sent).toContain(linkKind.handshake);
    expect(sent).not.toContain(linkKind.request);

    await topUp();
    const served = await post(door, "/chat/completions", question());
    expect(await served.json()).toMatchObject({
      choices: [{ message: { content: expect.stringMatching(/Paris/) } }],
    });
    expect(sent).toContain(linkKind.request);
  });
});

describe("a person behind two doors", () => {
  beforeAll(() => topUp());

  async function call(path: string, headers: Record<string, string>, body?: unknown): Promise<Answer> {
    const response = await fetch(`${network.gateway.url}${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { ...headers, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  }
  const exchange = (data: string, bot = botId) => call("/v1/tokens", {}, { botId: bot, initData: data });
  const account = (bearer: string, telegramUser?: string) =>
    call("/v1/account", {
      authorization: `Bearer ${bearer}`,
      ...(telegramUser !== undefined && { "bombyx-user": telegramUser }),
    });

  it("has one account and one balance: what is spent in the bot's chat is missing in the Mini App", async () => {
    const { status, body } = await exchange(initData({ userId: 4_242 }));
    expect(status).toBe(200);
    const token = String(body.token);
    const before = await account(token);
    expect(before).toMatchObject({ status: 200, body: { account: `person:${botId}:4242` } });
    expect((await account(key, "4242")).body).toEqual(before.body);

    const client = new BombyxClient({
      gateway: network.gateway.url,
      apiKey: key,
      telegramUser: "4242",
      policy: network.policy,
    });
    const answer = await client.chat.completions.create({
      model: network.model,
      messages: user("What is the capital of France?"),
      temperature: 0,
    });
    client.close();
    const cost = BigInt(answer.bombyx?.costNano ?? 0);
    expect(cost).toBeGreaterThan(0n);
    const after = await account(token);
    expect(after.body).toEqual({
      ...before.body,
      balanceNano: String(BigInt(String(before.body.balanceNano)) - cost),
    });
    expect((await account(key, "4242")).body).toEqual(after.body);
  });

  it("is refused with init data of a bot that nobody registered, by that name or by a registered one", async () => {
    const foreign = initData({ userId: 4_242, bot: botId + 1 });
    expect(await exchange(foreign, botId + 1)).toMatchObject({
      status: 403,
      body: { error: { code: "BOT_NOT_REGISTERED", field: "botId" } },
    });
    expect(await exchange(foreign)).toMatchObject({
      status: 401,
      body: { error: { code: "INIT_DATA_INVALID", field: "initData" } },
    });
  });

  it("is refused with init data that somebody else signed, or that was changed", async () => {
    const { privateKey } = generateKeyPairSync("ed25519");
    const changed = initData({ userId: 4_242 }).replace("4242", "4243");
    for (const data of [initData({ userId: 4_242, key: privateKey }), changed]) {
      expect(await exchange(data)).toMatchObject({
        status: 401,
        body: { error: { code: "INIT_DATA_INVALID" } },
      });
    }
  });

  it("is refused with init data older than ten minutes, and admitted a little before", async () => {
    expect(await exchange(initData({ userId: 4_242, ageMs: 9 * 60_000 }))).toMatchObject({ status: 200 });
    expect(await exchange(initData({ userId: 4_242, ageMs: 11 * 60_000 }))).toMatchObject({
      status: 401,
      body: { error: { code: "INIT_DATA_EXPIRED", field: "initData" } },
    });
  });

  it("is nobody's to name: a key of no bot, and a person's own token, may not say Bombyx-User", async () => {
    const token = String((await exchange(initData({ userId: 4_242 }))).body.token);
    for (const bearer of [network.apiKey, token]) {
      expect(await account(bearer)).toMatchObject({ status: 200 });
      expect(await account(bearer, "4243")).toMatchObject({
        status: 403,
        body: { error: { code: "FORBIDDEN", field: "Bombyx-User" } },
      });
    }
  });
});
