import type { Leaf, Path } from "@bombyx/contracts/leaf";
import type { EpochRoot } from "@bombyx/contracts/vault-messages";
import type { Address } from "@ton/core";
import { promisedNano, type SignedAck } from "./ack-cell.ts";
import type { NodeProof } from "./node-proof.ts";

/** What a tree has at this node's index: a leaf or an empty place with its way up, or no such place. */
export type Shown =
  | { readonly at: "leaf" | "empty"; readonly leaf: Leaf | undefined; readonly path: Path }
  | { readonly at: "beyond" };

/** What contradicts a pending root (SETTLEMENT "Contracts" 2, `Dispute`). */
export type Evidence =
  | { readonly kind: "final"; readonly proof: NodeProof }
  | { readonly kind: "ack"; readonly signed: SignedAck };

/** The highest word of the gateway that counts for the root of `epoch`. */
export function promiseFor(epoch: number, acks: readonly SignedAck[]): SignedAck | undefined {
  return acks
    .filter(({ ack }) => ack.epoch <= epoch)
    .reduce<SignedAck | undefined>(
      (best, next) => (best && promisedNano(best.ack) >= promisedNano(next.ack) ? best : next),
      undefined,
    );
}

/**
 * What this node can show against a pending root; undefined when the root is fair to it.
 * @param shown what the pending tree has at this node's index
 */
export function contradiction(
  pending: EpochRoot,
  shown: Shown,
  account: Address,
  { final, acks }: { final: NodeProof | undefined; acks: readonly SignedAck[] },
): Evidence | undefined {
  const own = shown.at === "leaf" && shown.leaf?.account.equals(account) ? shown.leaf.earned : undefined;
  // The final leaf first: it holds whatever happens to the ack key.
  if (final && (own === undefined || own < final.leaf.earned)) return { kind: "final", proof: final };
  const signed = promiseFor(pending.epoch, acks);
  if (!signed) return undefined;
  // The vault takes an Ack against a missing account at any sum, and there is nothing to gain at none.
  if (own === undefined ? promisedNano(signed.ack) > 0n : own < promisedNano(signed.ack))
    return { kind: "ack", signed };
  return undefined;
}
