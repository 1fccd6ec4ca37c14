import { describe, expect, it } from "vitest";
import { type BotWorld, sent, startBotWorld, wordsOf } from "./bot-world.ts";

const selling = { nanoPerStar: 5_000_000n };

/** /topup, the button for 100 Stars, and the invoice that comes. */
async function invoiced(world: BotWorld, languageCode = "en") {
  const person = await world.telegram.createPerson({ languageCode });
  const seat = person.privateChat(world.account);
  await seat.send("/topup");
  const { messageId } = await sent(
    world,
    languageCode === "ru" ? "Сколько добавить?" : "How much do you want",
  );
  await seat.press(messageId, "⭐ 100");
  const invoice = await world.telegram.until(() =>
    world
      .calls("sendInvoice")
      .findLast((call) => call.response?.ok === true && call.payload.chat_id === person.id),
  );
  const result = Object(invoice.response?.ok === true ? invoice.response.result : undefined);
  return { person, seat, invoice, invoiceId: Number(Reflect.get(result, "message_id")) };
}

const paidWith = (outcome: { status: string; chargeId?: string }): string => {
  if (outcome.status !== "paid" || outcome.chargeId === undefined) throw new Error(JSON.stringify(outcome));
  return outcome.chargeId;
};

describe("credit for Stars", () => {
  it("is chosen by a button, paid by an invoice, and there once, in the person's language", async () => {
    await using world = await startBotWorld(selling);
    const { person, seat, invoice, invoiceId } = await invoiced(world);
    expect(invoice.payload).toMatchObject({
      chat_id: person.user.id,
      title: "Credit for answers",
      payload: "credit1:100:500000000",
      currency: "XTR",
      prices: [{ label: "Credit for ⭐ 100", amount: 100 }],
    });
    const chargeId = paidWith(await seat.pay(invoiceId));
    const done = await sent(world, "100 received");
    expect(wordsOf(done)).toContain("Your credit is ⭐ 100 now");
    expect(world.calls("answerPreCheckoutQuery").map(({ payload }) => payload.ok)).toEqual([true]);
    expect(world.till.offers).toMatchObject([{ user: person.user.id, stars: 100, nano: 500_000_000n }]);
    expect([...world.till.sales.values()]).toMatchObject([
      { user: person.user.id, chargeId, stars: 100, nano: 500_000_000n, refunded: false },
    ]);
    const ivan = await invoiced(world, "ru");
    await ivan.seat.pay(ivan.invoiceId);
    expect(wordsOf(await sent(world, "спасибо"))).toContain("Теперь ваш запас — ⭐ 100");
    await seat.send("/topup");
    await sent(world, "75 % are left");
  });

  it("is not sold beyond the deposit, at an old price, or while the gateway is away: nothing is charged", async () => {
    await using world = await startBotWorld(selling);
    const { person, seat, invoiceId } = await invoiced(world);
    const stars = person.stars;
    world.till.deposit = 499_999_999n;
    expect(await seat.pay(invoiceId)).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("cannot be sold"),
    });
    world.till.deposit = 10n ** 12n;
    world.till.away = true;
    expect(await seat.pay(invoiceId)).toMatchObject({
      status: "failed",
      reason: expect.stringContaining("in a minute"),
    });
    world.till.away = false;
    expect(person.stars).toBe(stars);
    expect(world.till.sales.size).toBe(0);
    paidWith(await seat.pay(invoiceId));
    await sent(world, "100 received");
    expect(person.stars).toBe(stars - 100);
  });

  it("comes once, also when the gateway is away as Telegram tells of it and the bot dies in between", async () => {
    await using world = await startBotWorld(selling);
    const { person, seat, invoiceId } = await invoiced(world);
    // It is there for the pre-checkout, and gone for the payment.
    const { offer } = world.till;
    world.till.offer = async (asked) => {
      await offer.call(world.till, asked);
      world.till.away = true;
    };
    paidWith(await seat.pay(invoiceId));
    await sent(world, "Your Stars have arrived");
    expect(world.till.credit(person.user.id)).toBe(0n);
    await world.restart();
    expect(world.till.credit(person.user.id)).toBe(0n);
    world.till.away = false;
    await world.restart();
    await sent(world, "100 received");
    await world.restart();
    await world.restart();
    expect(world.till.credit(person.user.id)).toBe(500_000_000n);
    expect(world.calls("sendMessage").filter((call) => wordsOf(call).includes("100 received"))).toHaveLength(
      1,
    );
  });

  it("that is bought in the Mini App by a link counts for whoever paid", async () => {
    await using world = await startBotWorld(selling);
    const { products } = await world.till.shown;
    const [cheapest] = products;
    expect(cheapest).toMatchObject({
      stars: 25,
      nano: "125000000",
      link: expect.stringContaining("https://t.me/$"),
    });
    const anna = await world.telegram.createPerson();
    anna.privateChat(world.account);
    paidWith(await anna.payLink(cheapest?.link ?? ""));
    await sent(world, "25 received");
    expect(world.till.credit(anna.user.id)).toBe(125_000_000n);
    // The links last: another start makes none.
    await world.restart();
    expect(world.calls("createInvoiceLink")).toHaveLength(4);
  });

  it("for which nothing can be given any more goes back by itself", async () => {
    await using world = await startBotWorld(selling);
    const { person, seat, invoiceId } = await invoiced(world);
    const stars = person.stars;
    const { offer } = world.till;
    world.till.offer = async (asked) => {
      await offer.call(world.till, asked);
      world.till.deposit = 0n;
    };
    paidWith(await seat.pay(invoiceId));
    await sent(world, "100 went back to you");
    expect(person.stars).toBe(stars);
    expect(world.till.credit(person.user.id)).toBe(0n);
  });

  it("is not sold where nobody answers for it", async () => {
    await using world = await startBotWorld();
    const anna = (await world.telegram.createPerson()).privateChat(world.account);
    await anna.send("/topup");
    await sent(world, "Nothing is sold here");
    expect(world.calls("createInvoiceLink")).toEqual([]);
  });
});

