import { channelMessages } from "@bombyx/contracts/client-channel";
import { codeOf } from "@bombyx/contracts/code";
import { packLeaf } from "@bombyx/contracts/leaf";
import { claimMessage, NodeAccount } from "@bombyx/contracts/node-account";
import { fromBase64, fromHex, type NodeEarnings, type SettlementJson } from "@bombyx/protocol/wire";
import { Address, beginCell, Cell, type StateInit, storeStateInit } from "@ton/core";

/** One message that a wallet is asked to send. */
export interface Order {
  /** Raw. */
  readonly to: string;
  /** What leaves the wallet with it; what it does not use comes back. */
  readonly attachNano: bigint;
  /** Of it, about what the chain keeps. */
  readonly feeNano: bigint;
  readonly body: Cell;
  readonly init?: StateInit;
}

/** A transfer as TON Connect's sendTransaction takes it. */
export interface TransferRequest {
  /** Seconds since the epoch. */
  readonly validUntil: number;
  readonly network: string;
  readonly from: string;
  readonly messages: { address: string; amount: string; payload: string; stateInit?: string }[];
}

/** A wallet asks its holder for as long. */
export const transferMs = 5 * 60_000;

/** Friendly and bounceable addresses, nano as text, BoCs in base64; valid for five minutes. */
export function transferOf(
  orders: readonly Order[],
  { from, globalId, now }: { readonly from: string; readonly globalId: number; readonly now: number },
): TransferRequest {
  const boc = (cell: Cell) => cell.toBoc().toString("base64");
  return {
    validUntil: Math.floor((now + transferMs) / 1_000),
    network: String(globalId),
    from,
    messages: orders.map(({ to, attachNano, body, init }) => ({
      address: Address.parseRaw(to).toString({ bounceable: true, testOnly: globalId !== -239 }),
      amount: attachNano.toString(),
      payload: boc(body),
      ...(init && { stateInit: boc(beginCell().store(storeStateInit(init)).endCell()) }),
    })),
  };
}

/** A number that comes back with what the order does: nobody else's message looks the same. */
function freshQueryId(): bigint {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return (BigInt(high) << 32n) | BigInt(low);
}

/** Of a whole claim at today's prices: the least tree, each level of it, and the first one of an account. */
const claimFee = { base: 1_650_000n, perLevel: 120_000n, first: 3_800_000n } as const;
/** Pays for the deepest tree at six times today's prices. */
const claimAttachNano = 50_000_000n;

/** Claims are paid by wallets that can attach this much for a moment. */
export const claimNeedsNano = claimAttachNano + 5_000_000n;

/** Raw address of the wallet that a node pays; `undefined` when what its owner wrote is none. */
export function payoutOf({ payout }: Pick<NodeEarnings, "payout">): string | undefined {
  try {
    return Address.parse(payout).toRawString();
  } catch {
    return undefined;
  }
}

/**
 * Claims a node's final earnings for its payout wallet; with the account's StateInit while it is not on the chain.
 * @throws RangeError when there is no proof or no account
 */
export function claimOrder(
  node: NodeEarnings,
  { vault }: Pick<SettlementJson, "vault">,
  deployed: boolean,
): Order {
  const { proof } = node;
  if (!proof || node.account === null) throw new RangeError("a claim needs a proof into the final root");
  const account = NodeAccount.fromIdentity(
    {
      vault: Address.parseRaw(vault),
      nodeId: BigInt(`0x${node.node}`),
      owner: Address.parse(node.payout),
    },
    codeOf("node-account"),
  );
  const path = proof.path.map(({ sum, hash }) => ({ sum: BigInt(sum), hash: fromHex(hash) }));
  const leaf = packLeaf(
    { index: proof.leaf.index, earned: BigInt(proof.leaf.earnedNano), units: BigInt(proof.leaf.units) },
    path,
  );
  const { base, perLevel, first } = claimFee;
  return {
    to: account.address.toRawString(),
    attachNano: claimAttachNano,
    feeNano: base + perLevel * BigInt(path.length) + (deployed ? 0n : first),
    body: claimMessage(leaf, freshQueryId()),
    ...(!deployed && account.init && { init: account.init }),
  };
}

/** At today's prices, with room; what is not used comes back, or stays in the channel and is withdrawn with it. */
const closeAttachNano = 20_000_000n;

/** Puts more into a channel. */
export const topUpOrder = (channel: string, nano: bigint): Order => ({
  to: channel,
  attachNano: nano,
  feeNano: 400_000n,
  body: Cell.EMPTY,
});

/** Asks to close a channel, and 72 h later withdraws: the same message. */
export const closeOrder = (channel: string): Order => ({
  to: channel,
  attachNano: closeAttachNano,
  feeNano: 700_000n,
  body: channelMessages.close(freshQueryId()),
});

/** Closes at once, with the operator's approval as the gateway gave it. */
export const closeTogetherOrder = (channel: string, body: string, valueNano: bigint): Order => ({
  to: channel,
  attachNano: valueNano,
  feeNano: 1_900_000n,
  body: Cell.fromBoc(Buffer.from(fromBase64(body)))[0] ?? Cell.EMPTY,
});
