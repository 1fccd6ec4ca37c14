import { type AccountEvent, accountEventSchema, nano } from "@bombyx/protocol/wire";
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

/** One account at a gateway. Every method throws BombyxError with the gateway's code, or GATEWAY_UNREACHABLE. */
export class AccountClient {
  readonly #http: GatewayHttp;

  /** @throws BombyxError BAD_REQUEST when `gateway` is not an https URL, or an http one of this machine. */
  constructor({ gateway, apiKey, allowHttp, fetch }: GatewayAccess) {
    this.#http = new GatewayHttp({ url: gateway, apiKey, allowHttp, fetch });
  }

  async balance(options: { readonly signal?: AbortSignal } = {}): Promise<Balance> {
    return await this.#http.json(balanceSchema, "v1/account", options);
  }

  /**
   * What happens to the account's machines, as it happens. The stream ends when the gateway or the network
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
