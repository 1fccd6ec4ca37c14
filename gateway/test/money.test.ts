import { createPrivateKey, generateKeyPairSync, sign } from "node:crypto";
import { nextReceiptsHash, priceId } from "@bombyx/protocol/receipt";
import {
  accountMoneySchema,
  accountReceiptsSchema,
  accountStatementSchema,
  creditProductsSchema,
  type ErrorBody,
  envelopeKind,
  fromBase64,
  fromUtf8,
  receiptProofSchema,
  spendingSchema,
  starPaymentSchema,
} from "@bombyx/protocol/wire";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { TestClient } from "./support/client.ts";
import { startNetwork, type TestNetwork } from "./support/network.ts";

/** Telegram's side: who opened which bot's Mini App, signed. */
const telegram = generateKeyPairSync("ed25519");
const telegramPk = Buffer.from(telegram.publicKey.export({ format: "jwk" }).x ?? "", "base64url").toString(
  "hex",
);

function initData(botId: number, userId: number): string {
  const fields = {
    auth_date: String(Math.floor(Date.now() / 1_000)),
    user: JSON.stringify({ id: userId, first_name: "Anna" }),
  };
  const lines = Object.entries(fields)
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  const message = Buffer.from(`${botId}:WebAppData\n${lines.join("\n")}`);
  const signature = sign(null, message, telegram.privateKey).toString("base64url");
  return new URLSearchParams({ ...fields, hash: "00", signature }).toString();
}

const answerNano = 128n * 20n;
const deposit = 10n ** 9n;
let network: TestNetwork;
let bots = 1_000;

beforeAll(async () => {
  createPrivateKey(telegram.privateKey.export({ format: "pem", type: "pkcs8" }));
  network = await startNetwork({
    initDataKeys: [telegramPk],
    credit: { allowanceNano: 1_000_000n, lowCreditNano: 100_000n, lowDepositNano: 10n ** 8n },
  });
});
afterAll(() => network.close());
afterEach(() => network.killNodes());

interface Bot {
  readonly id: number;
  readonly developer: string;
  /** The bot's key, for itself. */
  readonly client: TestClient;
  /** The bot's key, for a person. */
  asks(userId: number): TestClient;
  /** A person in the bot's Mini App. */
  opened(userId: number): Promise<TestClient>;
  credits(
    route: string,
    body: object,
  ): Promise<{ status: number; json: Record<string, unknown> & { error?: ErrorBody } }>;
}

async function newBot(nano = deposit): Promise<Bot> {
  const id = ++bots;
  const developer = `dev-${id}`;
  const { accounts } = network.gateway;
  await accounts.registerBot({ developer, botId: id });
  if (nano > 0n) await network.fund(developer, nano);
  const { key } = await accounts.createApiKey({ developer, botId: id });
  const { url } = network.gateway;
  const client = new TestClient(url, key);
  return {
    id,
    developer,
    client,
    asks: (userId) => new TestClient(url, key, { "bombyx-user": String(userId) }),
    opened: async (userId) => {
      const { token } = await accounts.issueToken({ botId: id, initData: initData(id, userId) });
      return new TestClient(url, token);
    },
    credits: (route, body) => post(client, `/v1/credits${route}`, body),
  };
}

async function post(client: TestClient, path: string, body: object, method = "POST") {
  const text = JSON.stringify(body);
  return await client.call(method, path, {
    body: text,
    headers: { "content-type": "application/json", "content-length": String(Buffer.byteLength(text)) },
  });
}

const money = async (client: TestClient) =>
  accountMoneySchema.parse((await client.call("GET", "/v1/account/money")).json);
const available = async (account: string) => (await network.gateway.ledger.balance(account)).availableNano;
let questions = 0;
const nextQuestion = () => (++questions).toString(16).padStart(32, "0");

/** One answered question. */
async function answered(client: TestClient, node: Awaited<ReturnType<TestNetwork["join"]>>, model: string) {
  const priceId = await client.priceId(model);
  const session = await client.openSession(node.identity);
  const answer = client.ask(session, { priceId, idempotencyId: nextQuestion() });
  const request = await node.requests.next();
  request.answer("silk");
  await answer.text();
  return await answer.json<{ receipt: { units: number } }>(envelopeKind.receipt);
}

