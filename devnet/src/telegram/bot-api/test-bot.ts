import { BotApiError } from "./api-error.ts";
import type { BotAccount, LocalBotApi } from "./local-bot-api.ts";

export interface Reply {
  readonly ok: boolean;
  readonly result?: unknown;
  readonly error_code?: number;
  readonly description?: string;
  readonly parameters?: { readonly retry_after?: number };
}

/** Calls methods as bare HTTP, so that tests see what is on the wire and no library's view of it. */
export function wire(api: LocalBotApi, { token }: Pick<BotAccount, "token">) {
  return async (method: string, payload: object = {}): Promise<Reply> => {
    const response = await fetch(`${api.url}/bot${token}/${method}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(payload),
    });
    const body = (await response.json()) as Reply;
    if (response.status !== (body.error_code ?? 200))
      throw new Error(`status ${response.status} beside ${JSON.stringify(body)}`);
    return body;
  };
}

/** What a function is refused with, or that it was not. */
export function refusal(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof BotApiError) return error.description;
    throw error;
  }
  return "nothing was refused";
}
