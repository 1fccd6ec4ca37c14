import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { autoRetry } from "@grammyjs/auto-retry";
import { Bot, GrammyError, HttpError, InlineKeyboard, InputFile, webhookCallback } from "grammy";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  type BotAccount,
  type LocalBotApi,
  type LocalBotApiOptions,
  ManualClock,
  startLocalBotApi,
} from "./local-bot-api.ts";
import { wire } from "./test-bot.ts";

let api: LocalBotApi;
let account: BotAccount;
const stops: (() => Promise<unknown>)[] = [];

beforeEach(() => start());
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function start(options: LocalBotApiOptions = {}): Promise<void> {
  api = await startLocalBotApi(options);
  stops.push(() => api.close());
  account = await api.telegram.createBot({ username: "echo_bot" });
}

const grammyBot = () => new Bot(account.token, { client: { apiRoot: api.url } });

function polling(setUp: (bot: Bot) => unknown): Bot {
  const bot = grammyBot();
  setUp(bot);
  const running = bot.start();
  stops.push(async () => {
    await bot.stop();
    await running;
  });
  return bot;
}

describe("a grammY bot that polls", () => {
  it("hears a command and answers it", async () => {
    polling((bot) =>
      bot.command("start", (context) =>
        context.reply(`Hello, ${context.from?.first_name}: ${context.match}`),
      ),
    );
    const ada = await api.telegram.createPerson({ firstName: "Ada" });
    const seat = await ada.start(account, "ref_1");
    const answer = await seat.chat.until(({ lastFromBot }) => lastFromBot);
    expect(answer.text).toBe("Hello, Ada: ref_1");
    expect(seat.chat.messages.map(({ message_id, text }) => [message_id, text])).toEqual([
      [1, "/start ref_1"],
      [2, "Hello, Ada: ref_1"],
    ]);
  });

  it("streams a draft whose Stop button it hears", async () => {
    polling((bot) => {
      bot.on("message", (context) =>
        context.api.raw.sendMessageDraft({
          chat_id: context.chat.id,
          draft_id: 7,
          text: "thinking alo",
          can_stop: true,
        }),
      );
      bot.on("stopped_message_generation", (context) =>
        context.api.sendMessage(context.update.stopped_message_generation.chat.id, "stopped"),
      );
    });
    const seat = (await api.telegram.createPerson()).privateChat(account);
    await seat.send("hi");
    const [draft] = await seat.chat.until(({ drafts }) => drafts.length > 0 && drafts);
    expect(draft).toMatchObject({ draftId: 7, text: "thinking alo", canStop: true });
    await seat.stop();
    expect((await seat.chat.until(({ lastFromBot }) => lastFromBot)).text).toBe("stopped");
  });

  it("answers buttons, edits and sends rich messages", async () => {
    polling((bot) => {
      bot.command("menu", (context) =>
        context.reply("Pick", {
          reply_markup: new InlineKeyboard().text("A", "a").url("Docs", "https://ton.org/"),
        }),
      );
      bot.callbackQuery("a", async (context) => {
        await context.editMessageText("Picked A");
        await context.answerCallbackQuery("ok");
        await context.api.raw.sendRichMessage({
          chat_id: context.from.id,
          rich_message: { markdown: "# Done" },
        });
      });
    });
    const seat = (await api.telegram.createPerson()).privateChat(account);
    await seat.send("/menu");
    const { message_id } = await seat.chat.until(({ lastFromBot }) => lastFromBot);
    expect(await seat.press(message_id, "Docs")).toEqual({ kind: "url", url: "https://ton.org/" });
    expect(await seat.press(message_id, "A")).toMatchObject({ kind: "answered", text: "ok" });
    const rich = await seat.chat.until(({ messages }) => messages.find((message) => message.rich_message));
    expect(rich.rich_message?.blocks).toEqual([{ type: "heading", size: 1, text: "Done" }]);
    expect(seat.chat.messages.find((message) => message.message_id === message_id)).toMatchObject({
      text: "Picked A",
      edit_date: expect.any(Number),
    });
  });

  it("uploads a file as multipart, and fetches what a person sent", async () => {
    const bot = polling((one) =>
      one.on("message:document", (context) =>
        context.replyWithPhoto(new InputFile(PNG, "dot.png"), { caption: "<b>dot</b>", parse_mode: "HTML" }),
      ),
    );
    const seat = (await api.telegram.createPerson()).privateChat(account);
    const sent = await seat.sendDocument(Buffer.from("paper"), { fileName: "a.txt", mimeType: "text/plain" });
    const answer = await seat.chat.until(({ lastFromBot }) => lastFromBot);
    expect(answer).toMatchObject({
      caption: "dot",
      caption_entities: [{ type: "bold", offset: 0, length: 3 }],
    });
    expect(answer.photo).toMatchObject([{ width: 1, height: 1, file_size: PNG.length }]);
    const file = await bot.api.getFile(sent.document!.file_id);
    const content = await fetch(`${api.url}/file/bot${account.token}/${file.file_path}`);
    expect(await content.text()).toBe("paper");
    // The same file once more by its id, without its bytes.
    const again = await bot.api.sendPhoto(seat.chat.id, answer.photo![0]!.file_id);
    expect(again.photo).toEqual(answer.photo);
  });

  it("sells for Stars: pre-checkout, payment, refund once", async () => {
    const paid: string[] = [];
    polling((bot) => {
      bot.command("buy", (context) =>
        context.replyWithInvoice("100 answers", "A pack", "pack:100", "XTR", [{ label: "Pack", amount: 50 }]),
      );
      bot.on("pre_checkout_query", (context) =>
        context.answerPreCheckoutQuery(context.preCheckoutQuery.invoice_payload === "pack:100"),
      );
      bot.on(
        "message:successful_payment",
        (context) => void paid.push(context.message.successful_payment.telegram_payment_charge_id),
      );
    });
    const ada = await api.telegram.createPerson({ stars: 60 });
    const seat = ada.privateChat(account);
    await seat.send("/buy");
    const invoice = await seat.chat.until(({ lastFromBot }) => lastFromBot);
    expect(invoice.reply_markup?.inline_keyboard).toEqual([[{ text: "Pay ⭐️50", pay: true }]]);
    const outcome = await seat.pay(invoice.message_id);
    expect(outcome).toMatchObject({ status: "paid" });
    await expect.poll(() => paid.length).toBe(1);
    expect(outcome).toEqual({ status: "paid", chargeId: paid[0] });
    expect(ada.stars).toBe(10);
    expect(await seat.pay(invoice.message_id)).toEqual({ status: "failed", reason: "not enough Stars" });
    const ask = wire(api, account);
    const refund = { user_id: ada.id, telegram_payment_charge_id: paid[0] };
    expect((await ask("refundStarPayment", refund)).ok).toBe(true);
    expect((await ask("refundStarPayment", refund)).description).toBe("Bad Request: CHARGE_ALREADY_REFUNDED");
    expect(ada.stars).toBe(60);
    expect(await ask("getMyStarBalance")).toMatchObject({ result: { amount: 0 } });
  });

  it("loses nothing in a storm of 429 when it retries", async () => {
    polling((bot) => {
      bot.api.config.use(autoRetry({ maxRetryAttempts: 5, maxDelaySeconds: 1 }));
      bot.on("message", (context) => context.reply("at last"));
    });
    api.telegram.fail({
      method: "sendMessage",
      how: { kind: "flood", retryAfterS: 1 },
      when: ({ payload }) => payload.text === "at last",
    });
    const seat = (await api.telegram.createPerson()).privateChat(account);
    await seat.send("hi");
    await seat.chat.until(({ lastFromBot }) => lastFromBot);
    const sends = api.telegram.calls.filter(({ method }) => method === "sendMessage");
    expect(
      sends.map(({ response }) =>
        response?.ok === false && "error_code" in response ? response.error_code : 200,
      ),
    ).toEqual([429, 200]);
  }, 10_000);

  it("sees a cut connection as one, whether or not the message was sent", async () => {
    const bot = grammyBot();
    const seat = await (await api.telegram.createPerson()).start(account);
    for (const effect of ["none", "done"] as const) {
      api.telegram.fail({ method: "sendMessage", how: { kind: "drop", effect } });
      await expect(bot.api.sendMessage(seat.chat.id, effect)).rejects.toThrow(HttpError);
    }
    expect(seat.chat.messages.map(({ text }) => text)).toEqual(["/start", "done"]);
  });

  it("loses its poll to another one", async () => {
    const bot = grammyBot();
    const first = bot.api.getUpdates({ timeout: 30 }).catch((error: unknown) => error);
    await expect.poll(() => api.telegram.calls.map(({ method }) => method)).toEqual(["getUpdates"]);
    const second = bot.api.getUpdates({ timeout: 30 });
    expect(await first).toMatchObject({
      error_code: 409,
      description:
        "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
    });
    await (await api.telegram.createPerson()).start(account);
    expect(await second).toHaveLength(1);
  });
});

