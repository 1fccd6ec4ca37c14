import { createHmac, randomBytes } from "node:crypto";
import * as z from "zod";

/** One masterchain block, in the units that toncenter speaks. */
export interface ClockBlock {
  readonly seqno: number;
  /** 32 bytes each. */
  readonly rootHash: Uint8Array;
  readonly fileHash: Uint8Array;
  /** Seconds since epoch. */
  readonly genUtime: number;
}

/** What `.devnet/chain.json` holds. The seed is secret: whoever knows it knows every future block. */
export const blockClockStateSchema = z.strictObject({
  v: z.literal(1),
  seed: z.string().regex(/^[0-9a-f]{64}$/),
  /** When block 1 was made, ms since epoch, on a whole second. */
  genesisAt: z.int().nonnegative(),
});
export type BlockClockState = z.infer<typeof blockClockStateSchema>;

const blockMs = 1_000;

/**
 * The chain of a devnet before there are accounts on it: one block a second since genesis, whose hashes
 * nobody can tell beforehand. A block follows from seed and number alone, so a network that slept for a
 * week has all its blocks at once, and nothing grows on disk.
 */
export class BlockClock {
  readonly #seed: Uint8Array;
  readonly #genesisAt: number;
  /** Highest block shown so far: a chain never goes back, even when the machine's clock does. */
  #highest = 1;

  constructor(state: BlockClockState) {
    this.#seed = Buffer.from(state.seed, "hex");
    this.#genesisAt = state.genesisAt;
  }

  /** A new chain whose first block is made at `now` (ms since epoch). */
  static genesis(now: number, seed: Uint8Array = randomBytes(32)): BlockClockState {
    return { v: 1, seed: Buffer.from(seed).toString("hex"), genesisAt: now - (now % blockMs) };
  }

  /** The newest block at `now` (ms since epoch). */
  latest(now: number): ClockBlock {
    this.#highest = Math.max(this.#highest, Math.floor((now - this.#genesisAt) / blockMs) + 1);
    return this.#block(this.#highest);
  }

  /** `undefined` when there is no such block yet at `now`. */
  block(seqno: number, now: number): ClockBlock | undefined {
    return seqno < 1 || seqno > this.latest(now).seqno ? undefined : this.#block(seqno);
  }

  /** When this block is or will be made, ms since epoch. */
  madeAt(seqno: number): number {
    return this.#genesisAt + (seqno - 1) * blockMs;
  }

  #block(seqno: number): ClockBlock {
    const hash = (name: string) =>
      createHmac("sha256", this.#seed).update(`bombyx/devnet-block/v1\0${name}\0${seqno}`).digest();
    return {
      seqno,
      rootHash: hash("root"),
      fileHash: hash("file"),
      genUtime: this.#genesisAt / blockMs + seqno - 1,
    };
  }
}
