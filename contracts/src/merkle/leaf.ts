import { type Address, type Builder, beginCell, type Cell, type Slice } from "@ton/core";
import { sha256_sync } from "@ton/crypto";

/** Deepest tree that the contracts accept: 2^20 leaves. */
export const maxDepth = 20;

const u64 = 1n << 64n;
const u120 = 1n << 120n;

/** What a node's leaf says. */
export interface Leaf {
  readonly index: number;
  /** Address of the NodeAccount. */
  readonly account: Address;
  /** Cumulative nano, below 2^120. */
  readonly earned: bigint;
  /** Cumulative units, below 2^64. */
  readonly units: bigint;
}

/** The network and vault whose leaves these are: part of every leaf's hash. */
export interface TreeDomain {
  /** -239 mainnet, -3 testnet. */
  readonly globalId: number;
  readonly vault: Address;
}

export interface Sibling {
  readonly sum: bigint;
  readonly hash: Uint8Array;
}

/** Siblings bottom up. */
export type Path = readonly Sibling[];

/** A proof, a leaf or a tree that breaks a limit of the format. */
export class TreeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "TreeError";
  }
}

/** Hash of a leaf that no account holds: SHA-256(0x03). Its sum is 0. */
export const emptyLeafHash: Uint8Array = sha256_sync(Buffer.of(3));

/** Bytes of a leaf up to the account's hash, the same for all leaves of a domain. */
export function leafPrefix({ globalId, vault }: TreeDomain): Buffer {
  const prefix = Buffer.alloc(39);
  prefix.writeInt32BE(globalId, 1);
  prefix.writeInt8(vault.workChain, 5);
  vault.hash.copy(prefix, 6);
  return prefix;
}

/**
 * The bytes whose SHA-256 is the leaf's hash (SETTLEMENT "Contracts" 3):
 * 0x00 ‖ i32 globalId ‖ vault ‖ account ‖ u64 index ‖ u128 earned ‖ u64 units; an address is i8 workchain ‖ hash.
 *
 * @throws {TreeError} when a number does not fit
 */
export function leafBytes(prefix: Buffer, leaf: Leaf): Buffer {
  const bytes = Buffer.alloc(leafLength);
  prefix.copy(bytes);
  writeLeaf(bytes, new DataView(bytes.buffer, bytes.byteOffset, leafLength), leaf.index, leaf);
  return bytes;
}

/** Bytes of a leaf, prefix included. */
export const leafLength = 103;

/**
 * Writes what follows the prefix into `bytes`, of which `view` is a view: a tree of a million leaves uses one buffer.
 *
 * @throws {TreeError} when a number does not fit
 */
export function writeLeaf(bytes: Buffer, view: DataView, index: number, leaf: Omit<Leaf, "index">): void {
  const { account, earned, units } = leaf;
  if (earned < 0n || earned >= u120) throw new TreeError(`earned of leaf ${index} is not below 2^120`);
  if (units < 0n || units >= u64) throw new TreeError(`units of leaf ${index} are not below 2^64`);
  if (account.workChain !== 0) throw new TreeError(`account of leaf ${index} is not in the basechain`);
  account.hash.copy(bytes, 39);
  view.setUint32(71, Math.floor(index / 2 ** 32));
  view.setUint32(75, index);
  // A view stores the low 64 bits.
  view.setBigUint64(79, earned < u64 ? 0n : earned >> 64n);
  view.setBigUint64(87, earned);
  view.setBigUint64(95, units);
}

/** SHA-256(0x01 ‖ u128 sum ‖ hash ‖ u128 sum ‖ hash), left first. */
function innerHash(left: Sibling, right: Sibling): Buffer {
  const bytes = Buffer.alloc(97);
  bytes[0] = 1;
  for (const [at, { sum, hash }] of [
    [1, left],
    [49, right],
  ] as const) {
    bytes.writeBigUInt64BE(sum >> 64n, at);
    bytes.writeBigUInt64BE(sum & (u64 - 1n), at + 8);
    bytes.set(hash, at + 16);
  }
  return sha256_sync(bytes);
}

/**
 * Root and total that a leaf and its path lead to, as the vault computes them. `undefined` leaf: the empty one.
 *
 * @throws {TreeError} when the index lies beyond a tree of the path's depth, or a sum overflows
 */
export function foldPath(
  domain: TreeDomain,
  index: number,
  leaf: Leaf | undefined,
  path: Path,
): { root: Uint8Array; total: bigint } {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** path.length) {
    throw new TreeError(`index ${index} lies beyond a tree of depth ${path.length}`);
  }
  let own: Sibling = {
    sum: leaf?.earned ?? 0n,
    hash: leaf === undefined ? emptyLeafHash : sha256_sync(leafBytes(leafPrefix(domain), leaf)),
  };
  let position = index;
  for (const sibling of path) {
    const hash = position % 2 === 1 ? innerHash(sibling, own) : innerHash(own, sibling);
    own = { sum: own.sum + sibling.sum, hash };
    if (own.sum >= u120) throw new TreeError("a sum is not below 2^120");
    position = Math.floor(position / 2);
  }
  return { root: own.hash, total: own.sum };
}

/** Cells of a path: each sibling is coins sum ‖ hash, as many to a cell as fit, the next cell its only reference. */
export function packPath(path: Path): Cell | null {
  const cells: Builder[] = [];
  for (const { sum, hash } of path) {
    const sibling = beginCell().storeCoins(sum).storeBuffer(Buffer.from(hash));
    const last = cells.at(-1);
    if (last === undefined || last.bits + sibling.bits > 1023) cells.push(sibling);
    else last.storeBuilder(sibling);
  }
  return cells.reduceRight<Cell | null>(
    (next, builder) => (next === null ? builder : builder.storeRef(next)).endCell(),
    null,
  );
}

/** @throws {TreeError} when the cells are not a path */
export function unpackPath(cell: Cell | null): Path {
  const path: Sibling[] = [];
  let slice: Slice | undefined = cell?.beginParse();
  while (slice !== undefined) {
    if (slice.remainingBits === 0 || slice.remainingRefs > 1) {
      throw new TreeError("a cell of the path holds no sibling, or more than one reference");
    }
    while (slice.remainingBits > 0) path.push({ sum: slice.loadCoins(), hash: slice.loadBuffer(32) });
    if (path.length > maxDepth) throw new TreeError(`the path is longer than ${maxDepth}`);
    slice = slice.remainingRefs === 1 ? slice.loadRef().beginParse() : undefined;
  }
  return path;
}

/** Cell of a ProvenLeaf, which a claim carries. */
export function packLeaf(leaf: Pick<Leaf, "index" | "earned" | "units">, path: Path): Cell {
  return beginCell()
    .storeUint(leaf.index, 64)
    .storeCoins(leaf.earned)
    .storeUint(leaf.units, 64)
    .storeMaybeRef(packPath(path))
    .endCell();
}

/** Cell of an AccountLeaf, which a dispute carries; without `leaf`, the empty leaf at `index`. */
export function packAccountLeaf(index: number, leaf: Leaf | undefined, path: Path): Cell {
  const builder = beginCell().storeBit(leaf !== undefined);
  if (leaf !== undefined) builder.storeBuffer(leaf.account.hash, 32);
  return builder.storeSlice(packLeaf(leaf ?? { index, earned: 0n, units: 0n }, path).beginParse()).endCell();
}