describe("a payment that is given back", () => {
  it("by the operator's button under what the person wrote, once, and by nobody else", async () => {
    await using world = await startBotWorld(selling);
    const operator = world.operator.privateChat(world.account);
    await operator.send("/start");
    const { person, seat, invoiceId } = await invoiced(world);
    const stars = person.stars;
    const chargeId = paidWith(await seat.pay(invoiceId));
    await sent(world, "100 received");
    await seat.send("/paysupport");
    expect(wordsOf(await sent(world, "Help with a payment"))).toContain("credited");
    await seat.send("/paysupport I pressed the wrong button");
    const { messageId, payload } = await sent(world, "I pressed the wrong button");
    expect(payload.chat_id).toBe(world.operator.id);
    // Anna has no such command, and the button's words do nothing from her.
    await seat.send(`/refund ${chargeId}`);
    await operator.press(messageId, [0, 0]);
    await sent(world, "100 went back to you");
    expect(person.stars).toBe(stars);
    expect(world.till.credit(person.user.id)).toBe(0n);
    await operator.send(`/refund ${chargeId}`);
    await sent(world, "This was given back before");
    await operator.send("/refund nothing");
    await sent(world, "I know no such payment");
    expect(world.calls("refundStarPayment")).toHaveLength(1);
    expect(world.calls("refundStarPayment")[0]?.payload).toEqual({
      user_id: person.user.id,
      telegram_payment_charge_id: chargeId,
    });
  });

  it("by Telegram itself loses its credit, too", async () => {
    await using world = await startBotWorld(selling);
    const { person, seat, invoiceId } = await invoiced(world);
    const chargeId = paidWith(await seat.pay(invoiceId));
    await sent(world, "100 received");
    await fetch(`${world.api.url}/bot${world.account.token}/refundStarPayment`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ user_id: person.user.id, telegram_payment_charge_id: chargeId }),
    });
    await sent(world, "100 went back to you");
    expect(world.till.credit(person.user.id)).toBe(0n);
  });

  it("while the gateway is away is finished when it is back", async () => {
    await using world = await startBotWorld(selling);
    const operator = world.operator.privateChat(world.account);
    const { person, seat, invoiceId } = await invoiced(world);
    const chargeId = paidWith(await seat.pay(invoiceId));
    await sent(world, "100 received");
    world.till.away = true;
    await operator.send(`/refund ${chargeId}`);
    await sent(world, "I go on trying");
    expect(world.till.credit(person.user.id)).toBe(500_000_000n);
    world.till.away = false;
    await world.restart();
    await sent(world, "100 went back to you");
    expect(world.till.credit(person.user.id)).toBe(0n);
  });
});

describe("the bot", () => {
  it("says the terms in both languages, and shows the commands only where it sells", async () => {
    await using world = await startBotWorld(selling);
    const anna = (await world.telegram.createPerson()).privateChat(world.account);
    const ivan = (await world.telegram.createPerson({ languageCode: "ru" })).privateChat(world.account);
    await anna.send("/terms");
    await sent(world, "What you buy");
    await ivan.send("/terms");
    await sent(world, "Что вы покупаете");
    const commands = JSON.stringify(world.calls("setMyCommands").map(({ payload }) => payload.commands));
    expect(commands).toContain("paysupport");
    await using other = await startBotWorld();
    const without = JSON.stringify(other.calls("setMyCommands").map(({ payload }) => payload.commands));
    expect(without).not.toContain("paysupport");
  });

  it("tells a person whose credit runs low, once per event, also after a restart", async () => {
    await using world = await startBotWorld(selling);
    const anna = await world.telegram.createPerson();
    await anna.privateChat(world.account).send("/start");
    const low = {
      id: 7,
      at: 0,
      type: "balance.low" as const,
      account: `person:${world.account.id}:${anna.user.id}`,
      machine: null,
      node: null,
      name: "credit",
      message: null,
    };
    world.till.tell(low);
    await sent(world, "Your credit is nearly used up");
    await world.restart();
    world.till.tell({ ...low, id: 8, type: "node.online" as never });
    world.till.tell({ ...low, id: 9, account: "developer:acme" });
    world.till.tell({ ...low, id: 10 });
    await world.telegram.until(() =>
      world.calls("sendMessage").filter((call) => wordsOf(call).includes("nearly used up")).length === 2
        ? true
        : undefined,
    );
  });
});
