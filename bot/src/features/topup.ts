import { BombyxError } from "@bombyx/sdk";
import { Composer, InlineKeyboard } from "grammy";
import type { BotContext } from "../context.ts";
import { type Cashier, invoiceWords } from "../money/cashier.ts";
import { inStars, payloadOf, priceOf, starAmounts } from "../money/star-price.ts";
import type { Till } from "../money/till.ts";
import { say } from "./say.ts";

export interface TopupDeps {
  /** Absent where nothing is sold. */
  readonly cashier?: Cashier | undefined;
  readonly till: Till;
}

/**
 * /topup (and /balance): what is left, and buttons that make an invoice in Telegram Stars. The money itself moves when
 * Telegram says that somebody paid, see `payment.ts`.
 */
export function topupFeature({ cashier, till }: TopupDeps): Composer<BotContext> {
  const feature = new Composer<BotContext>();

  feature.command(["topup", "balance"], async (ctx) => {
    if (ctx.chat.type !== "private") return await say(ctx, ctx.t("topup-private"));
    const balance = await balanceText(ctx);
    if (cashier === undefined) return await say(ctx, `${balance}\n\n${ctx.t("topup-none")}`);
    const keyboard = new InlineKeyboard();
    for (const [at, stars] of starAmounts.entries()) {
      keyboard.text(`⭐ ${stars}`, `topup:${stars}`);
      if (at % 2 === 1) keyboard.row();
    }
    await say(ctx, `${balance}\n\n${ctx.t("topup-choose")}`, { reply_markup: keyboard });
  });

  feature.callbackQuery(/^topup:([0-9]{1,6})$/, async (ctx) => {
    const stars = starAmounts.find((amount) => String(amount) === ctx.match[1]);
    if (cashier === undefined || stars === undefined) {
      return await ctx.answerCallbackQuery({ text: ctx.t("topup-none"), show_alert: true });
    }
    await ctx.answerCallbackQuery();
    const { title, description, label } = invoiceWords(ctx.t, stars);
    const payload = payloadOf(priceOf(stars, cashier.sale.nanoPerStar));
    await ctx.api.sendInvoice(ctx.place.chatId, title, description, payload, "XTR", [
      { label, amount: stars },
    ]);
  });

  /** A gateway that does not answer keeps nobody from paying. */
  const balanceText = async (ctx: BotContext): Promise<string> => {
    try {
      const { allowance, starsNano } = await till.money(ctx.place.chatId);
      const limit = BigInt(allowance?.limitNano ?? "0");
      const percent = limit === 0n ? 0 : Number((BigInt(allowance?.leftNano ?? "0") * 100n) / limit);
      const free = limit === 0n ? "" : ctx.t("topup-free", { percent });
      const bought =
        cashier && ctx.t("topup-credit", { credit: inStars(BigInt(starsNano), cashier.sale.nanoPerStar) });
      return [free, bought].filter((text) => text).join("\n\n") || ctx.t("topup-nothing");
    } catch (error) {
      if (!(error instanceof BombyxError)) throw error;
      return ctx.t("error-unreachable");
    }
  };

  return feature;
}
