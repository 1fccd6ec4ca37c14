/**
 * What the gateway remembers besides money: accounts, nodes, bundles. One SQLite file in the data
 * directory, opened by `openStore({ dataDir })`; the ledger has a file of its own because its worker
 * thread commits all the time, and a shared file would make the event loop wait for its lock.
 */
export interface Bundles {
  /** Keeps an accepted bundle, exact bytes; the same attestation id again changes nothing. */
  put(bundle: StoredBundle): Promise<void>;
  get(attestationId: string): Promise<StoredBundle | undefined>;
  /** Forgets bundles that ended before `before`. @returns how many. */
  prune(before: number): Promise<number>;
}

export interface StoredBundle {
  readonly attestationId: string;
  readonly node: string;
  /** The node's receipt key (hex), so that a receipt is checked after a restart as before it. */
  readonly sigPk: string;
  /** JSON exactly as the node sent it. */
  readonly bytes: Uint8Array;
  readonly acceptedAt: number;
  readonly validUntil: number;
}
