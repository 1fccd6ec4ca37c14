import * as z from "zod";
import type { StateDirectory } from "../state/state-directory.ts";
import { type Child, startChild } from "./child.ts";

const entry = new URL("../../../bot/src/main.ts", import.meta.url);
const readySchema = z.object({ event: z.literal("ready"), username: z.string() });
export type BotReady = z.infer<typeof readySchema>;

/** Below the state: history, seen updates, keys. */
export const botFolder = "bot";

/** Where the bot finds Telegram: the local Bot API, or the real one by polling or by webhook. */
export interface TelegramAccess {
  readonly token: string;
  /** Absent for the real Telegram. */
  readonly apiRoot?: string | undefined;
  readonly webhook?:
    | { readonly url: string; readonly secret: string; readonly port?: number | undefined }
    | undefined;
}

/** The token and the key go to this process alone, through its environment. */
export function botProcess(options: {
  state: StateDirectory;
  telegram: TelegramAccess;
  gateway: string;
  /** A bot key of the gateway: every person has an account of their own. */
  apiKey: string;
  policyFile: string;
  model: string;
  /** Who answers /paysupport and gives Stars back; with nobody the bot sells nothing. */
  operatorId?: number | undefined;
  /** Address of the Mini App. */
  publicUrl: string | undefined;
}): { child: Child; ready: Promise<BotReady> } {
  const { token, apiRoot, webhook } = options.telegram;
  return startChild({
    name: "The bot",
    entry,
    args: [],
    environment: {
      BOT_TOKEN: token,
      ...(apiRoot !== undefined && { BOT_API_ROOT: apiRoot }),
      ...(webhook && {
        BOT_WEBHOOK: webhook.url,
        BOT_WEBHOOK_SECRET: webhook.secret,
        ...(webhook.port !== undefined && { BOT_WEBHOOK_PORT: String(webhook.port) }),
      }),
      BOMBYX_GATEWAY: options.gateway,
      BOMBYX_API_KEY: options.apiKey,
      BOMBYX_POLICY: options.policyFile,
      BOMBYX_MODEL: options.model,
      BOT_DATA_DIR: options.state.path(botFolder),
      ...(options.operatorId !== undefined && { BOT_OPERATOR_ID: String(options.operatorId) }),
      ...(options.publicUrl !== undefined && { PUBLIC_URL: options.publicUrl }),
      BOT_READY_JSON: "1",
    },
    logFile: options.state.path("logs", "bot.log"),
    ready: readySchema,
  });
}
