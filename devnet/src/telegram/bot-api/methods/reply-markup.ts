import type { InlineKeyboardMarkup } from "@grammyjs/types";
import { z } from "zod";
import { badRequest } from "../api-error.ts";
import type { ReplyKeyButton, ReplyKeyboardView } from "../interface.ts";
import { checkedLink, isLoopback } from "../text/links.ts";

const MAX_BUTTONS = 100;
const MAX_CALLBACK_DATA_BYTES = 64;
const MAX_COPIED_LENGTH = 256;

const webApp = z.looseObject({ url: z.string() });
const inlineButton = z.looseObject({
  text: z.string({ error: "can't parse inline keyboard button: Can't find field \"text\"" }),
  url: z.string().optional(),
  callback_data: z.string().optional(),
  web_app: webApp.optional(),
  copy_text: z.looseObject({ text: z.string() }).optional(),
  pay: z.boolean().optional(),
});
const replyButton = z.union([z.string(), z.looseObject({ text: z.string(), web_app: webApp.optional() })]);
const replyKeyboard = z.looseObject({
  keyboard: z.array(z.array(replyButton)),
  one_time_keyboard: z.boolean().optional(),
  input_field_placeholder: z.string().max(64).optional(),
});

const markup = z.union([
  z.looseObject({ inline_keyboard: z.array(z.array(inlineButton)) }),
  replyKeyboard,
  z.looseObject({ remove_keyboard: z.literal(true) }),
  z.looseObject({ force_reply: z.literal(true) }),
]);

/** Each inline button does exactly one of these. */
const ACTIONS = [
  "url",
  "callback_data",
  "web_app",
  "login_url",
  "switch_inline_query",
  "switch_inline_query_current_chat",
  "switch_inline_query_chosen_chat",
  "copy_text",
  "callback_game",
  "pay",
  "disabled",
];

export interface MarkupPlace {
  readonly isPrivate: boolean;
  readonly isInvoice?: boolean;
}

/**
 * Checks `reply_markup` as Telegram does, and gives what a message carries of it: only inline keyboards are shown there.
 * @throws BotApiError 400, e.g. `BUTTON_DATA_INVALID`.
 */
export function readReplyMarkup(input: unknown, place: MarkupPlace): InlineKeyboardMarkup | undefined {
  if (input === undefined || input === null || input === "") return undefined;
  const parsed = markup.safeParse(typeof input === "string" ? parseJson(input) : input);
  if (!parsed.success) throw badRequest("object expected as reply markup");
  if ("keyboard" in parsed.data) {
    for (const button of (parsed.data.keyboard as z.infer<typeof replyButton>[][]).flat()) {
      if ((typeof button === "string" ? button : button.text) === "") throw badRequest("BUTTON_TEXT_INVALID");
      if (typeof button === "object" && button.web_app) checkWebApp(button.text, button.web_app.url, place);
    }
    return undefined;
  }
  if (!("inline_keyboard" in parsed.data)) return undefined;
  const rows = (parsed.data.inline_keyboard as z.infer<typeof inlineButton>[][]).filter(
    (row) => row.length > 0,
  );
  if (rows.flat().length > MAX_BUTTONS) throw badRequest("reply markup is too long");
  for (const [index, button] of rows.flat().entries()) checkButton(button, { isFirst: index === 0, place });
  return rows.length === 0 ? undefined : ({ inline_keyboard: rows } as unknown as InlineKeyboardMarkup);
}

/**
 * What a message's `reply_markup` does to the keyboard of its chat, once {@link readReplyMarkup} has taken it.
 * @returns null when it takes the keyboard away, undefined when it leaves it
 */
export function readReplyKeyboard(input: unknown): Omit<ReplyKeyboard, "messageId"> | null | undefined {
  const parsed = markup.safeParse(typeof input === "string" && input !== "" ? parseJson(input) : input);
  if (!parsed.success) return undefined;
  if ("remove_keyboard" in parsed.data) return null;
  const given = replyKeyboard.safeParse(parsed.data);
  if (!given.success) return undefined;
  const { keyboard, one_time_keyboard: isOneTime = false, input_field_placeholder: placeholder } = given.data;
  const buttons = keyboard
    .filter((row) => row.length > 0)
    .map((row) => row.map((button) => (typeof button === "string" ? { text: button } : button)));
  const pages = buttons.flat().flatMap(({ text, web_app: app }) => (app ? [[text, app.url]] : []));
  return {
    rows: buttons.map((row) => row.map((button) => ({ text: button.text, does: deedOf(button) }))),
    isOneTime,
    ...(placeholder !== undefined && { placeholder }),
    pages: Object.fromEntries(pages),
  };
}

type ReplyKeyboard = ReplyKeyboardView & { readonly pages: Readonly<Record<string, string>> };

function deedOf(button: object): ReplyKeyButton["does"] {
  if ("web_app" in button) return "mini_app";
  return Object.keys(button).some((field) => field.startsWith("request_")) ? "other" : "text";
}

/** @throws BotApiError 400, e.g. `BUTTON_DATA_INVALID` */
export function checkButton(
  button: z.infer<typeof inlineButton>,
  { isFirst, place }: { readonly isFirst: boolean; readonly place: MarkupPlace },
): void {
  if (button.text.trim() === "") throw badRequest("BUTTON_TEXT_INVALID");
  const actions = ACTIONS.filter((action) => button[action] !== undefined && button[action] !== "");
  if (actions.length === 0) throw badRequest("Text buttons are unallowed in the inline keyboard");
  if (actions.length > 1) throw badRequest("BUTTON_TYPE_INVALID");
  const { url, callback_data: data, web_app: app, copy_text: copied } = button;
  if (data !== undefined && Buffer.byteLength(data) > MAX_CALLBACK_DATA_BYTES)
    throw badRequest("BUTTON_DATA_INVALID");
  if (url !== undefined && url !== "" && checkedLink(url) === undefined)
    throw badRequest("BUTTON_URL_INVALID");
  if (app) checkWebApp(button.text, app.url, place);
  if (copied && (copied.text === "" || copied.text.length > MAX_COPIED_LENGTH))
    throw badRequest("BUTTON_COPY_TEXT_INVALID");
  if (button.pay && !(place.isInvoice && isFirst)) throw badRequest("BUTTON_POS_INVALID");
}

/**
 * A Mini App's address: https, and in private chats only. http is taken from this machine, where no certificate is:
 * that much this stand-in allows beyond Telegram.
 */
function checkWebApp(text: string, source: string, { isPrivate }: MarkupPlace): void {
  if (!isPrivate) throw badRequest("BUTTON_TYPE_INVALID");
  checkMiniAppUrl(
    source,
    (reason) => `inline keyboard button '${text}' Web App URL '${source}' is invalid: ${reason}`,
  );
}

/** @throws BotApiError 400 with the sentence that `words` makes of the reason. */
export function checkMiniAppUrl(source: string, words: (reason: string) => string): void {
  let url: URL;
  try {
    url = new URL(source);
  } catch {
    throw badRequest(words("URL host is empty"));
  }
  if (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url.hostname))) return;
  throw badRequest(words("Only HTTPS links are allowed"));
}

function parseJson(source: string): unknown {
  try {
    return JSON.parse(source);
  } catch {
    throw badRequest("can't parse reply keyboard markup JSON object");
  }
}
