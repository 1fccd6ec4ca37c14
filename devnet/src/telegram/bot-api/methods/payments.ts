import { z } from "zod";
import { badRequest } from "../api-error.ts";
import { announcePerson } from "../world/accounts.ts";
import { chatForBot, privateChat } from "../world/chats.ts";
import { postMessage } from "../world/messages.ts";
import type { InvoiceState } from "../world/state.ts";
import { newToken, unixTime } from "../world/world.ts";
import { type Method, type MethodContext, method } from "./method.ts";
import { boolean, integer, json, placement } from "./parameters.ts";
import { sendAs } from "./sending.ts";

/** Stars: what digital goods are sold for in Telegram, and all that this stand-in takes. */
const STARS = "XTR";
const MAX_STARS = 100_000;
const MAX_PAYLOAD_BYTES = 128;
const SUBSCRIPTION_PERIOD_S = 2_592_000;

const price = z.object({
  label: z.string().min(1, "can't parse labeled price: LabeledPrice label must be non-empty"),
  amount: z.number().int(),
});
const invoice = {
  title: z.string().min(1, "invoice title must be non-empty").max(32, "INVOICE_TITLE_TOO_LONG"),
  description: z
    .string()
    .min(1, "invoice description must be non-empty")
    .max(255, "INVOICE_DESCRIPTION_TOO_LONG"),
  payload: z
    .string()
    .refine((text) => text !== "" && Buffer.byteLength(text) <= MAX_PAYLOAD_BYTES, "INVOICE_PAYLOAD_INVALID"),
  provider_token: z.string().optional(),
  currency: z.string(),
  prices: json(
    z
      .array(price, { error: "expected an Array of labeled prices" })
      .min(1, "there must be at least one price"),
    "prices",
  ),
  start_parameter: z.string().optional(),
};

const sendInvoice = method(z.object({ ...placement, ...invoice }), (context, parameters) => {
  const amount = readAmount(parameters);
  const message = sendAs(
    context,
    parameters,
    {
      invoice: {
        title: parameters.title,
        description: parameters.description,
        start_parameter: parameters.start_parameter ?? "",
        currency: parameters.currency,
        total_amount: amount,
      },
      // Without a keyboard of its own the message gets a button that pays.
      reply_markup: { inline_keyboard: [[{ text: `Pay ⭐️${amount}`, pay: true }]] },
    },
    { isInvoice: true },
  );
  const chat = chatForBot(context.world, context.bot, parameters.chat_id);
  keep(context, `${chat.key}/${message.message_id}`, parameters, amount);
  return message;
});

const createInvoiceLink = method(
  z.object({ ...invoice, subscription_period: integer.optional() }),
  (context, parameters) => {
    const amount = readAmount(parameters);
    const period = parameters.subscription_period;
    if (period !== undefined && period !== SUBSCRIPTION_PERIOD_S)
      throw badRequest("SUBSCRIPTION_PERIOD_INVALID");
    const slug = `$${newToken(context.world, 12)}`;
    keep(context, slug, parameters, amount, period);
    return `https://t.me/${slug}`;
  },
);

const answerPreCheckoutQuery = method(
  z.object({
    pre_checkout_query_id: z.coerce.string(),
    ok: boolean,
    error_message: z.string().optional(),
  }),
  ({ world, bot }, { pre_checkout_query_id: id, ok, error_message: reason }) => {
    const query = world.passing.preCheckouts.get(id);
    if (query?.botId !== bot.user.id) {
      throw badRequest("query is too old and response timeout expired or query ID is invalid");
    }
    if (!ok && !reason) throw badRequest("ERROR_TEXT_EMPTY");
    query.answer(ok ? { ok: true } : { ok: false, reason: reason ?? "" });
    return true;
  },
);

const refundStarPayment = method(
  z.object({ user_id: integer, telegram_payment_charge_id: z.string() }),
  ({ world, bot }, { user_id: userId, telegram_payment_charge_id: chargeId }) => {
    const person = world.state.persons[userId];
    if (!person) throw badRequest("USER_ID_INVALID");
    const payment = bot.transactions.find(({ id, source }) => id === chargeId && source !== undefined);
    const payer = payment?.source?.type === "user" ? payment.source.user.id : undefined;
    if (!payment || payer !== userId) throw badRequest("CHARGE_ID_INVALID");
    if (bot.transactions.some(({ id, receiver }) => id === chargeId && receiver !== undefined)) {
      throw badRequest("CHARGE_ALREADY_REFUNDED");
    }
    if (bot.stars < payment.amount) throw badRequest("BALANCE_TOO_LOW");
    bot.stars -= payment.amount;
    person.stars += payment.amount;
    // A refund has the id of its payment, as in Telegram: what tells them apart is the side.
    bot.transactions.push({
      id: chargeId,
      amount: payment.amount,
      date: unixTime(world),
      receiver: { type: "user", transaction_type: "invoice_payment", user: person.user },
    });
    announcePerson(world, person);
    const source =
      payment.source?.type === "user" && "invoice_payload" in payment.source ? payment.source : undefined;
    postMessage(world, privateChat(world, bot, person), person.user, {
      refunded_payment: {
        currency: STARS,
        total_amount: payment.amount,
        invoice_payload: source?.invoice_payload ?? "",
        telegram_payment_charge_id: chargeId,
      },
    });
    return true;
  },
);

const getMyStarBalance = method(z.object({}), ({ bot }) => ({ amount: bot.stars }));

const getStarTransactions = method(
  z.object({ offset: integer.optional(), limit: integer.optional() }),
  ({ bot }, { offset = 0, limit = 100 }) => ({
    // Oldest first, as Telegram counts the offset.
    transactions: bot.transactions.slice(offset, offset + Math.min(Math.max(limit, 1), 100)),
  }),
);

export const paymentMethods: Readonly<Record<string, Method>> = {
  sendInvoice,
  createInvoiceLink,
  answerPreCheckoutQuery,
  refundStarPayment,
  getMyStarBalance,
  getStarTransactions,
};

interface InvoiceInput {
  readonly title: string;
  readonly payload: string;
  readonly currency: string;
  readonly provider_token?: string | undefined;
  readonly prices: readonly { readonly amount: number }[];
}

function readAmount({ currency, provider_token: token = "", prices }: InvoiceInput): number {
  if (currency !== STARS) throw badRequest(token === "" ? "PAYMENT_PROVIDER_INVALID" : "CURRENCY_INVALID");
  const [first, ...rest] = prices;
  if (first === undefined || rest.length > 0) throw badRequest("STARS_INVOICE_INVALID");
  if (first.amount < 1 || first.amount > MAX_STARS) throw badRequest("CURRENCY_TOTAL_AMOUNT_INVALID");
  return first.amount;
}

function keep(
  { world, bot }: MethodContext,
  key: string,
  { title, payload, currency }: InvoiceInput,
  amount: number,
  subscriptionPeriodS?: number,
): void {
  const state: InvoiceState = {
    botId: bot.user.id,
    title,
    payload,
    currency,
    amount,
    ...(subscriptionPeriodS !== undefined && { subscriptionPeriodS }),
  };
  world.state.invoiceLinks[key] = state;
  world.changed();
}
