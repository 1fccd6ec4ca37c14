import type { TreeDomain } from "@bombyx/contracts/leaf";
import type { NodeAccount } from "@bombyx/contracts/node-account";
import type { EpochRoot } from "@bombyx/contracts/vault-messages";
import type { KeptEvidence } from "./kept-evidence.ts";
import { fetchShown } from "./leaf-file.ts";
import { type NodeProof, readProof, rootId } from "./node-proof.ts";

/** A kept proof for this very root. */
export function keptProof(
  root: EpochRoot,
  account: NodeAccount,
  evidence: KeptEvidence,
): NodeProof | undefined {
  const kept = [...evidence.pushedProofs, ...(evidence.finalProof ? [evidence.finalProof] : [])];
  const id = rootId(root);
  return kept.map((json) => readProof(json, account.address)).find((proof) => rootId(proof.root) === id);
}

/** This node's place in the trees; undefined until the gateway has given it one. */
export const keptIndex = (evidence: KeptEvidence): number | undefined =>
  evidence.finalProof?.leaf.index ?? evidence.lastAck?.index ?? evidence.pushedProofs.at(-1)?.leaf.index;

/**
 * This node's proof into a root that the chain shows: kept, or else made from the published leaves, of which the chain
 * says whether they are true.
 * @param gateway undefined: only what is kept counts
 */
export async function proofFor(
  root: EpochRoot,
  domain: TreeDomain,
  account: NodeAccount,
  evidence: KeptEvidence,
  { gateway, fetch }: { gateway: string | undefined; fetch: typeof globalThis.fetch },
): Promise<NodeProof | undefined> {
  const kept = keptProof(root, account, evidence);
  const index = keptIndex(evidence);
  if (kept || gateway === undefined || index === undefined) return kept;
  const shown = await fetchShown(gateway, domain, root, index, fetch).catch(() => undefined);
  if (shown?.at !== "leaf" || !shown.leaf?.account.equals(account.address)) return undefined;
  return { root, leaf: shown.leaf, path: shown.path };
}
