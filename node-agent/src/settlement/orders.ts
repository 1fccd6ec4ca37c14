import type { Leaf, Path } from "@bombyx/contracts/leaf";
import { claimMessage, type NodeAccount } from "@bombyx/contracts/node-account";
import { vaultMessages } from "@bombyx/contracts/vault-messages";
import { rawAddress } from "@bombyx/protocol/wire";
import { type Address, beginCell, storeStateInit } from "@ton/core";
import * as z from "zod";
import { ackCell } from "./ack-cell.ts";
import { disputeValueNano, type Order } from "./dispute-wallet.ts";
import type { Evidence, Shown } from "./judge-root.ts";
import { claimLeaf, disputeLeaf, type NodeProof } from "./node-proof.ts";

/** With a claim; what it does not cost comes back. Enough for a million nodes at six times today's prices. */
export const claimValueNano = 50_000_000n;

/** Pays the owner what the proof shows and was not paid yet; anybody may send it. */
export const claimOrder = (account: NodeAccount, proof: NodeProof, deployed: boolean): Order => ({
  to: account.address,
  valueNano: claimValueNano,
  body: claimMessage(claimLeaf(proof)),
  ...(!deployed && account.init?.code && account.init.data
    ? { init: { code: account.init.code, data: account.init.data } }
    : {}),
});

const leafCell = (index: number, shown: { leaf: Leaf | undefined; path: Path }) =>
  disputeLeaf(index, shown.leaf, shown.path);

/** Removes the pending root; anybody may send it. */
export function disputeOrder(vault: Address, index: number, shown: Shown, evidence: Evidence): Order {
  const pendingLeaf = shown.at === "beyond" ? null : leafCell(index, shown);
  const shows =
    evidence.kind === "final"
      ? { finalLeaf: disputeLeaf(index, evidence.proof.leaf, evidence.proof.path) }
      : { ack: ackCell(evidence.signed.ack), signature: Buffer.from(evidence.signed.signature, "hex") };
  return { to: vault, valueNano: disputeValueNano, body: vaultMessages.dispute(shows, pendingLeaf) };
}

/** An order as a file, and as a link that wallets open. */
export const orderSchema = z.strictObject({
  v: z.literal(1),
  what: z.enum(["claim", "dispute"]),
  globalId: z.int(),
  to: rawAddress,
  /** The same for people: bounceable, and for a test network so that mainnet's wallets refuse it. */
  friendly: z.string(),
  valueNano: z.string(),
  payload: z.base64(),
  stateInit: z.base64().nullable(),
  link: z.string(),
});
export type OrderFile = z.infer<typeof orderSchema>;

const mainnet = -239;

/** Friendly, for a contract. */
export const shown = (address: Address, globalId: number, bounceable = true): string =>
  address.toString({ bounceable, testOnly: globalId !== mainnet });

export function orderFile(
  what: OrderFile["what"],
  globalId: number,
  { to, valueNano, body, init }: Order,
): OrderFile {
  const payload = body.toBoc().toString("base64");
  const stateInit = init
    ? beginCell().store(storeStateInit(init)).endCell().toBoc().toString("base64")
    : null;
  const friendly = shown(to, globalId);
  const url = (base64: string) => base64.replaceAll("+", "-").replaceAll("/", "_");
  const query = [
    `amount=${valueNano}`,
    `bin=${url(payload)}`,
    ...(stateInit ? [`init=${url(stateInit)}`] : []),
  ];
  const link = `ton://transfer/${friendly}?${query.join("&")}`;
  return {
    v: 1,
    what,
    globalId,
    to: to.toRawString(),
    friendly,
    valueNano: valueNano.toString(),
    payload,
    stateInit,
    link,
  };
}
