import { beginCell, type Message } from "@ton/core";

/**
 * Hash of a message from outside in its normalised form (TEP-467), hex: source and import fee empty, no StateInit, the
 * body in a reference. So it is the same however an endpoint or a wallet packs the message.
 * @throws TypeError for a message that does not come from outside
 */
export function externalHash({ info, body }: Message): string {
  if (info.type !== "external-in") throw new TypeError("the message does not come from outside");
  return beginCell()
    .storeUint(2, 2)
    .storeUint(0, 2)
    .storeAddress(info.dest)
    .storeCoins(0)
    .storeBit(false)
    .storeBit(true)
    .storeRef(body)
    .endCell()
    .hash()
    .toString("hex");
}
