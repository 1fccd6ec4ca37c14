import type { Language } from "../i18n/messages.ts";

const coin = 1_000_000_000n;

/** nanoTON as coins, with as many digits as say something: 12.35, 0.0123, 0.0000334. */
export function coins(nano: bigint, language: Language): string {
  const value = Number(nano) / Number(coin);
  const digits = value === 0 || value >= 1 ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 3 };
  return new Intl.NumberFormat(language, digits).format(value);
}

/** A count as a person reads it: 1,245 or 1.2 M. */
export const counted = (count: number, language: Language): string =>
  new Intl.NumberFormat(language, {
    maximumFractionDigits: 1,
    ...(count >= 100_000 && { notation: "compact" }),
  }).format(Math.round(count));

/** How long ago: "3 min. ago". */
export function ago(at: number, now: number, language: Language): string {
  const format = new Intl.RelativeTimeFormat(language, { numeric: "auto", style: "short" });
  const seconds = Math.max(0, Math.round((now - at) / 1_000));
  if (seconds < 60) return format.format(-seconds, "second");
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return format.format(-minutes, "minute");
  const hours = Math.round(minutes / 60);
  return hours < 48 ? format.format(-hours, "hour") : format.format(-Math.round(hours / 24), "day");
}
