import {
  billedUnits,
  capUnits,
  runningDetailHash,
  type TokenCounts,
  verifyReceipt,
} from "@bombyx/protocol/receipt";
import { BombyxError, type Receipt, type SignedReceipt, toHex } from "@bombyx/protocol/wire";
import type { Session } from "../session/session.ts";
import type { CheckpointPart } from "./parts.ts";

/** What both ends know of a request before its first frame. */
export interface RequestTerms {
  readonly session: Session;
  readonly request: number;
  readonly idempotencyId: string;
  readonly ceilingUnits: number;
  /** Padded size of the sealed request. */
  readonly bucketBytes: number;
  /** Declared maximum, a bucket of `limits.maxTokensBuckets`. */
  readonly declaredMaxTokens: number;
  readonly requestHash: Uint8Array;
}

/** Where the stream stood when a checkpoint came. */
export interface Checkpoint extends CheckpointPart {
  /** Frames before the one that carried it, and the hash chain over them. */
  readonly frames: number;
  readonly framesHash: Uint8Array;
}

/** The cap that gateway, node and client compute alike. */
export function capOf(
  terms: Pick<RequestTerms, "session" | "bucketBytes" | "declaredMaxTokens">,
  continuation: boolean,
): number {
  const { session, bucketBytes, declaredMaxTokens } = terms;
  return capUnits(
    { bucketBytes, maxTokens: declaredMaxTokens, continuation },
    session.candidate.coefficient,
    session.price,
  );
}

/**
 * Rebuilds the running receipt that a checkpoint signs. Whether the gateway granted the continuation
 * is not told to the client before the end, so both are tried; the signature decides.
 * @throws BombyxError RECEIPT_INVALID when the node signed neither.
 */
export function runningReceipt(terms: RequestTerms, checkpoint: Checkpoint): SignedReceipt {
  const signature = toHex(checkpoint.signature);
  for (const continuation of [false, true]) {
    const signed = { receipt: rebuild(terms, checkpoint, continuation), signature };
    try {
      verifyReceipt(signed, terms.session.verdict.sigPk);
      return signed;
    } catch (error) {
      const contradicts = error instanceof RangeError;
      if (!contradicts && !(error instanceof BombyxError && error.code === "RECEIPT_INVALID")) throw error;
    }
  }
  throw new BombyxError(
    "RECEIPT_INVALID",
    "The node's last checkpoint is not signed over what it delivered; it is owed nothing for it.",
  );
}

function rebuild(terms: RequestTerms, checkpoint: Checkpoint, continuation: boolean): Receipt {
  const { session, request, ceilingUnits } = terms;
  const { candidate, price, keys } = session;
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens } = checkpoint;
  const counts: TokenCounts = { promptTokens, cachedTokens, completionTokens, reasoningTokens, continuation };
  const cap = capOf(terms, continuation);
  return {
    v: 1,
    attestationId: candidate.attestationId,
    session: session.id,
    request,
    idempotencyId: terms.idempotencyId,
    manifest: candidate.manifest,
    priceId: price.id,
    coefficient: candidate.coefficient,
    capUnits: cap,
    ceilingUnits,
    units: Math.min(billedUnits(counts, candidate.coefficient, price), cap, ceilingUnits),
    frames: checkpoint.frames,
    finish: "running",
    requestHash: toHex(terms.requestHash),
    framesHash: toHex(checkpoint.framesHash),
    detailHash: toHex(runningDetailHash(keys.nodeToClient, request, counts)),
  };
}
