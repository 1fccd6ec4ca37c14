import { BombyxError, type ErrorCode } from "@bombyx/sdk";
import type { Translate } from "../texts/texts.ts";

const textOf: Partial<Record<ErrorCode, string>> = {
  ALLOWANCE_EXHAUSTED: "error-allowance",
  CAP: "error-allowance",
  SPONSOR_EMPTY: "error-sponsor",
  CREDIT_UNAVAILABLE: "error-sponsor",
  NO_CANDIDATE: "error-no-node",
  NODE_OFFLINE: "error-no-node",
  NODE_UNKNOWN: "error-no-node",
  QUEUE_FULL: "error-busy",
  NODE_BUSY: "error-busy",
  RATE_LIMITED: "error-busy",
  SESSION_LIMIT: "error-busy",
  DRAINING: "error-busy",
  ATTESTATION: "error-attestation",
  ATTESTATION_REFUSED: "error-attestation",
  CONTEXT_TOO_LONG: "too-long",
  BODY_TOO_LARGE: "too-long",
  MODEL_UNKNOWN: "error-model",
  GATEWAY_UNREACHABLE: "error-unreachable",
  UNAUTHENTICATED: "error-setup",
  FORBIDDEN: "error-setup",
  BOT_NOT_REGISTERED: "error-setup",
  TRUNCATED: "error-cut",
  NODE_FAILED: "error-cut",
  SEALED_STREAM: "error-cut",
  RECEIPT_INVALID: "error-cut",
};

/** When nothing says how long to wait. */
const usualWaitMs = 5_000;

/** What went wrong, for a person; codes and causes are for the log. */
export function errorText(error: unknown, t: Translate, model: string): string {
  const id = error instanceof BombyxError ? textOf[error.code] : undefined;
  const waitMs = (error instanceof BombyxError && error.retryAfterMs) || usualWaitMs;
  return t(id ?? "error-internal", { model, seconds: Math.ceil(waitMs / 1_000) });
}
