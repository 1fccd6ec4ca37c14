import {
  answerContentType,
  BombyxError,
  type Candidates,
  candidatesSchema,
  errorBodySchema,
  keepsSecrets,
  limits,
  modelsSchema,
  type SealedHead,
  type SignedReceipt,
  sealedHeaders,
} from "@bombyx/protocol/wire";
import type * as z from "zod";
import { readBounded } from "./read-bounded.ts";
import { refusal } from "./refusal.ts";

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;
export type Models = z.infer<typeof modelsSchema>;

/** A key, or how to get one that is valid now. */
export type ApiKey = string | (() => string | Promise<string>);

export interface GatewayOptions {
  /** Base URL, for example `https://gateway.example`. */
  readonly url: string;
  /** API key or session token; only ever sent in the `Authorization` header. */
  readonly apiKey?: ApiKey;
  readonly fetch: Fetch;
  /** Bot keys only: Telegram user id for whom the bot asks. */
  readonly telegramUser?: string;
  /** See `ClientOptions.allowHttp`. */
  readonly allowHttp?: boolean;
}

const maxErrorBytes = 64 * 1024;
const maxListBytes = 1024 * 1024;
const message2Bytes = 48;
/** Until the first byte of an answer: above the longest that a gateway lets a request wait for a slot. */
const answerWithinMs = 30_000;

/**
 * The gateway's HTTP API as a client uses it. Everything that comes back is untrusted: shapes and
 * sizes are checked here, meaning is checked by who asked.
 */
export class Gateway {
  readonly #base: string;
  readonly #apiKey: ApiKey | undefined;
  readonly #telegramUser: string | undefined;
  readonly #fetch: Fetch;

  constructor({ url, apiKey, fetch, telegramUser, allowHttp = false }: GatewayOptions) {
    this.#base = baseUrl(url, allowHttp);
    this.#apiKey = apiKey;
    this.#telegramUser = telegramUser;
    this.#fetch = fetch;
  }

  async models(signal: AbortSignal): Promise<Models> {
    return parsed(modelsSchema, await this.#json("v1/models", signal), "models");
  }

  /** At most five, best first; `not` names nodes that the client has just lost or refused. */
  async candidates(model: string, not: readonly string[], signal: AbortSignal): Promise<Candidates> {
    const query = new URLSearchParams({ model });
    if (not.length > 0) query.set("not", not.join(","));
    return parsed(candidatesSchema, await this.#json(`v1/candidates?${query}`, signal), "candidates");
  }

  /** The exact bytes of a bundle. */
  async bundle(attestationId: string, signal: AbortSignal): Promise<Uint8Array> {
    return await readBounded(await this.#send(`v1/bundles/${attestationId}`, { signal }), limits.bundleBytes);
  }

  /** Posts a handshake. @returns Noise message 2. */
  async handshake(node: string, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const response = await this.#send(`v1/nodes/${node}/sessions`, {
      method: "POST",
      body: new Uint8Array(message),
      headers: { "content-type": "application/octet-stream" },
      signal,
    });
    return await readBounded(response, message2Bytes);
  }

  /** Posts a sealed request. @returns the answer's envelopes as they come. */
  async ask(
    session: string,
    request: number,
    head: SealedHead,
    sealed: Uint8Array,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    const headers: Record<string, string> = {
      "content-type": "application/octet-stream",
      [sealedHeaders.idempotencyId]: head.idempotencyId,
      [sealedHeaders.price]: head.priceId,
      [sealedHeaders.maxTokens]: String(head.maxTokens),
    };
    if (head.lostAttempt) {
      headers[sealedHeaders.lostAttempt] = `${head.lostAttempt.session}/${head.lostAttempt.request}`;
    }
    const response = await this.#send(`v1/sealed/${session}/${request}`, {
      method: "POST",
      body: new Uint8Array(sealed),
      headers,
      signal,
    });
    return answerBody(response);
  }

  /** The frames of an answer again, from number `from` on. */
  async resume(
    session: string,
    request: number,
    from: number,
    signal: AbortSignal,
  ): Promise<ReadableStream<Uint8Array>> {
    return answerBody(await this.#send(`v1/sealed/${session}/${request}?from=${from}`, { signal }));
  }

  /** Presents a lost node's running receipt, so that what it delivered is paid, once. */
  async presentReceipt(receipt: SignedReceipt, signal: AbortSignal): Promise<void> {
    const response = await this.#send("v1/receipts", {
      method: "POST",
      body: JSON.stringify(receipt),
      headers: { "content-type": "application/json" },
      signal,
    });
    await response.body?.cancel();
  }

  /** Exchanges init data for a token; the answer is not judged here. */
  async exchangeToken(request: { botId: number; initData: string }): Promise<unknown> {
    return await this.#json("v1/tokens", undefined, {
      method: "POST",
      body: JSON.stringify(request),
      headers: { "content-type": "application/json" },
    });
  }

  async #headers(): Promise<Record<string, string>> {
    const key = typeof this.#apiKey === "function" ? await this.#apiKey() : this.#apiKey;
    return {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(this.#telegramUser !== undefined && { [sealedHeaders.user]: this.#telegramUser }),
    };
  }

  async #json(path: string, signal: AbortSignal | undefined, init: RequestInit = {}): Promise<unknown> {
    const bytes = await readBounded(
      await this.#send(path, { ...init, ...(signal && { signal }) }),
      maxListBytes,
    );
    try {
      return JSON.parse(new TextDecoder().decode(bytes));
    } catch (cause) {
      throw malformed(path, cause);
    }
  }

  async #send(path: string, init: RequestInit): Promise<Response> {
    let response: Response;
    const headers = await this.#headers();
    const silence = new AbortController();
    const silent = setTimeout(() => silence.abort(), answerWithinMs);
    try {
      response = await this.#fetch(`${this.#base}${path}`, {
        ...init,
        headers: { ...headers, ...(init.headers as Record<string, string> | undefined) },
        signal: AbortSignal.any([silence.signal, ...(init.signal ? [init.signal] : [])]),
        redirect: "error",
        credentials: "omit",
        cache: "no-store",
        referrerPolicy: "no-referrer",
      });
    } catch (cause) {
      throw new BombyxError("GATEWAY_UNREACHABLE", `The gateway at ${this.#base} does not answer.`, {
        cause,
      });
    } finally {
      clearTimeout(silent);
    }
    if (!response.ok) throw await refusalOf(response);
    return response;
  }
}

