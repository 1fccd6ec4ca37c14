import { BombyxError } from "@bombyx/protocol/wire";

/** OpenAI's error shape. */
export interface OpenAiError {
  error: { message: string; type: string; param: string | null; code: string };
}

export const invalid = (field: string, message: string): BombyxError =>
  new BombyxError("BAD_REQUEST", `${field}: ${message}`, { field });

const types: Readonly<Record<number, string>> = {
  401: "authentication_error",
  402: "insufficient_quota",
  403: "permission_error",
  404: "not_found_error",
  429: "rate_limit_error",
};

/** What is not a BombyxError is a defect of ours; its text may hold a prompt, so it is not passed on. */
export const asBombyxError = (error: unknown): BombyxError =>
  error instanceof BombyxError
    ? error
    : new BombyxError("INTERNAL", "The client failed; the cause is attached.", { cause: error });

export function openAiError({ status, message, field, code }: BombyxError): OpenAiError {
  const type = types[status] ?? (status >= 500 ? "server_error" : "invalid_request_error");
  return { error: { message, type, param: field ?? null, code } };
}

/** Headers of an error answer: when to try again, and whether trying again can help at all. */
export function errorHeaders({ retryAfterMs, status, code }: BombyxError): Record<string, string> {
  const again = (status === 429 || status === 503) && code !== "ALLOWANCE_EXHAUSTED";
  return {
    "x-should-retry": String(again),
    ...(again && retryAfterMs !== undefined && { "retry-after": String(Math.ceil(retryAfterMs / 1_000)) }),
  };
}
