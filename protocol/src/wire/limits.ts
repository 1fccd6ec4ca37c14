/** Numbers of the wire, in one place; PROTOCOL (docs/protocol.md) gives each its reason. */
export const limits = {
  /** Request ids of a session: 0..63, each used once. */
  requestsPerSession: 64,
  sessionIdleMs: 15 * 60_000,
  sessionsPerAccountAndNode: 4,
  sessionsPerNode: 4_096,
  handshakesPerSecondPerLink: 50,
  epochMs: 60 * 60_000,
  /** Running requests of an old epoch may finish until here; then its keys are zeroed. */
  epochGraceMs: 70 * 60_000,
  bundleBytes: 256 * 1024,
  quoteBytes: 16 * 1024,
  statementBytes: 4_096,
  /** Plaintext of a request is padded to the smallest that fits. */
  requestBuckets: [1, 4, 16, 64, 256].map((kb) => kb * 1024) as readonly number[],
  /** A sealed request is its bucket, secretstream's header (24) and one tag (17). */
  sealedRequestOverheadBytes: 24 + 17,
  /** A node's price coefficient, in 1/1000, is 1 to this. */
  coefficient: 1_000_000,
  /** Declared maximum of completion tokens, in the clear. */
  maxTokensBuckets: [256, 1_024, 4_096, 16_384, 65_536] as readonly number[],
  /** Plaintext of an answer frame, padding included. */
  answerFrameBytes: 256,
  tickMs: 80,
  /** Frames that a node runs ahead of what the relay wrote to the client. */
  windowFrames: 16,
  /** A node keeps the sealed frames of a request this long after FINAL, up to `replayBytes`. */
  replayMs: 60_000,
  replayBytes: 1024 * 1024,
  receiptEveryFrames: 64,
  readerStallMs: 10_000,
  /** A node whose link is lost in the middle of an answer waits so long for its reader to come back by another. */
  lostLinkMs: 30_000,
  unacknowledgedReceipts: 1_000,
  beaconMaxAgeMs: 2 * 3_600_000,
  clockSkewMs: 5 * 60_000,
  /** Largest WebSocket message on a node link: a sealed request of the largest bucket and its head. */
  linkMessageBytes: 512 * 1024,
  jsonDepth: 32,
  schemaBytes: 16 * 1024,
  tools: 128,
  stopStrings: 4,
  embeddingInputs: 64,
} as const;

/**
 * The smallest bucket that holds `value`.
 * @throws RangeError when it fits none; the message names the largest.
 */
export function bucketFor(value: number, buckets: readonly number[]): number {
  const bucket = buckets.find((size) => value <= size);
  if (bucket === undefined) throw new RangeError(`${value} is above the largest bucket, ${buckets.at(-1)}`);
  return bucket;
}

/** The padded size that a sealed request's length shows to everybody; it may be no bucket. */
export const requestBucketOf = (sealedBytes: number): number =>
  sealedBytes - limits.sealedRequestOverheadBytes;