describe("a grammY bot behind a webhook", () => {
  let server: Server;

  async function serve(setUp: (bot: Bot) => unknown, secretToken: string): Promise<string> {
    const bot = grammyBot();
    setUp(bot);
    bot.catch(() => undefined);
    const handle = webhookCallback(bot, "http", { secretToken });
    server = createServer((request, response) => {
      handle(request, response).catch(() => response.writeHead(500).end());
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    stops.push(() => new Promise((resolve) => server.close(resolve)));
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  }

  it("is called with its secret, and an update that fails comes again before the next", async () => {
    const clock = new ManualClock();
    await start({ clock });
    const heard: string[] = [];
    let isBroken = true;
    const url = await serve(
      (bot) =>
        bot.on("message:text", (context) => {
          heard.push(context.message.text);
          if (isBroken) throw new Error("not yet");
        }),
      "s3cret",
    );
    const ask = wire(api, account);
    expect(await ask("setWebhook", { url, secret_token: "s3cret" })).toEqual({
      ok: true,
      result: true,
      description: "Webhook was set",
    });
    const seat = (await api.telegram.createPerson()).privateChat(account);
    await seat.send("one");
    await seat.send("two");
    await expect
      .poll(
        async () =>
          ((await ask("getWebhookInfo")).result as { last_error_message?: string }).last_error_message,
      )
      .toBe("Wrong response from the webhook: 500 Internal Server Error");
    expect(heard).toEqual(["one"]);
    isBroken = false;
    clock.advance(1_000);
    await expect.poll(() => account.pending.length).toBe(0);
    expect(heard).toEqual(["one", "one", "two"]);
  });

  it("is not heard with another secret", async () => {
    const url = await serve((bot) => bot.on("message", (context) => context.reply("hi")), "right");
    const ask = wire(api, account);
    await ask("setWebhook", { url, secret_token: "wrong" });
    const seat = (await api.telegram.createPerson()).privateChat(account);
    await seat.send("one");
    await expect
      .poll(async () => (await ask("getWebhookInfo")).result)
      .toMatchObject({
        pending_update_count: 1,
        last_error_message: "Wrong response from the webhook: 401 Unauthorized",
      });
    // The right one is heard at once: setting it begins anew.
    await ask("setWebhook", { url, secret_token: "right" });
    expect((await seat.chat.until(({ lastFromBot }) => lastFromBot)).text).toBe("hi");
  });

  it("may not poll meanwhile", async () => {
    const ask = wire(api, account);
    await ask("setWebhook", { url: "https://bot.example/hook" });
    const error = await grammyBot()
      .api.getUpdates()
      .catch((one: unknown) => one);
    expect(error).toBeInstanceOf(GrammyError);
    expect(error).toMatchObject({
      error_code: 409,
      description:
        "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
    });
    expect(await ask("deleteWebhook", { drop_pending_updates: true })).toMatchObject({
      description: "Webhook was deleted",
    });
    expect(await grammyBot().api.getUpdates()).toEqual([]);
  });

  it("hears the same update twice when Telegram sends it twice", async () => {
    const heard: number[] = [];
    const url = await serve(
      (bot) => bot.on("message", (context) => void heard.push(context.update.update_id)),
      "s",
    );
    await wire(api, account)("setWebhook", { url, secret_token: "s" });
    await (await api.telegram.createPerson()).start(account);
    await expect.poll(() => heard.length).toBe(1);
    api.telegram.redeliver(heard[0]!);
    await expect.poll(() => heard.length).toBe(2);
    expect(heard[1]).toBe(heard[0]);
  });
});

const PNG = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
