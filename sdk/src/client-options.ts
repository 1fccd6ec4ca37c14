import type { ApiKey, Fetch } from "./gateway/gateway-http.ts";
import type { Payment } from "./payment/payment.ts";
import type { Policy } from "./trust/policy.ts";

export interface ClientOptions {
  /** Base URL of any gateway; it is not trusted. */
  readonly gateway: string;
  /** API key, or the short-lived token of a Mini App; a function is asked before every request. */
  readonly apiKey: ApiKey;
  /**
   * Takes an http gateway on another machine. What is sealed stays sealed, but whoever is on the way can
   * read and use the API key. @default false
   */
  readonly allowHttp?: boolean;
  /**
   * Nodes that ask more are not used: owners set their own coefficient on the gateway's price, in 1/1000.
   * @default 2000: at most twice that price
   */
  readonly maxCoefficient?: number;
  /** What to trust. @default the strict policy: Intel's root and released measurements only */
  readonly policy?: Policy;
  /** Session for requests that name no `user`. @default "" */
  readonly user?: string;
  /** Bot keys only: the Telegram user id for whom this client asks and who pays. */
  readonly telegramUser?: string;
  /**
   * Pays by a channel of the account's own; of `@bombyx/sdk/payment`, one client each. Closed by whoever made it.
   * @default the gateway's sponsor pays
   */
  readonly payment?: Payment;
  /** @default globalThis.fetch */
  readonly fetch?: Fetch;
  /** ms since epoch. @default Date.now */
  readonly now?: () => number;
}
