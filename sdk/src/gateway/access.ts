import type { ApiKey, Fetch } from "./gateway-http.ts";

/** How the smaller doors of the SDK reach a gateway. */
export interface GatewayAccess {
  /** Base URL of the gateway. */
  readonly gateway: string;
  /** API key, or the short-lived token of a Mini App; a function is asked before every request. */
  readonly apiKey: ApiKey;
  /** With a bot's key: the Telegram user id for whom it asks. */
  readonly telegramUser?: string;
  /** See `ClientOptions.allowHttp`. @default false */
  readonly allowHttp?: boolean;
  /** @default globalThis.fetch */
  readonly fetch?: Fetch;
}
