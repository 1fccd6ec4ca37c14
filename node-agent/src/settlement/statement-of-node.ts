import type { EpochRoot } from "@bombyx/contracts/vault-messages";
import { Address } from "@ton/core";
import { proofFor } from "./final-proof.ts";
import type { KeptEvidence } from "./kept-evidence.ts";
import { type NodeProof, proofJson, readProof, rootId } from "./node-proof.ts";
import { payoutAccount } from "./payout-account.ts";
import type { PinnedNode } from "./vault-pin.ts";
import type { ChainReader } from "./vault-reader.ts";

/** What a node earned, as far as it can show it by itself. Amounts in nano, cumulative. */
export interface NodeStatement {
  readonly pin: PinnedNode;
  /** The NodeAccount; undefined without a payout wallet. */
  readonly account: ReturnType<typeof payoutAccount>;
  readonly requests: number;
  readonly earnedNano: bigint;
  readonly heldNano: bigint;
  readonly finalProof: NodeProof | undefined;
  /** When the kept proof's root was first seen final, ms. */
  readonly finalAt: number | undefined;
  /** From the chain; undefined when it was not asked, or does not answer. */
  readonly onChain:
    | {
        readonly at: number;
        readonly claimedNano: bigint;
        readonly deployed: boolean;
        readonly finalRoot: EpochRoot | undefined;
        /** The kept proof is of the root that claims run on. */
        readonly current: boolean;
        readonly pending:
          | { readonly root: EpochRoot; readonly sinceAt: number; readonly earnedNano: bigint | undefined }
          | undefined;
      }
    | undefined;
}

/** Puts together what is kept and what the chain says; a newer final root's proof is kept when there is one. */
export async function stateOf(
  { pin, evidence }: { pin: PinnedNode; evidence: KeptEvidence },
  chain: ChainReader | undefined,
  pages: { gateway: string | undefined; fetch: typeof fetch },
): Promise<NodeStatement> {
  const vault = Address.parse(pin.vault);
  const account = payoutAccount(vault, pin.node, pin.payout);
  const domain = { globalId: pin.globalId, vault };
  const { lastAck } = evidence;
  const kept = () =>
    account && evidence.finalProof ? readProof(evidence.finalProof, account.address) : undefined;
  const base = {
    pin,
    account,
    requests: lastAck?.n ?? 0,
    earnedNano: BigInt(lastAck?.cumulativeNano ?? 0),
    heldNano: BigInt(lastAck?.heldNano ?? 0),
  };
  if (chain === undefined || account === undefined) {
    return { ...base, finalProof: kept(), finalAt: evidence.finalAt, onChain: undefined };
  }
  const { view, at } = await chain.vault(vault);
  const { finalRoot, pendingRoot } = view;
  const isCurrent = () => {
    const proof = kept();
    return finalRoot !== undefined && proof !== undefined && rootId(proof.root) === rootId(finalRoot);
  };
  if (finalRoot && !isCurrent()) {
    const found = await proofFor(finalRoot, domain, account, evidence, pages);
    if (found) await evidence.keepFinal(proofJson(found), at);
  }
  const pending =
    pendingRoot && (await proofFor(pendingRoot, domain, account, evidence, { ...pages, gateway: undefined }));
  const [claimedNano, deployed] = await Promise.all([
    chain.claimedNano(account.address),
    chain.isDeployed(account.address),
  ]);
  return {
    ...base,
    finalProof: kept(),
    finalAt: evidence.finalAt,
    onChain: {
      at,
      claimedNano,
      deployed,
      finalRoot,
      current: isCurrent(),
      pending: pendingRoot && {
        root: pendingRoot,
        sinceAt: view.pendingSinceAt,
        earnedNano: pending?.leaf.earned,
      },
    },
  };
}

/** What a claim pays now; undefined when the chain was not asked. */
export function dueNano({ finalProof, onChain }: NodeStatement): bigint | undefined {
  if (!onChain || !finalProof || !onChain.current) return onChain ? 0n : undefined;
  return finalProof.leaf.earned - onChain.claimedNano;
}
