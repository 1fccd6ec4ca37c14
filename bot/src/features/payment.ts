import { BombyxError } from "@bombyx/sdk";
import { Composer, GrammyError } from "grammy";
import type { BotContext } from "../context.ts";
import type { Log } from "../log.ts";
import type { Cashier } from "../money/cashier.ts";

/** What Telegram says of payments: may it be made, it was made, it was given back. */
export function paymentFeature({
  cashier,
  log,
}: {
  cashier: Cashier | undefined;
  log: Log;
}): Composer<BotContext> {
  const feature = new Composer<BotContext>();

  feature.on("pre_checkout_query", async (ctx) => {
    const { id, from, total_amount: stars, invoice_payload: payload } = ctx.preCheckoutQuery;
    let refusal: string | undefined = ctx.t("topup-none");
    if (cashier !== undefined) {
      try {
        await cashier.offer({ id, userId: from.id, stars, payload });
        refusal = undefined;
      } catch (error) {
        log.warn({ err: error }, "a payment was not admitted");
        refusal = ctx.t(refusalText(error));
      }
    }
    try {
      await ctx.answerPreCheckoutQuery(refusal === undefined, refusal);
    } catch (error) {
      // Too late: Telegram has refused the payment by itself, and nothing was charged.
      if (!(error instanceof GrammyError) || error.error_code !== 400) throw error;
      log.warn({ err: error }, "a pre-checkout was answered too late");
    }
  });

  feature.on("message:successful_payment", async (ctx) => {
    const {
      telegram_payment_charge_id: chargeId,
      total_amount: stars,
      invoice_payload,
    } = ctx.message.successful_payment;
    const payment = {
      chargeId,
      userId: ctx.from.id,
      stars,
      payload: invoice_payload,
      language: ctx.language,
    };
    await cashier?.paid(payment);
  });

  feature.on("message:refunded_payment", async (ctx) => {
    const {
      telegram_payment_charge_id: chargeId,
      total_amount: stars,
      invoice_payload,
    } = ctx.message.refunded_payment;
    // Telegram says it in the payer's chat.
    const payment = {
      chargeId,
      userId: ctx.chat.id,
      stars,
      payload: invoice_payload,
      language: ctx.language,
    };
    await cashier?.wasRefunded(payment);
  });

  return feature;
}

function refusalText(error: unknown): string {
  if (!(error instanceof BombyxError)) return "checkout-later";
  if (error.code === "CREDIT_UNAVAILABLE") return "checkout-sold-out";
  if (error.code === "PRICE_UNKNOWN") return "checkout-old";
  return "checkout-later";
}
