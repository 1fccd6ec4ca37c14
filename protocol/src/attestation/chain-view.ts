/** A masterchain block as a beacon: nobody knew its hash before `at`. */
export interface Block {
  readonly chain: string;
  readonly seqno: number;
  /** 32 bytes, lower-case hex. */
  readonly hash: string;
  /** Generation time, ms since epoch. */
  readonly at: number;
}

/**
 * The client's own view of the chain; never the gateway's word. Two pinned endpoints that agree.
 * Methods throw {@link AttestationError} CHAIN_VIEW when no two endpoints agree.
 */
export interface ChainView {
  latest(): Promise<Block>;
  /** `undefined` when the chain has no such block. */
  block(seqno: number): Promise<Block | undefined>;
}
