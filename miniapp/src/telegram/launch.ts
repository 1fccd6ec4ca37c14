/** What Telegram puts into the fragment of a Mini App's address when it opens it. */
export interface Launch {
  /** Signed init data, as it came; the gateway checks the signature. */
  readonly initData: string;
  /** Version of the bridge, like `9.1`; `6.0` when the client does not say. */
  readonly version: string;
  /** `ios`, `android`, `tdesktop`, `web`, …; `unknown` when the client does not say. */
  readonly platform: string;
  /** Colours by Telegram's names, `#rrggbb`; empty when the client sent none. */
  readonly theme: Readonly<Record<string, string>>;
  /** BCP 47 tag of the person's app, unsigned until the gateway judged the init data; for display only. */
  readonly language: string | undefined;
  /** Telegram's number of the person, unsigned likewise: it keeps people who share a device apart. */
  readonly user: number | undefined;
}

const storageKey = "bombyx/launch";

/** The part of `sessionStorage` that is used; in some web views it throws. */
export type LaunchStorage = Pick<Storage, "getItem" | "setItem">;

/**
 * Reads the fragment; after a reload, when it is gone from the address, what this tab's session kept.
 * Nothing here throws: a client may send anything, and the page must still open.
 * @returns `undefined` outside Telegram. @see https://docs.telegram-mini-apps.com/platform/launch-parameters
 */
export function readLaunch(fragment: string, storage: LaunchStorage | undefined): Launch | undefined {
  const fresh = parseLaunch(fragment);
  if (fresh) {
    quietly(() => storage?.setItem(storageKey, fragment));
    return fresh;
  }
  return parseLaunch(quietly(() => storage?.getItem(storageKey)) ?? "");
}

function parseLaunch(fragment: string): Launch | undefined {
  const fields = new URLSearchParams(fragment.replace(/^#/, ""));
  const initData = fields.get("tgWebAppData");
  if (!initData) return undefined;
  const version = fields.get("tgWebAppVersion") ?? "";
  return {
    initData,
    version: /^\d+\.\d+$/.test(version) ? version : "6.0",
    platform: fields.get("tgWebAppPlatform") ?? "unknown",
    theme: parseTheme(fields.get("tgWebAppThemeParams")),
    ...personOf(initData),
  };
}

function parseTheme(json: string | null): Record<string, string> {
  const value = quietly((): unknown => JSON.parse(json ?? "{}"));
  return themeColours(value);
}

/** Keeps what is a colour and drops the rest, so that nothing else reaches a style. */
export function themeColours(value: unknown): Record<string, string> {
  if (typeof value !== "object" || value === null) return {};
  const colours: Record<string, string> = {};
  for (const [name, colour] of Object.entries(value)) {
    if (typeof colour === "string" && /^#[0-9a-f]{6}$/i.test(colour)) colours[name] = colour.toLowerCase();
  }
  return colours;
}

function personOf(initData: string): Pick<Launch, "language" | "user"> {
  const user = quietly((): unknown => JSON.parse(new URLSearchParams(initData).get("user") ?? "{}"));
  const { language_code: language, id } = (typeof user === "object" && user !== null ? user : {}) as {
    readonly language_code?: unknown;
    readonly id?: unknown;
  };
  return {
    language: typeof language === "string" ? language : undefined,
    user: typeof id === "number" && Number.isSafeInteger(id) ? id : undefined,
  };
}

function quietly<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
