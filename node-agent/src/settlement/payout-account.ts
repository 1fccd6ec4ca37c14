import { codeOf } from "@bombyx/contracts/code";
import { NodeAccount } from "@bombyx/contracts/node-account";
import { Address } from "@ton/core";

/** What Acks of a gateway name that settles nothing on chain, or for a node without a payout wallet. */
export const nowhere = "00".repeat(32);

/** The owner's wallet as `--payout` gives it, friendly or raw; undefined when that is no wallet of the basechain. */
export function payoutWallet(payout: string): Address | undefined {
  try {
    const address = Address.parse(payout);
    return address.workChain === 0 ? address : undefined;
  } catch {
    return undefined;
  }
}

/** Where this node's earnings are claimed from: its address follows from vault, node id and wallet, and from nothing else. */
export function payoutAccount(vault: Address, node: string, payout: string): NodeAccount | undefined {
  const owner = payoutWallet(payout);
  if (owner === undefined) return undefined;
  return NodeAccount.fromIdentity({ vault, nodeId: BigInt(`0x${node}`), owner }, codeOf("node-account"));
}
