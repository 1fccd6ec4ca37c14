import { BombyxError, errorBodySchema, keepsSecrets, sealedHeaders } from "@bombyx/protocol/wire";
import type * as z from "zod";
import { readBounded } from "./read-bounded.ts";
import { refusal } from "./refusal.ts";

export type Fetch = (url: string, init?: RequestInit) => Promise<Response>;

/** A key, or how to get one that is valid now. */
export type ApiKey = string | (() => string | Promise<string>);

export interface GatewayOptions {
  /** Base URL, for example `https://gateway.example`. */
  readonly url: string;
  /** API key or session token; only ever sent in the `Authorization` header. */
  readonly apiKey?: ApiKey | undefined;
  readonly fetch?: Fetch | undefined;
  /** Bot keys only: Telegram user id for whom the bot asks. */
  readonly telegramUser?: string | undefined;
  /** See `ClientOptions.allowHttp`. */
  readonly allowHttp?: boolean | undefined;
  /** Address of the account's channel that pays. */
  readonly channel?: string | undefined;
}

const maxErrorBytes = 64 * 1024;
const maxJsonBytes = 1024 * 1024;
/** Until the first byte of an answer: above the longest that a gateway lets a request wait for a slot. */
const answerWithinMs = 30_000;

/** Requests to a gateway: credentials, refusals and sizes. What comes back is untrusted. */
export class GatewayHttp {
  readonly #base: string;
  readonly #apiKey: ApiKey | undefined;
  readonly #telegramUser: string | undefined;
  readonly #channel: string | undefined;
  readonly #fetch: Fetch;

  /** @throws BombyxError BAD_REQUEST when `url` is not an https URL, or an http one of this machine. */
  constructor({ url, apiKey, fetch, telegramUser, channel, allowHttp = false }: GatewayOptions) {
    this.#base = baseUrl(url, allowHttp);
    this.#apiKey = apiKey;
    this.#telegramUser = telegramUser;
    this.#channel = channel;
    this.#fetch = fetch ?? ((to, init) => globalThis.fetch(to, init));
  }

  /** @throws BombyxError with the gateway's code, or GATEWAY_UNREACHABLE for what is not of `schema`. */
  async json<T extends z.ZodType>(schema: T, path: string, init: RequestInit = {}): Promise<z.output<T>> {
    const bytes = await readBounded(await this.send(path, init), maxJsonBytes);
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder().decode(bytes));
    } catch (cause) {
      throw malformed(path, cause);
    }
    const parsed = schema.safeParse(value);
    if (!parsed.success) throw malformed(path, parsed.error);
    return parsed.data;
  }

  /** `json` with a JSON body. */
  async post<T extends z.ZodType>(
    schema: T,
    path: string,
    body: unknown,
    init: RequestInit = {},
  ): Promise<z.output<T>> {
    return await this.json(schema, path, {
      method: "POST",
      ...init,
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
  }

  /** @throws BombyxError with the gateway's code, or GATEWAY_UNREACHABLE when nothing answers in time. */
  async send(path: string, init: RequestInit): Promise<Response> {
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

  async #headers(): Promise<Record<string, string>> {
    const key = typeof this.#apiKey === "function" ? await this.#apiKey() : this.#apiKey;
    return {
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
      ...(this.#telegramUser !== undefined && { [sealedHeaders.user]: this.#telegramUser }),
      ...(this.#channel !== undefined && { [sealedHeaders.channel]: this.#channel }),
    };
  }
}

const malformed = (path: string, cause: unknown): BombyxError =>
  new BombyxError(
    "GATEWAY_UNREACHABLE",
    `The gateway's answer for ${path.split("?", 1)[0]} is not in Bombyx's format.`,
    {
      cause,
    },
  );

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
