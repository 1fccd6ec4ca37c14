import { Composer, InlineKeyboard } from "grammy";
import type { BotContext } from "../context.ts";
import type { Cashier } from "../money/cashier.ts";
import type { Store } from "../store/open-store.ts";
import type { Payment } from "../store/payments.ts";
import { asWritten, say } from "./say.ts";

export interface PaysupportDeps {
  readonly cashier: Cashier | undefined;
  readonly store: Store;
}

const shown = 10;
/** What a person may write to the operator at once. */
const mostCharacters = 1_000;

/**
 * /paysupport: a person's payments, and a word to the operator, who gives Stars back with a button under it or with
 * /refund and the payment's number. Telegram asks every bot that sells for it.
 */
export function paysupportFeature({ cashier, store }: PaysupportDeps): Composer<BotContext> {
  const feature = new Composer<BotContext>();
  const isOperator = (ctx: BotContext) => cashier !== undefined && ctx.from?.id === cashier.sale.operatorId;

  feature.command("paysupport", async (ctx) => {
    if (ctx.chat.type !== "private" || ctx.from === undefined) return await say(ctx, ctx.t("topup-private"));
    if (cashier === undefined) return await say(ctx, ctx.t("topup-none"));
    const payments = await store.payments.of(ctx.from.id, shown);
    const words = ctx.match.trim().slice(0, mostCharacters);
    if (words === "") {
      const lines = payments.map((payment) => `- ${line(ctx, payment)}`).join("\n");
      return await say(ctx, [ctx.t("paysupport"), lines].filter((text) => text !== "").join("\n\n"));
    }
    const keyboard = new InlineKeyboard();
    for (const { chargeId, stars, state, at } of payments) {
      if (state !== "credited" && state !== "paid") continue;
      const button = `refund:${await shortOf(store, chargeId)}`;
      keyboard.text(ctx.t("refund-button", { stars, date: dateOf(at) }), button).row();
    }
    await ctx.api.sendMessage(
      cashier.sale.operatorId,
      ctx.t("paysupport-request", { user: String(ctx.from.id), words }),
      keyboard.inline_keyboard.length > 0 ? { reply_markup: keyboard } : {},
    );
    await say(ctx, ctx.t("paysupport-sent"));
  });

  feature.callbackQuery(/^refund:([0-9]{1,15})$/, async (ctx) => {
    if (!isOperator(ctx))
      return await ctx.answerCallbackQuery({ text: ctx.t("refund-not-yours"), show_alert: true });
    const payment = await store.payments.byNumber(Number(ctx.match[1]));
    await ctx.answerCallbackQuery({ text: await refund(ctx, payment?.chargeId), show_alert: true });
  });

  feature.command("refund", async (ctx, next) => {
    // To everybody else it is no command of ours.
    if (!isOperator(ctx)) return await next();
    const chargeId = ctx.match.trim();
    if (chargeId === "") return await say(ctx, ctx.t("refund-usage"));
    await say(ctx, await refund(ctx, chargeId));
  });

  const refund = async (ctx: BotContext, chargeId: string | undefined): Promise<string> => {
    const payment = chargeId === undefined ? undefined : await store.payments.find(chargeId);
    if (cashier === undefined || payment === undefined) return ctx.t("refund-unknown");
    if (payment.state === "refunded") return ctx.t("refund-was-done");
    try {
      await cashier.refund(payment.chargeId);
      return ctx.t("refund-done", { stars: payment.stars });
    } catch {
      // It stays under way, and is tried again every minute.
      return ctx.t("refund-waits");
    }
  };

  return feature;
}

const dateOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

const line = (ctx: BotContext, { stars, state, at, chargeId }: Payment): string =>
  ctx.t("paysupport-line", {
    stars,
    date: dateOf(at),
    state: ctx.t(`payment-is-${state}`),
    charge: asWritten(chargeId),
  });

/** A button carries 64 bytes, and a charge id may have more. */
const shortOf = async (store: Store, chargeId: string): Promise<number> =>
  (await store.payments.numberOf(chargeId)) ?? 0;
