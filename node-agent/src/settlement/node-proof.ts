import {
  foldPath,
  type Leaf,
  type Path,
  packAccountLeaf,
  packLeaf,
  type TreeDomain,
} from "@bombyx/contracts/leaf";
import { type EpochRoot, packEpochRoot } from "@bombyx/contracts/vault-messages";
import { type EpochRootJson, fromHex, type NodeProofJson, toHex } from "@bombyx/protocol/wire";
import type { Address, Cell } from "@ton/core";

export const epochRoot = (json: EpochRootJson): EpochRoot => ({
  epoch: json.epoch,
  depth: json.depth,
  root: fromHex(json.root),
  committedNano: BigInt(json.committedNano),
  units: BigInt(json.units),
  requests: BigInt(json.requests),
  leavesHash: fromHex(json.leavesHash),
  clientRoot: fromHex(json.clientRoot),
});

/** Two roots are one when every field is: hex of the hash of the cell that lies in the vault. */
export const rootId = (root: EpochRoot): string => packEpochRoot(root).hash().toString("hex");

/** A leaf of this node and its way up. */
export interface NodeProof {
  readonly root: EpochRoot;
  readonly leaf: Leaf;
  readonly path: Path;
}

/** Whose leaf it must be. */
export interface LeafOwner extends TreeDomain {
  readonly account: Address;
}

/** @throws RangeError, or TreeError of contracts, when a number does not fit */
export function readProof(json: NodeProofJson, account: Address): NodeProof {
  const { index, earnedNano, units } = json.leaf;
  return {
    root: epochRoot(json.root),
    leaf: { index, account, earned: BigInt(earnedNano), units: BigInt(units) },
    path: json.path.map(({ sum, hash }) => ({ sum: BigInt(sum), hash: fromHex(hash) })),
  };
}

/** Whether the vault would pay on it: depth, root and total are exactly the root's (`EpochRoot.assertHas`). */
export function folds(
  domain: TreeDomain,
  index: number,
  leaf: Leaf | undefined,
  path: Path,
  root: EpochRoot,
): boolean {
  if (path.length !== root.depth) return false;
  try {
    const { root: hash, total } = foldPath(domain, index, leaf, path);
    return Buffer.from(hash).equals(root.root) && total === root.committedNano;
  } catch {
    return false;
  }
}

/** What a claim carries. */
export const claimLeaf = ({ leaf, path }: NodeProof): Cell => packLeaf(leaf, path);

/** What a dispute carries: the leaf at `index`, or that nobody holds the place. */
export const disputeLeaf = (index: number, leaf: Leaf | undefined, path: Path): Cell =>
  packAccountLeaf(index, leaf, path);

/** A proof as it is kept and sent. */
export const proofJson = ({ root, leaf, path }: NodeProof): NodeProofJson => ({
  root: {
    epoch: root.epoch,
    depth: root.depth,
    root: toHex(root.root),
    committedNano: root.committedNano.toString(),
    units: root.units.toString(),
    requests: root.requests.toString(),
    leavesHash: toHex(root.leavesHash),
    clientRoot: toHex(root.clientRoot),
  },
  leaf: { index: leaf.index, earnedNano: leaf.earned.toString(), units: leaf.units.toString() },
  path: path.map(({ sum, hash }) => ({ sum: sum.toString(), hash: toHex(hash) })),
});
