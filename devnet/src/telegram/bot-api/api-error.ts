/** What a method is refused with: Telegram's `error_code` and `description`. */
export class BotApiError extends Error {
  readonly code: number;
  readonly description: string;
  readonly parameters: { readonly retry_after?: number } | undefined;

  constructor(code: number, description: string, parameters?: { readonly retry_after?: number }) {
    super(`${code} ${description}`);
    this.name = "BotApiError";
    this.code = code;
    this.description = description;
    this.parameters = parameters;
  }
}

/** 400. Telegram lowers the first letter of a sentence, and keeps constants such as `BUTTON_DATA_INVALID`. */
export function badRequest(reason: string): BotApiError {
  const isConstant = /^.[A-Z_]/.test(reason);
  const sentence = isConstant ? reason : reason.charAt(0).toLowerCase() + reason.slice(1);
  return new BotApiError(400, `Bad Request: ${sentence}`);
}

export const forbidden = (reason: string) => new BotApiError(403, `Forbidden: ${reason}`);
export const conflict = (reason: string) => new BotApiError(409, `Conflict: ${reason}`);

/** 429 with `retry_after` in whole seconds, at least one. */
export function tooManyRequests(retryAfterS: number): BotApiError {
  const seconds = Math.max(1, Math.ceil(retryAfterS));
  return new BotApiError(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
}