function parsed<T extends z.ZodType>(schema: T, value: unknown, what: string): z.infer<T> {
  const result = schema.safeParse(value);
  if (!result.success) throw malformed(what, result.error);
  return result.data;
}

const malformed = (what: string, cause: unknown): BombyxError =>
  new BombyxError("GATEWAY_UNREACHABLE", `The gateway's answer for ${what} is not in Bombyx's format.`, {
    cause,
  });

/** @throws BombyxError BAD_REQUEST for what is no http(s) URL without credentials, or would show the key to the network. */
function baseUrl(url: string, allowHttp: boolean): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username !== "" || parsed.search !== "") {
    throw new BombyxError(
      "BAD_REQUEST",
      "gateway must be an http(s) URL without credentials or query, like https://gateway.example.",
      { field: "gateway" },
    );
  }
  if (!allowHttp && !keepsSecrets(parsed)) {
    throw new BombyxError(
      "BAD_REQUEST",
      `gateway is ${url}: over http everybody on the way reads the API key. Use https; allowHttp is for a network that is private itself.`,
      { field: "gateway" },
    );
  }
  return parsed.href.endsWith("/") ? parsed.href : `${parsed.href}/`;
}

function answerBody(response: Response): ReadableStream<Uint8Array> {
  const type = response.headers.get("content-type");
  if (type?.split(";")[0] !== answerContentType || !response.body) {
    void response.body?.cancel();
    throw new BombyxError(
      "SEALED_STREAM",
      `The gateway answered with ${type ?? "no content type"} instead of a sealed stream; nothing of it is shown.`,
    );
  }
  return response.body;
}

async function refusalOf(response: Response): Promise<BombyxError> {
  try {
    const bytes = await readBounded(response, maxErrorBytes);
    return refusal(errorBodySchema.parse(JSON.parse(new TextDecoder().decode(bytes))).error);
  } catch (cause) {
    return new BombyxError(
      response.status >= 500 ? "GATEWAY_UNREACHABLE" : "BAD_REQUEST",
      `The gateway answered HTTP ${response.status} without a reason.`,
      { cause },
    );
  }
}
