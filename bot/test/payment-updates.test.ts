import { once } from "node:events";
import { createServer } from "node:net";
import type { Update } from "grammy/types";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type BotWorld, startBotWorld, wordsOf } from "./bot-world.ts";

const secret = "s".repeat(32);
let world: BotWorld;
let url: string;
let updates = 9_000_000;

beforeEach(async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  server.close();
  await once(server, "close");
  url = `http://127.0.0.1:${port}/telegram`;
  world = await startBotWorld({
    nanoPerStar: 5_000_000n,
    config: { webhook: { url, secret, host: "127.0.0.1", port } },
  });
});
afterEach(() => world[Symbol.asyncDispose]());

/** Hands the bot an update as Telegram does. */
async function deliver(update: Omit<Update, "update_id">): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", "x-telegram-bot-api-secret-token": secret },
    body: JSON.stringify({ update_id: ++updates, ...update }),
  });
  expect(response.status).toBe(200);
}

const anna = { id: 7_000_000_777, is_bot: false, first_name: "Anna", language_code: "en" };
const money = (chargeId: string, stars: number, payload: string) => ({
  currency: "XTR" as const,
  total_amount: stars,
  invoice_payload: payload,
  telegram_payment_charge_id: chargeId,
  provider_payment_charge_id: "",
});
const message = (content: object) =>
  ({
    message: {
      message_id: updates,
      date: Math.floor(Date.now() / 1_000),
      chat: { id: anna.id, type: "private", first_name: "Anna" },
      from: anna,
      ...content,
    },
  }) as unknown as Omit<Update, "update_id">;
const paid = (chargeId: string, stars = 100, payload = "credit1:100:500000000") =>
  message({ successful_payment: money(chargeId, stars, payload) });
const refunded = (chargeId: string, stars = 100, payload = "credit1:100:500000000") =>
  message({
    refunded_payment: money(chargeId, stars, payload),
    from: { ...anna, id: world.account.id, is_bot: true },
  });
const asked = (calls: number) => expect.poll(() => world.till.asked.length, { interval: 5 }).toBe(calls);

describe("what Telegram says of payments", () => {
  it("counts once, however often and under however many numbers it comes", async () => {
    for (let n = 0; n < 5; n++) await deliver(paid("stx-twice"));
    await expect.poll(() => world.till.credit(anna.id), { interval: 5 }).toBe(500_000_000n);
    await world.restart();
    await deliver(paid("stx-twice"));
    await deliver(paid("stx-other"));
    await expect.poll(() => world.till.credit(anna.id), { interval: 5 }).toBe(1_000_000_000n);
    expect(world.till.sales.size).toBe(2);
  });

  it("may come in the wrong order: a refund before its payment leaves no credit", async () => {
    await deliver(refunded("stx-late"));
    await asked(1);
    await deliver(paid("stx-late"));
    await deliver(paid("stx-next"));
    await expect.poll(() => world.till.sales.has("stx-next"), { interval: 5 }).toBe(true);
    expect(world.till.credit(anna.id)).toBe(500_000_000n);
    expect(world.till.sales.get("stx-late")?.refunded).toBe(true);
  });

  it("gives no credit for what is no invoice of ours, or for another sum than was paid", async () => {
    await deliver(paid("stx-forged", 1, "credit1:100:500000000"));
    await deliver(paid("stx-foreign", 100, "something else"));
    await deliver(paid("stx-honest"));
    await expect.poll(() => world.till.sales.has("stx-honest"), { interval: 5 }).toBe(true);
    expect([...world.till.sales.keys()]).toEqual(["stx-honest"]);
    // They are given back, not kept.
    await expect.poll(() => world.calls("refundStarPayment").length, { interval: 5 }).toBe(2);
  });

  it("of an invoice at an old price is refused before anything is charged; its twin at today's is not", async () => {
    const query = (id: string, payload: string, stars = 100) =>
      deliver({
        pre_checkout_query: {
          id,
          from: anna,
          currency: "XTR",
          total_amount: stars,
          invoice_payload: payload,
        },
      });
    const answers = () =>
      world.calls("answerPreCheckoutQuery").map(({ payload }) => [payload.ok, payload.error_message]);
    await query("1", "credit1:100:900000000");
    await expect.poll(() => answers().length, { interval: 5 }).toBe(1);
    await query("2", "credit1:100:500000000", 99);
    await expect.poll(() => answers().length, { interval: 5 }).toBe(2);
    await query("3", "credit1:100:500000000");
    await expect.poll(() => answers().length, { interval: 5 }).toBe(3);
    expect(answers()).toEqual([
      [false, expect.stringContaining("price has changed")],
      [false, expect.stringContaining("price has changed")],
      [true, undefined],
    ]);
    expect(world.till.offers).toEqual([{ user: anna.id, id: "3", stars: 100, nano: 500_000_000n }]);
  });

  it("outlives the person's /forget, and a bot that comes back hours later", async () => {
    world.till.away = true;
    await deliver(paid("stx-kept"));
    await asked(1);
    await deliver(message({ text: "/forget", entities: [{ type: "bot_command", offset: 0, length: 7 }] }));
    await expect
      .poll(() => world.calls("sendMessage").some((call) => wordsOf(call).includes("nothing to erase")), {
        interval: 5,
      })
      .toBe(true);
    world.till.away = false;
    await world.restart(6 * 3_600_000);
    await expect.poll(() => world.till.credit(anna.id), { interval: 5 }).toBe(500_000_000n);
  });
});
