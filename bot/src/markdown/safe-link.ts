const longestUrl = 1_024;

/**
 * The address that may be tapped, as it is shown: whole, and in ASCII, so that no look-alike letter hides in the
 * host. Undefined for what stays text: any scheme but http(s) and mailto (tg:// acts inside Telegram,
 * javascript: and data: are code), a user name in front of the host (`https://bank.com@evil.com`), and what is
 * too long to be read.
 */
export function safeLink(address: string): string | undefined {
  if (address.length > longestUrl || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  if (url.username !== "" || url.password !== "" || url.href.length > longestUrl) return undefined;
  if (url.protocol === "mailto:") return url.href;
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  return url.hostname.includes(".") ? url.href : undefined;
}
