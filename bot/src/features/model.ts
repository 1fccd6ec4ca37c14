import { createHash } from "node:crypto";
import { BombyxError } from "@bombyx/sdk";
import { Composer, InlineKeyboard } from "grammy";
import type { BotContext } from "../context.ts";
import type { Answerer, ModelOffer } from "../conversation/answerer.ts";
import type { Conversation } from "../conversation/conversation.ts";
import { errorText } from "../conversation/error-text.ts";
import type { Store } from "../store/open-store.ts";
import { asWritten, say } from "./say.ts";

export interface ModelDeps {
  readonly answerer: Answerer;
  readonly conversation: Conversation;
  readonly store: Store;
}

/** Telegram takes 100 buttons; nobody reads more than these. */
const mostModels = 20;

/** A button carries 64 bytes and a model's name may have 128: the name's hash stands for it. */
const buttonOf = (id: string): string =>
  `model:${createHash("sha256").update(id).digest("hex").slice(0, 16)}`;

/** /model: what the network serves now, as buttons; the choice holds for this chat or topic. */
export function modelFeature({ answerer, conversation, store }: ModelDeps): Composer<BotContext> {
  const feature = new Composer<BotContext>();

  feature.command("model", async (ctx) => {
    try {
      const offers = await answerer.models();
      if (offers.length === 0) return await say(ctx, ctx.t("model-none"));
      const chosen = await conversation.model(ctx.place);
      await say(ctx, ctx.t("model-choose"), { reply_markup: keyboard(ctx, offers, chosen) });
    } catch (error) {
      if (!(error instanceof BombyxError)) throw error;
      await say(ctx, errorText(error, ctx.t, ""));
    }
  });

  feature.callbackQuery(/^model:/, async (ctx) => {
    const offers = await answerer.models().catch(() => []);
    const offer = offers.find(({ id }) => buttonOf(id) === ctx.callbackQuery.data);
    if (offer === undefined)
      return await ctx.answerCallbackQuery({ text: ctx.t("model-gone"), show_alert: true });
    const before = await conversation.model(ctx.place);
    await store.places.chooseModel(ctx.place, offer.id);
    await ctx.answerCallbackQuery({ text: ctx.t("model-toast", { name: offer.id }).slice(0, 200) });
    if (before === offer.id) return;
    await ctx.editMessageReplyMarkup({ reply_markup: keyboard(ctx, offers, offer.id) });
    await say(ctx, ctx.t("model-chosen", { name: asWritten(offer.id) }));
    await conversation.prepare(ctx.place, ctx.from.id);
  });

  return feature;
}

function keyboard(ctx: BotContext, offers: readonly ModelOffer[], chosen: string): InlineKeyboard {
  const rows = offers.slice(0, mostModels).map(({ id, contextTokens, nodes }) => {
    const label = ctx.t("model-row", { name: id, context: contextTokens, nodes });
    return [InlineKeyboard.text(id === chosen ? `✓ ${label}` : label, buttonOf(id))];
  });
  return InlineKeyboard.from(rows);
}
