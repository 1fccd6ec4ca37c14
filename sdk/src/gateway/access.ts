import type { ApiKey, Fetch } from "./gateway-http.ts";

/** How the smaller doors of the SDK reach a gateway. */
export interface GatewayAccess {
  /** Base URL of the gateway. */
  readonly gateway: string;
  /** API key, or the short-lived token of a Mini App; a function is asked before every request. */
  readonly apiKey: ApiKey;
  /** See `ClientOptions.allowHttp`. @default false */
  readonly allowHttp?: boolean;
  /** @default globalThis.fetch */
  readonly fetch?: Fetch;
}
