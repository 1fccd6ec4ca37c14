import { tokenSchema } from "@bombyx/protocol/wire";
import { type Fetch, GatewayHttp } from "./gateway-http.ts";

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
  const http = new GatewayHttp({ url, allowHttp, fetch });
  return await http.post(tokenSchema, "v1/tokens", { botId, initData });
}
