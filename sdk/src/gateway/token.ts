import { BombyxError, tokenSchema } from "@bombyx/protocol/wire";
import { type Fetch, Gateway } from "./gateway.ts";

export interface InitDataExchange {
  /** Base URL of the gateway. */
  readonly gateway: string;
  /** The bot whose Mini App runs. */
  readonly botId: number;
  /** `initData` as Telegram gave it, signed. */
  readonly initData: string;
  /** See `ClientOptions.allowHttp`. */
  readonly allowHttp?: boolean;
  /** @default globalThis.fetch */
  readonly fetch?: Fetch;
}

/**
 * Exchanges a Mini App's init data for a short-lived token that serves as `apiKey`.
 * @throws BombyxError INIT_DATA_INVALID, INIT_DATA_EXPIRED or BOT_NOT_REGISTERED.
 */
export async function exchangeInitData(
  exchange: InitDataExchange,
): Promise<{ token: string; expiresAt: number }> {
  const { fetch = (url, init) => globalThis.fetch(url, init), botId, initData } = exchange;
  const { gateway: url, allowHttp = false } = exchange;
  const answer = await new Gateway({ url, allowHttp, fetch }).exchangeToken({ botId, initData });
  const parsed = tokenSchema.safeParse(answer);
  if (!parsed.success) {
    throw new BombyxError("GATEWAY_UNREACHABLE", "The gateway's answer is not a token.", {
      cause: parsed.error,
    });
  }
  return parsed.data;
}
