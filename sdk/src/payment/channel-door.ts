import {
  type Channel,
  type ChannelRequest,
  type Channels,
  type ClosingApproval,
  channelSchema,
  channelsSchema,
  closingApprovalSchema,
  type SignedReceipt,
  signedReceiptSchema,
  type Voucher,
} from "@bombyx/protocol/wire";
import { GatewayHttp, type GatewayOptions } from "../gateway/gateway-http.ts";
import type { ChargeName } from "./voucher-signer.ts";

/** The gateway's routes for channels; docs/gateway-api.md. What comes back is its word and no more. */
export class ChannelDoor {
  readonly #http: GatewayHttp;

  constructor(options: GatewayOptions) {
    this.#http = new GatewayHttp(options);
  }

  async channels(): Promise<Channels> {
    return await this.#http.json(channelsSchema, "v1/channels");
  }

  async register(request: ChannelRequest): Promise<Channel> {
    return await this.#http.post(channelSchema, "v1/channels", request);
  }

  async putVoucher(voucher: Voucher): Promise<Channel> {
    return await this.#http.json(channelSchema, `v1/channels/${voucher.channel}/voucher`, {
      method: "PUT",
      body: JSON.stringify(voucher),
      headers: { "content-type": "application/json" },
    });
  }

  async approveClosing(channel: string): Promise<ClosingApproval> {
    return await this.#http.post(closingApprovalSchema, `v1/channels/${channel}/closing`, {});
  }

  /** The receipt that settled a request, or its last running one. */
  async receipt({ session, request }: ChargeName): Promise<SignedReceipt> {
    return await this.#http.json(signedReceiptSchema, `v1/receipts/${session}/${request}`);
  }
}