describe("a person without a wallet", () => {
  let bot: Bot;
  beforeEach(async () => {
    bot = await newBot();
  });

  it("is answered for nothing, sees what is left of the day, and not what the sponsor has", async () => {
    const node = await network.join({ model: "free-silk" });
    const anna = bot.asks(501);
    expect(await money(anna)).toMatchObject({
      account: `person:${bot.id}:501`,
      balanceNano: null,
      reservedNano: null,
      allowance: { limitNano: "1000000", leftNano: "1000000", usedNano: "0" },
      starsNano: "0",
      channel: null,
      gramPayments: false,
    });
    await answered(anna, node, "free-silk");
    const after = await money(anna);
    expect(after.allowance).toMatchObject({
      usedNano: `${answerNano}`,
      leftNano: `${1_000_000n - answerNano}`,
    });
    expect(after.allowance?.resetsAt).toBe((Math.floor(Date.now() / 86_400_000) + 1) * 86_400_000);
    // The same person behind the other door, and at another developer's bot: one allowance.
    const other = await newBot();
    for (const same of [await bot.opened(501), other.asks(501)]) {
      expect((await money(same)).allowance?.usedNano).toBe(`${answerNano}`);
    }
    expect((await money(other.asks(502))).allowance?.usedNano).toBe("0");
    expect(await available(`sponsor:${bot.developer}`)).toBe(deposit - answerNano);
  });

  it("farms no second allowance with ten bots", async () => {
    const node = await network.join({ model: "farmed-silk", slots: 4 });
    const farm = [bot, ...(await Promise.all(Array.from({ length: 9 }, () => newBot())))];
    const ask = async (one: Bot) => {
      const anna = one.asks(777);
      const priceId = await anna.priceId("farmed-silk");
      const session = await anna.openSession(node.identity);
      return anna.ask(session, { priceId, maxTokens: "4096", idempotencyId: nextQuestion() });
    };
    // Two thirds of the day at most, for one answer that is being written at the first bot.
    const first = await ask(bot);
    const running = await node.requests.next();
    for (const one of farm.slice(1)) {
      expect(await (await ask(one)).refusal()).toMatchObject({
        status: 402,
        error: { code: "ALLOWANCE_EXHAUSTED", retryAfterMs: expect.any(Number) },
      });
      expect(await available(`sponsor:${one.developer}`)).toBe(deposit);
    }
    // Another person at one of them is served; and so is she when the first has told what it cost.
    const ivan = farm[3]?.asks(778) ?? bot.asks(778);
    await answered(ivan, node, "farmed-silk");
    running.answer("silk");
    await first.text();
    await first.json(envelopeKind.receipt);
    const again = await ask(farm[9] ?? bot);
    (await node.requests.next()).answer("silk");
    await again.text();
    await again.json(envelopeKind.receipt);
    expect((await money(bot.asks(777))).allowance?.usedNano).toBe(`${2n * answerNano}`);
  });

  it("of a sponsor that runs dry is refused by name, nothing is owed, and who pays for themselves is served", async () => {
    const dry = await newBot(1n);
    const node = await network.join({ model: "dry-silk", slots: 2 });
    const before = await network.gateway.ledger.audit();
    const anna = dry.asks(601);
    const session = await anna.openSession(node.identity);
    const refusal = await anna
      .ask(session, { priceId: await anna.priceId("dry-silk"), idempotencyId: nextQuestion() })
      .refusal();
    expect(refusal).toMatchObject({ status: 402, error: { code: "SPONSOR_EMPTY" } });
    expect(await network.gateway.ledger.audit()).toEqual(before);
    expect(await available(`sponsor:${dry.developer}`)).toBe(1n);
    await answered(network.client, node, "dry-silk");
  });

  it("a thousand times over, on one sponsor: each answer is in the books, and the sum is zero", async () => {
    const node = await network.join({ model: "thousand-silk", slots: 32 });
    const { ledger } = network.gateway;
    const before = await available(`sponsor:${bot.developer}`);
    let asked = 0;
    const one = async (userId: number) => {
      const client = bot.asks(userId);
      const priceId = await client.priceId("thousand-silk");
      const session = await client.openSession(node.identity);
      for (let request = 0; request < 50; request++) {
        asked += 1;
        const answer = client.ask(session, { request, priceId, idempotencyId: nextQuestion() });
        (await node.requests.next()).answer("silk");
        await answer.text();
        await answer.json(envelopeKind.receipt);
      }
    };
    await Promise.all(Array.from({ length: 20 }, (_, at) => one(9_000 + at)));
    expect(asked).toBe(1_000);
    expect(before - (await available(`sponsor:${bot.developer}`))).toBe(1_000n * answerNano);
    expect(await ledger.audit()).toMatchObject({ sumNano: 0n, openReservations: 0 });
  }, 60_000);
});

