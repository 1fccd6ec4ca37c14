/** What a token is good for. */
export interface TokenOwner {
  readonly gateway: string;
  readonly botId: number;
  /** Telegram user id. */
  readonly user: number | undefined;
}

export interface HeldToken {
  readonly token: string;
  /** ms since epoch. */
  readonly expiresAt: number;
}

const key = "bombyx/token";

/**
 * The session token, for the page's other document: init data may be exchanged for ten minutes, and the way to a
 * wallet and back takes longer. It ends with the tab's session, or after a quarter of an hour.
 */
export function keepToken({ gateway, botId, user }: TokenOwner, { token, expiresAt }: HeldToken): void {
  quietly(() => sessionStorage.setItem(key, JSON.stringify({ gateway, botId, user, token, expiresAt })));
}

/** @returns `undefined` when none is kept for this very person at this gateway. */
export function keptToken({ gateway, botId, user }: TokenOwner): HeldToken | undefined {
  const kept = quietly((): unknown => JSON.parse(sessionStorage.getItem(key) ?? "null"));
  if (typeof kept !== "object" || kept === null) return undefined;
  const read = kept as Partial<TokenOwner & HeldToken>;
  const { token, expiresAt } = read;
  if (user === undefined || read.user !== user || read.gateway !== gateway || read.botId !== botId)
    return undefined;
  return typeof token === "string" && typeof expiresAt === "number" ? { token, expiresAt } : undefined;
}

function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
