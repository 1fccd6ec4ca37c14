import type { Patience, PaymentOutcome } from "../interface.ts";
import { announcePerson } from "../world/accounts.ts";
import { privateChat } from "../world/chats.ts";
import { postMessage } from "../world/messages.ts";
import type { BotState, ChatState, InvoiceState, PersonState } from "../world/state.ts";
import { queueUpdate, wants } from "../world/updates.ts";
import { emit, newDigits, newToken, unixTime, type World } from "../world/world.ts";
import { owedAnswer } from "./owed-answer.ts";
import { PeopleError } from "./speaking.ts";

/** A bot that has not answered the pre-checkout by then has refused it. */
const PRE_CHECKOUT_MS = 10_000;

/** Pre-checkout, then the payment and its service message. Nothing is charged unless the bot agrees. */
export async function payInvoice(
  world: World,
  person: PersonState,
  invoice: InvoiceState,
  patience: Patience = {},
): Promise<PaymentOutcome> {
  const bot = world.state.bots[invoice.botId];
  if (!bot) throw new PeopleError("the bot of this invoice is gone");
  const chat = privateChat(world, bot, person);
  const outcome = await settle(world, { person, bot, chat, invoice }, patience);
  emit(world, { type: "payment", chat: chat.key, outcome });
  return outcome;
}

interface Payment {
  readonly person: PersonState;
  readonly bot: BotState;
  readonly chat: ChatState;
  readonly invoice: InvoiceState;
}

async function settle(world: World, payment: Payment, patience: Patience): Promise<PaymentOutcome> {
  const { person, bot, chat, invoice } = payment;
  if (person.stars < invoice.amount) return { status: "failed", reason: "not enough Stars" };
  const decision = await askBot(world, payment, patience);
  if (!decision.ok) return { status: "failed", reason: decision.reason };
  if (person.stars < invoice.amount) return { status: "failed", reason: "not enough Stars" };
  const chargeId = `stx${newToken(world, 32)}`;
  const now = unixTime(world);
  const subscription = invoice.subscriptionPeriodS;
  person.stars -= invoice.amount;
  bot.stars += invoice.amount;
  bot.transactions.push({
    id: chargeId,
    amount: invoice.amount,
    date: now,
    source: {
      type: "user",
      transaction_type: "invoice_payment",
      user: person.user,
      invoice_payload: invoice.payload,
    },
  });
  announcePerson(world, person);
  chat.hasStarted = true;
  postMessage(world, chat, person.user, {
    successful_payment: {
      currency: invoice.currency,
      total_amount: invoice.amount,
      invoice_payload: invoice.payload,
      telegram_payment_charge_id: chargeId,
      provider_payment_charge_id: "",
      ...(subscription !== undefined && {
        subscription_expiration_date: now + subscription,
        is_recurring: true as const,
        is_first_recurring: true as const,
      }),
    },
  });
  return { status: "paid", chargeId };
}

type Decision = { readonly ok: true } | { readonly ok: false; readonly reason: string };

async function askBot(
  world: World,
  { person, bot, invoice }: Payment,
  patience: Patience,
): Promise<Decision> {
  if (!wants(bot, "pre_checkout_query")) {
    return { ok: false, reason: "the bot does not ask for pre_checkout_query in allowed_updates" };
  }
  const late = (): Decision => ({ ok: false, reason: "the bot did not answer the pre-checkout in 10 s" });
  return owedAnswer({ clock: world.clock, lifeMs: PRE_CHECKOUT_MS, patience, late }, (answer) => {
    const { preCheckouts } = world.passing;
    const id = newDigits(world);
    preCheckouts.set(id, { botId: bot.user.id, answer });
    queueUpdate(world, bot, {
      pre_checkout_query: {
        id,
        from: person.user,
        currency: invoice.currency,
        total_amount: invoice.amount,
        invoice_payload: invoice.payload,
      },
    });
    return () => preCheckouts.delete(id);
  });
}