describe("credit for Stars", () => {
  it("is offered, sold once, spent after the allowance, and its refund takes back what is left", async () => {
    const bot = await newBot();
    const node = await network.join({ model: "star-silk" });
    const sold = { user: 801, stars: 50, nano: "250000000" };
    const offer = await bot.credits("/offers", { ...sold, id: "query-1" });
    expect(offer).toMatchObject({ status: 200, json: { id: "query-1", nano: sold.nano } });
    expect(await available(`sponsor:${bot.developer}`)).toBe(deposit - 250_000_000n);
    const sale = { ...sold, chargeId: "stxABC:1/2" };
    for (const _ of [1, 2, 3]) {
      const { status, json } = await bot.credits("", sale);
      expect(status).toBe(200);
      expect(starPaymentSchema.parse(json)).toMatchObject({
        state: "credited",
        starsNano: "250000000",
        stars: 50,
      });
    }
    expect(await available(`sponsor:${bot.developer}`)).toBe(deposit - 250_000_000n);
    // Bigger than what is left of the day: bought credit pays it.
    const anna = await bot.opened(801);
    const priceId = await anna.priceId("star-silk");
    const session = await anna.openSession(node.identity);
    const answer = anna.ask(session, { priceId, maxTokens: "16384", idempotencyId: nextQuestion() });
    (await node.requests.next()).answer("silk");
    await answer.text();
    await answer.json(envelopeKind.receipt);
    expect(await money(anna)).toMatchObject({
      starsNano: `${250_000_000n - answerNano}`,
      allowance: { usedNano: "0" },
    });
    const { json } = await bot.credits("/refunds", { user: 801, chargeId: sale.chargeId });
    expect(starPaymentSchema.parse(json)).toMatchObject({
      state: "refunded",
      takenBackNano: `${250_000_000n - answerNano}`,
      starsNano: "0",
    });
    expect((await bot.credits("/refunds", { user: 801, chargeId: sale.chargeId })).json).toEqual(json);
    // The statement shows all of it, and Telegram's charge is no longer credit when it is told again.
    expect((await bot.credits("", sale)).json).toMatchObject({ state: "refunded", starsNano: "0" });
    const statement = accountStatementSchema.parse((await anna.call("GET", "/v1/account/statement")).json);
    expect(statement.lines.map(({ kind, direction, nano, stars }) => [kind, direction, nano, stars])).toEqual(
      [
        ["refund", "out", `${250_000_000n - answerNano}`, 50],
        ["request", "out", `${answerNano}`, null],
        ["stars", "in", "250000000", 50],
      ],
    );
  });

  it("moves only the developer's own money, whatever a bot says was paid", async () => {
    const poor = await newBot(1_000n);
    const rich = await newBot();
    const forged = { user: 802, chargeId: "never-paid", stars: 100_000, nano: "1000000000" };
    const refused = await poor.credits("", forged);
    expect(refused).toMatchObject({ status: 402, json: { error: { code: "CREDIT_UNAVAILABLE" } } });
    expect(
      (await poor.credits("/offers", { user: 802, id: "q", stars: 1, nano: "1001" })).json.error?.code,
    ).toBe("CREDIT_UNAVAILABLE");
    // Within its deposit it may say so; the loss is its own.
    expect((await poor.credits("", { ...forged, nano: "1000" })).status).toBe(200);
    expect(await available(`sponsor:${poor.developer}`)).toBe(0n);
    expect(await available(`sponsor:${rich.developer}`)).toBe(deposit);
    expect(await available(`credit:${rich.id}:802`)).toBe(0n);
    // Another bot's charge is another charge.
    expect((await rich.credits("/refunds", { user: 802, chargeId: "never-paid" })).json).toMatchObject({
      takenBackNano: "0",
    });
    expect(await available(`credit:${poor.id}:802`)).toBe(1_000n);
    expect((await network.gateway.ledger.audit()).sumNano).toBe(0n);
  });

  it("is sold by a bot's own key alone, in whole amounts of what exists", async () => {
    const bot = await newBot();
    const sale = { user: 803, chargeId: "c", stars: 1, nano: "1" };
    const developer = await network.clientOf(bot.developer);
    for (const client of [developer, bot.asks(803), await bot.opened(803)]) {
      for (const [path, body] of [
        ["", sale],
        ["/offers", { user: 803, id: "i", stars: 1, nano: "1" }],
        ["/refunds", { user: 803, chargeId: "c" }],
      ] as const) {
        const { status, json } = await post(client, `/v1/credits${path}`, body);
        expect([status, json.error?.code]).toEqual([403, "FORBIDDEN"]);
      }
    }
    for (const wrong of [
      { ...sale, nano: "0" },
      { ...sale, nano: "-1" },
      { ...sale, nano: "1.5" },
      { ...sale, stars: 0 },
      { ...sale, stars: 100_001 },
      { ...sale, user: 0 },
      { ...sale, chargeId: "" },
      { ...sale, chargeId: "x".repeat(257) },
      { ...sale, extra: 1 },
    ]) {
      const { status } = await bot.credits("", wrong);
      expect(status, JSON.stringify(wrong)).toBe(400);
    }
    expect((await bot.credits("", sale)).status).toBe(200);
  });

  it("is listed for people of that bot, as far as the deposit goes", async () => {
    const bot = await newBot(1_000n);
    const products = [
      { stars: 1, nano: "1000", link: "https://t.me/$abcDEF_1" },
      { stars: 2, nano: "2000", link: "https://t.me/$abcDEF_2" },
    ];
    expect((await post(bot.client, "/v1/credits/products", { products }, "PUT")).status).toBe(200);
    const anna = await bot.opened(804);
    const listed = async (client: TestClient) =>
      creditProductsSchema.parse((await client.call("GET", "/v1/credits/products")).json).products;
    expect(await listed(anna)).toEqual(products.slice(0, 1));
    expect(await listed(await (await newBot()).opened(804))).toEqual([]);
    const hostile = [{ ...products[0], link: "https://evil.example/$abc" }];
    const { status } = await post(bot.client, "/v1/credits/products", { products: hostile }, "PUT");
    expect(status).toBe(400);
  });
});

