import { sha256_sync } from "@ton/crypto";
import { maxDepth, TreeError } from "./leaf.ts";

/** What one client used, cumulative; never payable. `salt` is the client's alone, so nobody can guess another's leaf. */
export interface ClientLeaf {
  /** 32 random bytes, kept with the account. */
  readonly salt: Uint8Array;
  /** 32 bytes that name the account in the gateway's ledger. */
  readonly account: Uint8Array;
  /** Cumulative nano charged, below 2^128. */
  readonly amount: bigint;
}

/** SHA-256(0x02 ‖ salt ‖ account ‖ u128 amount), SETTLEMENT "Contracts" 3. */
export function clientLeafHash({ salt, account, amount }: ClientLeaf): Uint8Array {
  if (salt.length !== 32) throw new TreeError("the salt of a client leaf is not 32 bytes long");
  if (account.length !== 32) throw new TreeError("the account of a client leaf is not 32 bytes long");
  if (amount < 0n || amount >= 1n << 128n)
    throw new TreeError("the amount of a client leaf is not below 2^128");
  const bytes = Buffer.alloc(81);
  bytes[0] = 2;
  bytes.set(salt, 1);
  bytes.set(account, 33);
  bytes.writeBigUInt64BE(amount >> 64n, 65);
  bytes.writeBigUInt64BE(amount & ((1n << 64n) - 1n), 73);
  return sha256_sync(bytes);
}

/** SHA-256(0x04 ‖ left ‖ right). An odd last node is paired with 32 zero bytes. */
function inner(left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256_sync(Buffer.concat([Buffer.of(4), left, right]));
}

const nothing = new Uint8Array(32);

/** Tree of the clients' usage, beside the nodes': each client can prove its own line and reads nobody else's. */
export class ClientTree {
  readonly #levels: Uint8Array[][];

  /** @throws {TreeError} for more than 2^20 leaves, or a leaf of the wrong size */
  constructor(leaves: readonly ClientLeaf[]) {
    if (leaves.length > 2 ** maxDepth) throw new TreeError(`more than 2^${maxDepth} clients`);
    this.#levels = [leaves.length === 0 ? [nothing] : leaves.map(clientLeafHash)];
    for (let below = this.#levels[0] as Uint8Array[]; below.length > 1; ) {
      const level: Uint8Array[] = [];
      for (let at = 0; at < below.length; at += 2)
        level.push(inner(below[at] as Uint8Array, below[at + 1] ?? nothing));
      this.#levels.push(level);
      below = level;
    }
  }

  get root(): Uint8Array {
    return this.#levels.at(-1)?.[0] as Uint8Array;
  }

  /** Siblings bottom up. @throws {TreeError} when there is no such leaf */
  path(index: number): Uint8Array[] {
    if (this.#levels[0]?.[index] === undefined) throw new TreeError(`no client leaf ${index}`);
    return this.#levels
      .slice(0, -1)
      .map((level, height) => level[Math.floor(index / 2 ** height) ^ 1] ?? nothing);
  }
}

/** Whether this leaf lies at `index` under `root`. */
export function verifyClientLeaf(
  root: Uint8Array,
  leaf: ClientLeaf,
  index: number,
  path: readonly Uint8Array[],
): boolean {
  if (!Number.isInteger(index) || index < 0 || index >= 2 ** path.length || path.length > maxDepth)
    return false;
  let hash = clientLeafHash(leaf);
  let position = index;
  for (const sibling of path) {
    if (sibling.length !== 32) return false;
    hash = position % 2 === 1 ? inner(sibling, hash) : inner(hash, sibling);
    position = Math.floor(position / 2);
  }
  return Buffer.from(hash).equals(root);
}
