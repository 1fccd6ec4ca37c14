/** What everybody may see of a network: its nodes, its models, and how busy it is. */

import {
  type Network,
  type NetworkMinute,
  type NetworkNode,
  networkHistorySchema,
  networkSchema,
} from "@bombyx/protocol/wire";
import type { GatewayAccess } from "../gateway/access.ts";
import { GatewayHttp } from "../gateway/gateway-http.ts";

export type { Network, NetworkMinute, NetworkNode };

/** Public figures of one gateway; nothing of it is trusted, a client verifies nodes for itself. */
export class NetworkClient {
  readonly #http: GatewayHttp;

  /** @throws BombyxError BAD_REQUEST when `gateway` is not an https URL, or an http one of this machine. */
  constructor({ gateway, allowHttp, fetch }: Omit<GatewayAccess, "apiKey">) {
    this.#http = new GatewayHttp({ url: gateway, allowHttp, fetch });
  }

  /** The network now; made anew once a second. */
  async now(options: { readonly signal?: AbortSignal } = {}): Promise<Network> {
    return await this.#http.json(networkSchema, "v1/network", options);
  }

  /** Whole minutes of the last 24 h, oldest first; minutes without a gateway are missing. */
  async history(options: { readonly signal?: AbortSignal } = {}): Promise<readonly NetworkMinute[]> {
    const { minutes } = await this.#http.json(networkHistorySchema, "v1/network/history", options);
    return minutes.map(([at, requests, units, nodes]) => ({ at, requests, units, nodes }));
  }
}
