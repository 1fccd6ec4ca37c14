/**
 * The address that a link of an answer may lead to: whole, http or https, without a name and password that would
 * disguise its host. Anything else is shown as text and leads nowhere.
 */
export function safeLink(address: string): string | undefined {
  if (!/^https?:\/\//i.test(address) || !URL.canParse(address)) return undefined;
  const url = new URL(address);
  return url.username === "" && url.password === "" ? url.href : undefined;
}
