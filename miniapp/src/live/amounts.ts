import type { Language } from "../i18n/messages.ts";

const coin = 1_000_000_000n;

/** nanoTON as coins, with as many digits as say something: 12.35, 0.0123, 0.0000334. */
export function coins(nano: bigint, language: Language): string {
  const value = Number(nano) / Number(coin);
  const digits = value === 0 || value >= 1 ? { maximumFractionDigits: 2 } : { maximumSignificantDigits: 3 };
  return new Intl.NumberFormat(language, digits).format(value);
}

/** nanoTON to the last digit that is not zero: what is asked of a wallet, and what came back. */
export function exactCoins(nano: bigint, language: Language): string {
  if (nano < 0n) return `−${exactCoins(-nano, language)}`;
  const whole = nano / coin;
  const rest = (nano % coin).toString().padStart(9, "0").replace(/0+$/, "");
  const written = new Intl.NumberFormat(language).format(whole);
  return rest === "" ? written : `${written}${language === "ru" ? "," : "."}${rest}`;
}

/** A count as a person reads it: 1,245 or 1.2 M. */
export const counted = (count: number, language: Language): string =>
  new Intl.NumberFormat(language, {
    maximumFractionDigits: 1,
    ...(count >= 100_000 && { notation: "compact" }),
  }).format(Math.round(count));

/** An instant as a person says it: 20:31, or with its day when that is not today. */
export function clockTime(at: number, now: number, language: Language): string {
  const today = new Date(at).toDateString() === new Date(now).toDateString();
  return new Intl.DateTimeFormat(language, {
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
    ...(!today && { day: "numeric", month: "short" }),
  }).format(at);
}
