import { createHmac, type KeyObject, sign } from "node:crypto";
import type { User } from "@grammyjs/types";

/** Telegram's own light theme. */
export const LIGHT_THEME: Readonly<Record<string, string>> = {
  bg_color: "#ffffff",
  text_color: "#000000",
  hint_color: "#707579",
  link_color: "#3390ec",
  button_color: "#3390ec",
  button_text_color: "#ffffff",
  secondary_bg_color: "#f4f4f5",
  header_bg_color: "#ffffff",
  bottom_bar_bg_color: "#ffffff",
  accent_text_color: "#3390ec",
  section_bg_color: "#ffffff",
  section_header_text_color: "#3390ec",
  section_separator_color: "#e7e7e7",
  subtitle_text_color: "#707579",
  destructive_text_color: "#df3f40",
};

export interface InitDataFields {
  readonly botId: number;
  readonly botToken: string;
  readonly user: User;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly queryId: string;
  readonly startParam?: string;
}

/**
 * Init data as Telegram signs it, twice: `hash` for the bot's own server, `signature` for everybody else.
 * @see https://core.telegram.org/bots/webapps#validating-data-received-via-the-mini-app
 * @see https://core.telegram.org/bots/webapps#validating-data-for-third-party-use
 */
export function signInitData(
  { botId, botToken, user, at, queryId, startParam }: InitDataFields,
  key: KeyObject,
): string {
  const { id, first_name, last_name, username, language_code } = user;
  const fields: Record<string, string> = {
    query_id: queryId,
    user: JSON.stringify({
      id,
      first_name,
      last_name: last_name ?? "",
      username,
      language_code,
      allows_write_to_pm: true,
    }),
    auth_date: String(Math.floor(at / 1_000)),
    ...(startParam !== undefined && { start_param: startParam }),
  };
  const lines = () =>
    Object.entries(fields)
      .map(([name, value]) => `${name}=${value}`)
      .sort()
      .join("\n");
  const signature = sign(null, Buffer.from(`${botId}:WebAppData\n${lines()}`), key).toString("base64url");
  // The bot's own hash covers the signature too; third parties leave both out.
  fields.signature = signature;
  const secret = createHmac("sha256", "WebAppData").update(botToken).digest();
  const hash = createHmac("sha256", secret).update(lines()).digest("hex");
  return new URLSearchParams({ ...fields, hash }).toString();
}

export interface LaunchParameters {
  readonly initData: string;
  readonly version: string;
  readonly platform: string;
  readonly theme: Readonly<Record<string, string>>;
}

/** The address that a Telegram app opens: the page, and the launch parameters behind `#`. */
export function launchUrl(page: string, { initData, version, platform, theme }: LaunchParameters): string {
  const parameters = new URLSearchParams({
    tgWebAppData: initData,
    tgWebAppVersion: version,
    tgWebAppPlatform: platform,
    tgWebAppThemeParams: JSON.stringify(theme),
  });
  const [base = "", fragment] = page.split("#");
  // A page's own fragment stays in front, as Telegram leaves it.
  return `${base}#${fragment === undefined || fragment === "" ? "" : `${fragment}&`}${parameters}`;
}
