/** An account at a gateway: its money, and what happens to its machines. */

export type { AccountEvent } from "@bombyx/protocol/wire";
export type { GatewayAccess } from "../gateway/access.ts";
export { exchangeInitData, type InitDataExchange } from "../gateway/token.ts";
export { AccountClient, type Balance } from "./account-client.ts";
