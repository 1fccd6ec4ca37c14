import type { BotCommand, BotCommandScope, MenuButton } from "@grammyjs/types";
import { z } from "zod";
import { badRequest } from "../api-error.ts";
import { announceBot } from "../world/accounts.ts";
import { commandsKey, scopeKey } from "../world/bot-texts.ts";
import { chatForBot, isGroup } from "../world/chats.ts";
import type { BotState } from "../world/state.ts";
import { type Method, type MethodContext, method } from "./method.ts";
import { chatId, integer, json } from "./parameters.ts";
import { checkMiniAppUrl } from "./reply-markup.ts";

const MAX_COMMANDS = 100;

const getMe = method(z.object({}), ({ bot }) => bot.user);
/** Both are for bots that move between servers; there is one here, so that they only answer. */
const logOut = method(z.object({}), () => true);
const close = method(z.object({}), () => true);

const languageCode = z
  .string()
  .regex(/^([a-z]{2})?$/, "LANGUAGE_CODE_INVALID: invalid language code specified")
  .optional();
const scope = json(
  z.looseObject({ type: z.string(), chat_id: chatId.optional(), user_id: integer.optional() }),
  "BotCommandScope",
).optional();
const command = z.object({
  command: z
    .string({ error: "can't parse BotCommand: Can't find field \"command\"" })
    .transform((name) => name.replace(/^\//, ""))
    .pipe(z.string().regex(/^[a-z0-9_]{1,32}$/, "BOT_COMMAND_INVALID")),
  description: z
    .string({ error: "can't parse BotCommand: Can't find field \"description\"" })
    .min(1, "command description must be non-empty")
    .max(256, "BOT_COMMAND_DESCRIPTION_INVALID"),
});

const setMyCommands = method(
  z.object({
    commands: json(
      z
        .array(command, { error: "expected an Array of BotCommand" })
        .max(MAX_COMMANDS, "BOT_COMMANDS_TOO_MUCH"),
      "commands",
    ),
    scope,
    language_code: languageCode,
  }),
  (context, { commands, scope, language_code: language = "" }) => {
    context.bot.commands[commandsKey(readScope(context, scope), language)] =
      commands as readonly BotCommand[];
    announceBot(context.world, context.bot);
    return true;
  },
);

const deleteMyCommands = method(
  z.object({ scope, language_code: languageCode }),
  (context, { scope, language_code: language = "" }) => {
    delete context.bot.commands[commandsKey(readScope(context, scope), language)];
    announceBot(context.world, context.bot);
    return true;
  },
);

const getMyCommands = method(
  z.object({ scope, language_code: languageCode }),
  (context, { scope, language_code: language = "" }) =>
    context.bot.commands[commandsKey(readScope(context, scope), language)] ?? [],
);

const SCOPES = new Map<string, readonly string[]>(
  Object.entries({
    default: [],
    all_private_chats: [],
    all_group_chats: [],
    all_chat_administrators: [],
    chat: ["chat_id"],
    chat_administrators: ["chat_id"],
    chat_member: ["chat_id", "user_id"],
  }),
);

function readScope({ world, bot }: MethodContext, given: z.infer<typeof scope>): string {
  if (given === undefined) return "default";
  const needed = SCOPES.get(given.type);
  if (needed === undefined) throw badRequest("can't parse BotCommandScope: Unsupported type specified");
  if (needed.includes("chat_id")) {
    if (given.chat_id === undefined)
      throw badRequest("can't parse BotCommandScope: Can't find field \"chat_id\"");
    chatForBot(world, bot, given.chat_id, "read");
  }
  if (needed.includes("user_id") && !given.user_id)
    throw badRequest("can't parse BotCommandScope: Invalid user_id specified");
  return scopeKey(given as BotCommandScope);
}

/** A pair of methods for one text of the bot's profile. */
function profileText(
  field: string,
  max: number,
  tooLong: string,
  texts: (bot: BotState) => Record<string, string>,
): { readonly get: Method; readonly set: Method } {
  return {
    set: method(
      z.object({ [field]: z.string().max(max, tooLong).optional(), language_code: languageCode }),
      ({ world, bot }, parameters) => {
        const language = parameters.language_code ?? "";
        const text = (parameters as Record<string, string | undefined>)[field] ?? "";
        if (text === "") delete texts(bot)[language];
        else texts(bot)[language] = text;
        if (field === "name" && language === "" && text !== "") bot.user = { ...bot.user, first_name: text };
        announceBot(world, bot);
        return true;
      },
    ),
    get: method(z.object({ language_code: languageCode }), ({ bot }, { language_code: language = "" }) => ({
      [field]: texts(bot)[language] ?? texts(bot)[""] ?? (field === "name" ? bot.user.first_name : ""),
    })),
  };
}

const name = profileText("name", 64, "BOT_TITLE_INVALID", ({ names }) => names);
const description = profileText(
  "description",
  512,
  "BOT_DESCRIPTION_INVALID",
  ({ descriptions }) => descriptions,
);
const shortDescription = profileText(
  "short_description",
  120,
  "ABOUT_TOO_LONG",
  (bot) => bot.shortDescriptions,
);

const menuButton = json(
  z.looseObject({
    type: z.enum(["commands", "web_app", "default"], {
      error: "can't parse menu button: MenuButton has unsupported type",
    }),
    text: z.string().optional(),
    web_app: z.looseObject({ url: z.string() }).optional(),
  }),
  "menu button",
).optional();

const setChatMenuButton = method(
  z.object({ chat_id: integer.optional(), menu_button: menuButton }),
  ({ world, bot }, { chat_id: id, menu_button: button = { type: "default" as const } }) => {
    if (id !== undefined) privateChatOnly({ world, bot }, id);
    if (button.type === "web_app") {
      if (!button.text) throw badRequest("can't parse menu button: Can't find field \"text\"");
      if (!button.web_app) throw badRequest("can't parse menu button: Can't find field \"web_app\"");
      const { url } = button.web_app;
      checkMiniAppUrl(url, (reason) => `menu button Web App URL '${url}' is invalid: ${reason}`);
    }
    // A chat without a button of its own shows everybody's.
    if (id !== undefined && button.type === "default") delete bot.menuButtons[id];
    else bot.menuButtons[id ?? "default"] = button as MenuButton;
    announceBot(world, bot);
    return true;
  },
);

const getChatMenuButton = method(
  z.object({ chat_id: integer.optional() }),
  ({ world, bot }, { chat_id: id }) => {
    if (id !== undefined) privateChatOnly({ world, bot }, id);
    const button = bot.menuButtons[id ?? "default"] ?? bot.menuButtons.default;
    return button === undefined || button.type === "default" ? { type: "commands" } : button;
  },
);

function privateChatOnly({ world, bot }: Pick<MethodContext, "world" | "bot">, id: number): void {
  if (isGroup(chatForBot(world, bot, id, "read"))) throw badRequest("PEER_ID_INVALID");
}

export const profileMethods: Readonly<Record<string, Method>> = {
  getMe,
  logOut,
  close,
  setMyCommands,
  deleteMyCommands,
  getMyCommands,
  setMyName: name.set,
  getMyName: name.get,
  setMyDescription: description.set,
  getMyDescription: description.get,
  setMyShortDescription: shortDescription.set,
  getMyShortDescription: shortDescription.get,
  setChatMenuButton,
  getChatMenuButton,
};
