import type { MessageEntity } from "@grammyjs/types";

/** Schemes that a link or a URL button may have. */
const SCHEMES = new Set(["http:", "https:", "tg:", "ton:", "tonsite:"]);

/** `tg://user?id=…`, or undefined. */
export function mentionedUserId(url: string): number | undefined {
  const id = /^tg:\/\/user\?id=(\d{1,15})$/.exec(url)?.[1];
  return id === undefined ? undefined : Number(id);
}

/**
 * The URL as Telegram stores it (a missing scheme becomes `http://`, a bare host gets its slash), or undefined where it
 * is none that Telegram would make clickable.
 */
export function checkedLink(source: string): string | undefined {
  const trimmed = source.trim();
  const withScheme =
    /^[a-z][a-z0-9+.-]*:/i.test(trimmed) && !/^[^/:]+:\d+(\/|$)/.test(trimmed)
      ? trimmed
      : `http://${trimmed}`;
  let url: URL;
  try {
    url = new URL(withScheme);
  } catch {
    return undefined;
  }
  if (!SCHEMES.has(url.protocol)) return undefined;
  const isWeb = url.protocol === "http:" || url.protocol === "https:";
  if (isWeb && (url.username !== "" || (!url.hostname.includes(".") && !isLoopback(url.hostname))))
    return undefined;
  return isWeb && url.pathname === "/" && !url.search && !url.hash ? url.href : withScheme;
}

/** This machine; Telegram would refuse it, a stand-in on this machine needs it. */
export function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** The entity for `[text](url)` or `<a href>`, or undefined where Telegram leaves plain text. */
export function linkEntity(
  url: string,
  place: { readonly offset: number; readonly length: number },
): MessageEntity | undefined {
  const userId = mentionedUserId(url);
  if (userId !== undefined) {
    return { type: "text_mention", user: { id: userId, is_bot: false, first_name: "" }, ...place };
  }
  const checked = checkedLink(url);
  return checked === undefined ? undefined : { type: "text_link", url: checked, ...place };
}

/** How a client writes an instant: `r` for relative, or weekday, date and time. */
const DATE_FORMAT = /^(r|w?[dD]?[tT]?)$/;

/** A `date_time` entity, or undefined where Telegram leaves plain text. */
export function dateEntity(
  { unix, format = "" }: { readonly unix: string | undefined; readonly format?: string | undefined },
  place: { readonly offset: number; readonly length: number },
): MessageEntity | undefined {
  if (unix === undefined || !/^[1-9]\d{0,9}$/.test(unix) || !DATE_FORMAT.test(format)) return undefined;
  return { type: "date_time", unix_time: Number(unix), date_time_format: format as "r", ...place };
}
