import {
  type AccountEvent,
  type AccountMoney,
  type AccountReceipts,
  type AccountStatement,
  accountEventSchema,
  accountMoneySchema,
  accountReceiptsSchema,
  accountStatementSchema,
  type CreditProducts,
  creditProductsSchema,
  nano,
  type ReceiptProof,
  receiptProofSchema,
  type Spending,
  spendingSchema,
} from "@bombyx/protocol/wire";
import * as z from "zod";
import type { GatewayAccess } from "../gateway/access.ts";
import { GatewayHttp } from "../gateway/gateway-http.ts";
import { serverSentData } from "./server-sent-data.ts";

const balanceSchema = z.object({
  account: z.string(),
  payer: z.string(),
  balanceNano: nano,
  reservedNano: nano,
});

/** In nanoTON; `payer` is the account whose money it is. */
export type Balance = z.infer<typeof balanceSchema>;

interface CallOptions {
  readonly signal?: AbortSignal;
}

/** Which lines: those with an id below `before`, at most `limit`. @default the newest 50 */
export interface PageOptions extends CallOptions {
  readonly before?: number;
  readonly limit?: number;
}

/** One account at a gateway. Every method throws BombyxError with the gateway's code, or GATEWAY_UNREACHABLE. */
export class AccountClient {
  readonly #http: GatewayHttp;

  /** @throws BombyxError BAD_REQUEST when `gateway` is not an https URL, or an http one of this machine. */
  constructor({ gateway, apiKey, telegramUser, allowHttp, fetch }: GatewayAccess) {
    this.#http = new GatewayHttp({ url: gateway, apiKey, telegramUser, allowHttp, fetch });
  }

  async balance(options: { readonly signal?: AbortSignal } = {}): Promise<Balance> {
    return await this.#http.json(balanceSchema, "v1/account", options);
  }

  /**
   * What the account can spend, purse by purse. The gateway's word: allowance and Stars credit are promises of the
   * bot's developer, and only a channel's total is signed by this side.
   */
  async money(options: CallOptions = {}): Promise<AccountMoney> {
    return await this.#http.json(accountMoneySchema, "v1/account/money", options);
  }

  /** What went in and out, newest first; `next` is the next page's `before`. */
  async statement({ before, limit, ...options }: PageOptions = {}): Promise<AccountStatement> {
    return await this.#http.json(
      accountStatementSchema,
      `v1/account/statement${pageQuery(before, limit)}`,
      options,
    );
  }

  /** The last 30 days, oldest first. */
  async spending(options: CallOptions = {}): Promise<Spending> {
    return await this.#http.json(spendingSchema, "v1/account/spending", options);
  }

  /** What was asked and answered, newest first; `next` is the next page's `before`. */
  async receipts({ before, limit, ...options }: PageOptions = {}): Promise<AccountReceipts> {
    return await this.#http.json(
      accountReceiptsSchema,
      `v1/account/receipts${pageQuery(before, limit)}`,
      options,
    );
  }

  /**
   * One receipt with everything that judges it offline; nothing of it is checked here.
   * @throws BombyxError NOT_FOUND.
   */
  async receipt(id: number, options: CallOptions = {}): Promise<ReceiptProof> {
    return await this.#http.json(receiptProofSchema, `v1/account/receipts/${id}`, options);
  }

  /** What the person's bot sells for Stars: give a link to Telegram's `openInvoice`. @throws BombyxError FORBIDDEN (no person). */
  async creditProducts(options: CallOptions = {}): Promise<CreditProducts["products"]> {
    return (await this.#http.json(creditProductsSchema, "v1/credits/products", options)).products;
  }

  /**
   * What happens to the account's money and machines, as it happens. The stream ends when the gateway or the network
   * ends it (after 15 minutes at the latest): call again with the id of the last event that was dealt with,
   * and nothing is missed; an event may come twice.
   * @param after id of that event; 0 for all of the last week. @default only what happens from now on
   */
  async *events({
    after,
    signal,
  }: {
    readonly after?: number;
    readonly signal?: AbortSignal;
  } = {}): AsyncGenerator<AccountEvent> {
    const path = after === undefined ? "v1/events" : `v1/events?after=${after}`;
    const response = await this.#http.send(path, signal ? { signal } : {});
    if (!response.body) return;
    for await (const data of serverSentData(response.body)) {
      const event = accountEventSchema.safeParse(data);
      // Of a newer gateway: what this version does not know, it passes over.
      if (event.success) yield event.data;
    }
  }
}

function pageQuery(before: number | undefined, limit: number | undefined): string {
  const query = new URLSearchParams({
    ...(before !== undefined && { before: String(before) }),
    ...(limit !== undefined && { limit: String(limit) }),
  });
  return query.size === 0 ? "" : `?${query}`;
}
