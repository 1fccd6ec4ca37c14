import {
  BombyxError,
  basechainAddress,
  type Channels as ChannelsBody,
  channelRequestSchema,
  voucherSchema,
} from "@bombyx/protocol/wire";
import * as z from "zod";
import type { ChannelDesk } from "../channels/channel-desk.ts";
import { parse, readJson, sendJson } from "./bodies.ts";
import type { Callers } from "./callers.ts";
import type { Router } from "./router.ts";

const channelParams = z.object({ address: basechainAddress });
/** Of a registration, beside the request itself: the chain is asked. */
const registrationCost = 20;

/** An account's own deposits: register, look, pay by vouchers, close together. */
export function channelRoutes(
  router: Router,
  {
    callers,
    desk,
  }: {
    callers: Callers;
    /** Undefined for a gateway that settles nothing on chain. */
    desk: ChannelDesk | undefined;
  },
): void {
  const open = (): ChannelDesk => {
    if (desk) return desk;
    throw new BombyxError("NOT_FOUND", "This gateway settles nothing on chain: it takes no channels.");
  };

  router.on("GET", "/v1/channels", async ({ request, response }) => {
    const { account } = await callers.identify(request);
    const { channels } = open();
    const { globalId, vault } = channels;
    const body: ChannelsBody = { account, globalId, vault, channels: await channels.list(account) };
    sendJson(response, 200, body);
  });

  router.on("POST", "/v1/channels", async ({ request, response }) => {
    const principal = await callers.identify(request);
    const { channels } = open();
    callers.admit(principal, registrationCost);
    sendJson(
      response,
      201,
      await channels.register(principal, await readJson(request, channelRequestSchema)),
    );
  });

  router.on("PUT", "/v1/channels/{address}/voucher", async ({ request, response, params }) => {
    const { account } = await callers.identify(request);
    const { channels } = open();
    const { address } = parse(channelParams, params);
    sendJson(
      response,
      200,
      await channels.acceptVoucher(account, address, await readJson(request, voucherSchema)),
    );
  });

  router.on("POST", "/v1/channels/{address}/closing", async ({ request, response, params }) => {
    const principal = await callers.identify(request);
    const { address } = parse(channelParams, params);
    await readJson(request, z.strictObject({}));
    sendJson(response, 200, await open().approveClosing(principal, address));
  });
}
