import type { Address, Cell, Message } from "@ton/core";
import { packMessage, readExternalMessage } from "../external-message.ts";
import type { LocalTon } from "../local-ton.ts";
import { Refused } from "./refused.ts";

/** What a message from outside would cost its sender now. @throws {NotAccepted} */
export async function estimateFee(
  ton: LocalTon,
  query: {
    address: Address;
    body?: Cell | undefined;
    init_code?: Cell | undefined;
    init_data?: Cell | undefined;
    ignore_chksig: boolean;
  },
) {
  const { init_code, init_data, body } = query;
  if (!body) throw new Refused(422, "estimateFee: body: expected a BoC");
  const message: Message = {
    info: { type: "external-in", dest: query.address, importFee: 0n },
    ...(init_code && init_data && { init: { code: init_code, data: init_data } }),
    body,
  };
  readExternalMessage(packMessage(message).toBoc());
  const { description, outMessages } = await ton.tryOut(query.address, message, query.ignore_chksig);
  const generic = description.type === "generic" ? description : undefined;
  const compute = generic?.computePhase.type === "vm" ? generic.computePhase : undefined;
  const forward = outMessages
    .values()
    .reduce((sum, { info }) => sum + (info.type === "internal" ? info.forwardFee : 0n), 0n);
  const actions = generic?.actionPhase?.totalActionFees ?? 0n;
  const imported = (generic ? generic.storagePhase?.storageFeesCollected : 0n) ?? 0n;
  return {
    "@type": "query.fees",
    source_fees: {
      "@type": "fees",
      in_fwd_fee: Number(importFee(ton, message)),
      storage_fee: Number(imported),
      gas_fee: Number(compute?.gasFees ?? 0n),
      fwd_fee: Number(forward + actions),
    },
    destination_fees: [],
  };
}

/** What it costs to bring a message from outside in, by the prices of parameter 25. */
function importFee(ton: LocalTon, message: Message): bigint {
  const prices = ton.config.get(25)?.beginParse();
  if (!prices) return 0n;
  prices.skip(8);
  const lump = prices.loadUintBig(64);
  const perBit = prices.loadUintBig(64);
  const perCell = prices.loadUintBig(64);
  const cells = new Map<string, number>();
  const walk = (cell: ReturnType<typeof packMessage>): void => {
    const id = cell.hash().toString("hex");
    if (cells.has(id)) return;
    cells.set(id, cell.bits.length);
    for (const ref of cell.refs) walk(ref);
  };
  // The root itself is in the lump.
  for (const ref of packMessage(message).refs) walk(ref);
  const bits = [...cells.values()].reduce((sum, one) => sum + BigInt(one), 0n);
  const rest = perBit * bits + perCell * BigInt(cells.size);
  return lump + (rest + 0xffffn) / 0x10000n;
}