describe("a forked bot", () => {
  it("that replays another bot's init data is refused, and so is one that nobody registered", async () => {
    const [bot, fork] = [await newBot(), await newBot()];
    const stolen = initData(bot.id, 901);
    const exchange = (botId: number, data: string) =>
      post(network.client, "/v1/tokens", { botId, initData: data });
    expect((await exchange(fork.id, stolen)).json.error?.code).toBe("INIT_DATA_INVALID");
    expect((await exchange(999_999, stolen)).json.error?.code).toBe("BOT_NOT_REGISTERED");
    expect((await exchange(bot.id, stolen)).status).toBe(200);
  });
});

describe("receipts", () => {
  it("of the one who asked come with everything that judges them, and are nobody else's to see", async () => {
    const bot = await newBot();
    const node = await network.join({ model: "proof-silk" });
    const anna = bot.asks(701);
    for (let n = 0; n < 3; n++) await answered(anna, node, "proof-silk");
    const page = accountReceiptsSchema.parse((await anna.call("GET", "/v1/account/receipts?limit=2")).json);
    expect(page.receipts).toHaveLength(2);
    const rest = accountReceiptsSchema.parse(
      (await anna.call("GET", `/v1/account/receipts?limit=2&before=${page.next}`)).json,
    );
    expect(rest).toMatchObject({ receipts: [{ model: "proof-silk", paidBy: "allowance" }], next: null });
    const [first] = rest.receipts;
    const path = `/v1/account/receipts/${first?.id}`;
    const proof = receiptProofSchema.parse((await anna.call("GET", path)).json);
    expect(proof).toMatchObject({
      paidBy: "allowance",
      node: node.identity.node,
      chargedNano: `${answerNano}`,
    });
    const { receipt } = proof.signed;
    if (proof.price === null || proof.attestation === null || proof.ack === null)
      throw new Error("incomplete");
    const { id: _, ...row } = proof.price;
    expect(priceId({ ...row, nanoPerUnit: BigInt(row.nanoPerUnit) })).toBe(receipt.priceId);
    expect(BigInt(receipt.units) * BigInt(row.nanoPerUnit)).toBe(answerNano);
    expect(JSON.parse(fromUtf8(fromBase64(proof.attestation.statement))).node).toBe(proof.node);
    expect(nextReceiptsHash(proof.ack.previousHash, receipt)).toBe(proof.ack.ack.receiptsHash);
    expect(proof.ack.ack).toMatchObject({ n: 1, cumulativeNano: proof.nodeNano });
    const spending = spendingSchema.parse((await anna.call("GET", "/v1/account/spending")).json);
    expect(spending.days).toHaveLength(30);
    expect(spending.days.at(-1)).toMatchObject({
      spentNano: "0",
      freeNano: `${3n * answerNano}`,
      requests: 3,
    });

    // Its sponsor paid it and may see it; other people, other developers and the bot itself may not.
    const sponsor = await network.clientOf(bot.developer);
    expect((await sponsor.call("GET", path)).status).toBe(200);
    for (const other of [bot.asks(702), network.client, bot.client]) {
      expect((await other.call("GET", path)).json.error?.code).toBe("NOT_FOUND");
    }
    expect((await anna.call("GET", "/v1/account/receipts/999999999")).json.error?.code).toBe("NOT_FOUND");
    expect((await anna.call("GET", "/v1/account/statement?limit=0")).json.error?.code).toBe("BAD_REQUEST");
    expect((await anna.call("GET", "/v1/account/statement?offset=1")).json.error?.code).toBe("UNKNOWN_FIELD");
  });
});
