import { Composer } from "grammy";
import type { BotContext } from "../context.ts";
import { isForBot } from "./question.ts";
import { say } from "./say.ts";

const kinds = {
  voice: "voice",
  audio: "voice",
  video_note: "video",
  video: "video",
  animation: "video",
  photo: "photo",
  document: "document",
  sticker: "sticker",
} as const;

/** Whatever is no text gets a friendly word, so that nobody waits for an answer that does not come. */
export function unsupportedFeature(): Composer<BotContext> {
  const feature = new Composer<BotContext>();
  // Telegram's own notices, a pinned message for example, are nothing that somebody said.
  const said = [
    "message:file",
    "message:location",
    "message:contact",
    "message:poll",
    "message:dice",
    "message:story",
  ] as const;
  feature.on([...said], async (ctx) => {
    const { message } = ctx;
    if (!isForBot(ctx, message)) return;
    const found = Object.entries(kinds).find(([field]) => field in message);
    await say(ctx, ctx.t("unsupported", { kind: found?.[1] ?? "other" }));
  });
  return feature;
}
