import { createPublicKey, type KeyObject, verify } from "node:crypto";
import { BombyxError, limits } from "@bombyx/protocol/wire";
import { parse } from "@tma.js/init-data-node";
import { telegramIdSchema } from "./names.ts";

/**
 * Ed25519 keys with which Telegram signs init data for third parties, hex. The test environment is
 * another world of users and bots: accept its key only where nobody is a real person.
 * @see https://core.telegram.org/bots/webapps#validating-data-for-third-party-use
 */
export const telegramKeys = {
  production: "e7bf03a2fa4602af4580703d88dda5bb59f32ed8b02a56c187fe7d34caed242d",
  test: "40055058a4ee38156a06562e52eece92a771bcd8346a8c4615cb7376eddf72ec",
} as const;

/** Older init data buys no token (SETTLEMENT "Who pays"). */
export const initDataMaxAgeMs = 10 * 60_000;

/** @throws TypeError when `keyHex` is not 32 bytes. */
export const initDataKey = (keyHex: string): KeyObject =>
  createPublicKey({
    key: { kty: "OKP", crv: "Ed25519", x: Buffer.from(keyHex, "hex").toString("base64url") },
    format: "jwk",
  });

/**
 * Who opened the Mini App of bot `botId`, by Telegram's signature; no bot token is needed. The library's
 * own check knows neither other keys than Telegram's nor a clock that is passed in.
 * @throws BombyxError INIT_DATA_INVALID, and INIT_DATA_EXPIRED only for what was genuine once.
 */
export function userOfInitData(
  initData: string,
  { botId, keys, now }: { botId: number; keys: readonly KeyObject[]; now: number },
): number {
  const fields = [...new URLSearchParams(initData)];
  const signature = fields.find(([name]) => name === "signature")?.[1];
  if (signature === undefined) throw invalid("it has no signature");
  if (new Set(fields.map(([name]) => name)).size !== fields.length) throw invalid("it names a field twice");
  const signed = fields
    .filter(([name]) => name !== "hash" && name !== "signature")
    .map(([name, value]) => `${name}=${value}`)
    .sort();
  const message = Buffer.from(`${botId}:WebAppData\n${signed.join("\n")}`);
  const signatureBytes = Buffer.from(signature, "base64url");
  if (!keys.some((key) => verify(null, message, key, signatureBytes))) {
    throw invalid("Telegram did not sign it for this bot");
  }
  const { userId, authAt } = contentOf(initData);
  if (authAt > now + limits.clockSkewMs) throw invalid("it is from the future");
  if (now - authAt > initDataMaxAgeMs) {
    throw new BombyxError(
      "INIT_DATA_EXPIRED",
      `Init data is exchanged within ${initDataMaxAgeMs / 60_000} minutes: open the Mini App again.`,
      { field: "initData" },
    );
  }
  return userId;
}

function contentOf(initData: string): { userId: number; authAt: number } {
  try {
    const { user, auth_date: authDate } = parse(initData);
    return { userId: telegramIdSchema.parse(user?.id), authAt: authDate.getTime() };
  } catch (cause) {
    throw invalid("it names no user or no date", cause);
  }
}

const invalid = (why: string, cause?: unknown) =>
  new BombyxError("INIT_DATA_INVALID", `The init data is refused: ${why}.`, { field: "initData", cause });
