import { capUnits } from "@bombyx/protocol/receipt";
import { openRequest, requestBucketOf, requestHash, type SessionKeys, zero } from "@bombyx/protocol/session";
import {
  BombyxError,
  fromUtf8,
  limits,
  type Price,
  type RequestHead,
  type SealedRequest,
  sealedRequestSchema,
  toHex,
} from "@bombyx/protocol/wire";
import type { EngineJob, LoadedModel } from "../engine/engine.ts";
import { type Budget, completionTokensMax, promptTokensMax } from "./budget.ts";
import type { Terms } from "./meter.ts";
import { assertJsonDepth } from "./openai/json-depth.ts";
import { judgeBody } from "./openai/judge.ts";
import { refusalOf } from "./openai/refusal.ts";

/** What a node serves, as requests are judged against it. */
export interface Offer {
  readonly model: LoadedModel;
  readonly manifest: string;
  /** This node's price coefficient, in 1/1000. */
  readonly coefficient: number;
  price(id: string): Price | undefined;
}

/**
 * Opens what a client sealed.
 * @returns a refusal when its text is no request; that is between the node and the client
 * @throws BombyxError SEALED_STREAM when no client of this session sealed it
 */
export function readRequest(
  keys: SessionKeys,
  request: number,
  sealed: Uint8Array,
): SealedRequest | BombyxError {
  const plaintext = openRequest(keys, request, sealed);
  try {
    assertJsonDepth(plaintext);
    const parsed = sealedRequestSchema.safeParse(JSON.parse(fromUtf8(plaintext)));
    return parsed.success ? parsed.data : refusalOf(parsed.error);
  } catch (error) {
    if (error instanceof BombyxError) return error;
    return new BombyxError("BAD_REQUEST", "The sealed request is not JSON in UTF-8.", { cause: error });
  } finally {
    zero(plaintext);
  }
}

export interface JudgedRequest {
  readonly job: EngineJob;
  readonly terms: Terms;
  readonly budget: Budget;
}

function disagreement(field: string, message: string): BombyxError {
  return new BombyxError("DISAGREEMENT", `${field}: ${message}`, { field });
}

/**
 * Compares what is sealed with what stands in the clear (PROTOCOL §6) and judges the body.
 * @throws BombyxError DISAGREEMENT, PRICE_UNKNOWN, and what `judgeBody` throws.
 */
export function judgeRequest(
  inner: SealedRequest,
  head: RequestHead,
  sealed: Uint8Array,
  attestationId: string,
  offer: Offer,
): JudgedRequest {
  if (inner.idempotencyId !== head.idempotencyId) {
    throw disagreement("idempotencyId", "the sealed one is not the one in the clear");
  }
  if (inner.priceId !== head.priceId) {
    throw disagreement("priceId", "the sealed price is not the one in the clear");
  }
  const price = offer.price(inner.priceId);
  if (price?.model !== offer.model.manifest.model) {
    throw new BombyxError(
      "PRICE_UNKNOWN",
      "This node knows no such price for its model; ask for candidates again.",
      {
        field: "priceId",
      },
    );
  }
  if (inner.coefficient !== offer.coefficient) {
    throw disagreement("coefficient", `accepted ${inner.coefficient}, this node's is ${offer.coefficient}`);
  }
  if (!limits.maxTokensBuckets.includes(head.maxTokens)) {
    throw disagreement("maxTokens", `${head.maxTokens} is none of ${limits.maxTokensBuckets.join(", ")}`);
  }
  if (head.continuation && inner.prefix === undefined) {
    throw disagreement("continuation", "the gateway names a lost attempt, the sealed request none");
  }
  const { continuation } = head;
  const bucketBytes = requestBucketOf(sealed.length);
  const cap = capUnits({ bucketBytes, maxTokens: head.maxTokens, continuation }, offer.coefficient, price);
  if (head.capUnits !== cap)
    throw disagreement("capUnits", `the gateway says ${head.capUnits}, it is ${cap}`);

  const units = Math.min(cap, inner.ceilingUnits);
  const budget: Budget = { units, coefficient: offer.coefficient, price, continuation };
  const affordableTokens = completionTokensMax(budget, { promptTokens: 0, cachedTokens: 0 });
  if (affordableTokens < 1 && inner.endpoint !== "embeddings") {
    throw new BombyxError("CAP", `${units} units pay for no token of this model; raise the ceiling.`);
  }
  const job = judgeBody(inner, {
    session: head.session,
    promptTokensMax: promptTokensMax(budget, inner.endpoint === "embeddings" ? 0 : 1),
    declaredMaxTokens: head.maxTokens,
    affordableTokens,
    model: { id: offer.model.manifest.model, embeddings: offer.model.embeddings },
  });
  const { session, request, idempotencyId } = head;
  const terms: Terms = {
    attestationId,
    session,
    request,
    idempotencyId,
    manifest: offer.manifest,
    price,
    coefficient: offer.coefficient,
    capUnits: cap,
    ceilingUnits: inner.ceilingUnits,
    requestHash: toHex(requestHash(sealed)),
  };
  return { job, terms, budget };
}
