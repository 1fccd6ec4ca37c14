import { hasText } from "../i18n/messages.ts";

/** Why something did not happen, as a person is told it: by code, never by an error's own words. */
export interface Failure {
  /** Of BombyxError; `OFFLINE`, `SETUP` and `INTERNAL` are the page's own. */
  readonly code: string;
  /** Of AttestationError: which check refused. */
  readonly reason?: string;
  /** Of AttestationError: the step that the check belongs to. */
  readonly step?: string;
  readonly retryAfterMs?: number;
}

/** Reads what was thrown by its shape, so that the first paint does not wait for the SDK's classes. */
export function failureOf(error: unknown): Failure {
  if (!(error instanceof Error)) return { code: "INTERNAL" };
  const code = "code" in error && typeof error.code === "string" ? error.code : undefined;
  const reason = "reason" in error && typeof error.reason === "string" ? error.reason : undefined;
  const step = "step" in error && typeof error.step === "string" ? error.step : undefined;
  const retryAfterMs =
    "retryAfterMs" in error && typeof error.retryAfterMs === "number" ? error.retryAfterMs : undefined;
  if (code === undefined) return { code: error instanceof TypeError ? "GATEWAY_UNREACHABLE" : "SETUP" };
  return {
    code: code === "GATEWAY_UNREACHABLE" && navigator.onLine === false ? "OFFLINE" : code,
    ...(reason !== undefined && { reason }),
    ...(step !== undefined && { step }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** Message id of the plain words: of the very reason, else of its step, else of the code. */
export function wordsFor({ code, reason, step }: Failure): string {
  const ids = [
    reason === undefined ? undefined : `refusal-${reason.toLowerCase().replaceAll("_", "-")}`,
    step === undefined ? undefined : `refusal-step-${step.replaceAll("_", "-")}`,
    `failure-${code.toLowerCase().replaceAll("_", "-")}`,
  ];
  return ids.find((id) => id !== undefined && hasText(id)) ?? "failure-internal";
}

/** Waiting helps: nodes come and go, and so do networks. */
export const passesByItself = ({ code }: Failure): boolean =>
  ["NO_CANDIDATE", "MODEL_UNKNOWN", "GATEWAY_UNREACHABLE", "OFFLINE", "DRAINING", "QUEUE_FULL"].includes(
    code,
  );
