import { AccountClient } from "@bombyx/sdk/account";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { botProcess } from "../src/processes/bot.ts";
import type { Child } from "../src/processes/child.ts";
import {
  type BotAccount,
  type LocalBotApi,
  type Person,
  startLocalBotApi,
} from "../src/telegram/bot-api/local-bot-api.ts";
import { botId, botKey, startNetwork, type TestNetwork } from "./network.ts";
import "./patience.ts";

/** A person pays in Stars, between the bot, a gateway and a local Bot API, each its own; any of them may be killed. */
describe("credit for Stars on a real network", () => {
  let network: TestNetwork;
  let api: LocalBotApi;
  let account: BotAccount;
  let operator: Person;
  let apiKey: string;
  let bot: Child;

  beforeAll(async () => {
    [network, api] = await Promise.all([
      startNetwork({ nodes: 1, instruments: { gatewayEnvironment: { BOMBYX_ALLOWANCE_NANO: "0" } } }),
      startLocalBotApi({ limits: "off" }),
    ]);
    account = await api.telegram.createBot({ username: "bombyx_bot", token: `${botId}:${"A".repeat(35)}` });
    operator = await api.telegram.createPerson();
    apiKey = await botKey(network);
    bot = await startBot();
  });
  afterAll(async () => {
    await bot.stop(5_000);
    await api.close();
    await network[Symbol.asyncDispose]();
  });

  async function startBot(): Promise<Child> {
    const { child, ready } = botProcess({
      state: network.state,
      telegram: { token: account.token, apiRoot: api.url },
      gateway: network.gateway.url,
      apiKey,
      policyFile: network.state.path("policy.js"),
      model: network.model,
      operatorId: operator.id,
      publicUrl: undefined,
    });
    await ready;
    return child;
  }

  const moneyOf = (person: Person) =>
    new AccountClient({ gateway: network.gateway.url, apiKey, telegramUser: `${person.id}` });
  const creditOf = async (person: Person) => BigInt((await moneyOf(person).money()).starsNano);
  const told = (person: Person, words: string) =>
    api.telegram.until(
      () =>
        api.telegram.calls.find(
          ({ method, payload, response }) =>
            method === "sendMessage" &&
            response?.ok === true &&
            payload.chat_id === person.id &&
            String(payload.text).includes(words),
        ),
      { timeoutMs: 60_000 },
    );
  const nano = (stars: number) => BigInt(stars) * 5_000_000n;

  /** /topup, the button for so many Stars, and the invoice's id. */
  async function invoiced(person: Person, stars: number): Promise<number> {
    const seat = person.privateChat(account);
    const before = invoices(person).length;
    await seat.send("/topup");
    const asked = await told(person, "How much do you want");
    const message = Object(asked.response?.ok === true ? asked.response.result : undefined);
    await seat.press(Number(Reflect.get(message, "message_id")), `⭐ ${stars}`);
    await api.telegram.until(() => invoices(person).length > before, { timeoutMs: 30_000 });
    return invoices(person).at(-1) ?? 0;
  }

  const invoices = (person: Person) =>
    api.telegram.calls
      .filter(
        ({ method, payload, response }) =>
          method === "sendInvoice" && payload.chat_id === person.id && response?.ok === true,
      )
      .map(({ response }) =>
        Number(Reflect.get(Object(response?.ok === true ? response.result : undefined), "message_id")),
      );

  it("is bought, spent where nothing is free, and what is left is given back by the operator, to the nano", async () => {
    const anna = await api.telegram.createPerson();
    const seat = anna.privateChat(account);
    const purse = anna.stars;
    const answers = () =>
      api.telegram.calls
        .filter(({ method, response }) => method === "sendRichMessage" && response?.ok === true)
        .map(({ payload }) => JSON.stringify(payload.rich_message));
    await seat.send("What is the capital of France?");
    await api.telegram.until(() => answers().length === 1, { timeoutMs: 60_000 });
    expect(answers()[0]).toContain("allowance for answers is used up");

    const paid = await seat.pay(await invoiced(anna, 100));
    if (paid.status !== "paid") throw new Error(paid.reason);
    await told(anna, "100 received");
    expect(await creditOf(anna)).toBe(nano(100));
    expect(anna.stars).toBe(purse - 100);

    await seat.send("What is the capital of France?");
    await api.telegram.until(() => answers().length === 2, { timeoutMs: 60_000 });
    expect(answers()[1]).toContain("Paris");
    const { receipts } = await moneyOf(anna).receipts();
    expect(receipts).toMatchObject([{ paidBy: "stars", model: network.model, finish: "done" }]);
    const spent = BigInt(receipts[0]?.chargedNano ?? "0");
    expect(spent).toBeGreaterThan(0n);
    expect(await creditOf(anna)).toBe(nano(100) - spent);

    await operator.privateChat(account).send(`/refund ${paid.chargeId}`);
    await told(anna, "100 went back");
    expect(anna.stars).toBe(purse);
    expect(await creditOf(anna)).toBe(0n);
    const { lines } = await moneyOf(anna).statement();
    expect(lines.map(({ kind, direction, nano: moved, stars }) => [kind, direction, moved, stars])).toEqual([
      ["refund", "out", `${nano(100) - spent}`, 100],
      ["request", "out", `${spent}`, null],
      ["stars", "in", `${nano(100)}`, 100],
    ]);
  });

  it("comes exactly once when the bot is killed the moment it was paid for", async () => {
    const boris = await api.telegram.createPerson();
    const invoice = await invoiced(boris, 25);
    let bought = 0;
    for (let round = 0; round < 3; round++) {
      const paid = await boris.privateChat(account).pay(invoice);
      if (paid.status !== "paid") throw new Error(paid.reason);
      bought += 25;
      bot.kill("SIGKILL");
      await bot.exited;
      bot = await startBot();
      await expect
        .poll(async () => await creditOf(boris), { timeout: 60_000, interval: 50 })
        .toBe(nano(bought));
    }
    expect(await creditOf(boris)).toBe(nano(75));
    expect((await moneyOf(boris).statement()).lines).toHaveLength(3);
  });

  it("is not charged while the gateway is dead, and what was paid as it died is there when it is back", async () => {
    const clara = await api.telegram.createPerson();
    const invoice = await invoiced(clara, 25);
    const purse = clara.stars;
    const seat = clara.privateChat(account);
    await network.killGateway();
    expect(await seat.pay(invoice)).toMatchObject({ status: "failed" });
    expect(clara.stars).toBe(purse);
    await network.restartGateway();
    expect(await seat.pay(invoice)).toMatchObject({ status: "paid" });
    await network.killGateway();
    await network.restartGateway();
    // Whatever the bot had told the dead gateway, it tells the living one; at the latest at its next start.
    await bot.stop(5_000);
    bot = await startBot();
    await expect.poll(async () => await creditOf(clara), { timeout: 60_000, interval: 50 }).toBe(nano(25));
    expect(clara.stars).toBe(purse - 25);
  });
});
