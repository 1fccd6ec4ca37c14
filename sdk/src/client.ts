import { randomBytes, ready } from "@bombyx/protocol/session";
import { BombyxError, toHex } from "@bombyx/protocol/wire";
import { type AnswerEvent, type AnswerTools, answer } from "./answer/answer.ts";
import type { ClientEvent } from "./client-event.ts";
import type { ClientOptions } from "./client-options.ts";
import { Gateway } from "./gateway/gateway.ts";
import { AnswerStream } from "./openai/answer-stream.ts";
import { chatChunks, chatCompletion } from "./openai/chat.ts";
import type { ChatCompletion, ChatCompletionChunk, ChatCompletionRequest } from "./openai/chat-types.ts";
import { completion, completionChunks } from "./openai/completion.ts";
import type {
  Completion,
  CompletionChunk,
  CompletionRequest,
  EmbeddingRequest,
  EmbeddingResponse,
  ModelList,
} from "./openai/completion-types.ts";
import { embeddingResponse } from "./openai/embedding.ts";
import type { Letterhead } from "./openai/render.ts";
import { type ReadRequest, readRequest } from "./openai/request.ts";
import { openAiFetch } from "./openai-fetch.ts";
import type { ReceiptFile } from "./receipt/receipt-file.ts";
import { Connector } from "./session/connector.ts";
import { SessionPool } from "./session/pool.ts";
import { isOpenTier, type Policy, policyAppraiser, policyReadmission, strictPolicy } from "./trust/policy.ts";
import type { Proof } from "./trust/proof.ts";
import { type NodeVerdict, Verifier } from "./trust/verifier.ts";

export interface RequestOptions {
  /** Aborting cancels the request; the node stops generating. */
  readonly signal?: AbortSignal;
  /**
   * Nodes that ask more of the gateway's price are passed over for this request, in 1/1000; of this, the body's
   * `max_coefficient` and the client's own the lowest counts.
   */
  readonly maxCoefficient?: number;
  /** nanoTON that the request may cost, over all attempts; the answer stops there with finish reason `length`. */
  readonly maxCostNano?: bigint;
}

/** Answers whose receipts are kept. */
const receiptsKept = 64;

/** Chosen by what `stream` says: a stream of chunks or the whole answer. */
type Answered<Request, Chunk, Whole> = Request extends { stream: true }
  ? AnswerStream<Chunk>
  : "stream" extends keyof Request
    ? Request extends { stream?: false | undefined }
      ? Whole
      : AnswerStream<Chunk> | Whole
    : Whole;

/**
 * A private, OpenAI-compatible client: prompts are sealed on this side to a node whose hardware quote
 * this side has verified, and relayed by a gateway that cannot read them.
 *
 * ```ts
 * const client = new BombyxClient({ gateway: "https://gateway.example", apiKey });
 * const stream = await client.chat.completions.create({ model, messages, stream: true });
 * for await (const chunk of stream) show(chunk.choices[0]?.delta.content ?? "");
 * ```
 */
export class BombyxClient {
  readonly #user: string;
  readonly #now: () => number;
  readonly #lifetime = new AbortController();
  readonly #listeners = new Set<(event: ClientEvent) => void>();
  readonly #gateway: Gateway;
  readonly #pool: SessionPool;
  readonly #receipts = new Map<string, () => ReceiptFile>();
  readonly #tools: AnswerTools;

  /** @throws BombyxError BAD_REQUEST when `gateway` is not an https URL, or an http one of this machine. */
  constructor(options: ClientOptions) {
    const {
      policy = strictPolicy as Policy,
      now = Date.now,
      fetch = (url, init) => globalThis.fetch(url, init),
    } = options;
    const emit = (event: ClientEvent) => {
      for (const listener of this.#listeners) listener(event);
    };
    this.#user = options.user ?? "";
    this.#now = now;
    const access = {
      url: options.gateway,
      apiKey: options.apiKey,
      fetch,
      allowHttp: options.allowHttp ?? false,
      channel: options.payment?.channel,
      ...(options.telegramUser !== undefined && { telegramUser: options.telegramUser }),
    };
    this.#gateway = new Gateway(access, isOpenTier(policy) ? "none" : "tdx");
    options.payment?.attach(access, now);
    const verifier = new Verifier(
      (attestationId, signal) => this.#gateway.bundle(attestationId, signal),
      policyAppraiser(policy, fetch, now),
      now,
      policy.models,
      policyReadmission(policy, now),
    );
    const connector = new Connector({
      gateway: this.#gateway,
      verifier,
      now,
      random: randomFraction,
      minOwners: policy.minOwners ?? 1,
      maxCoefficient: options.maxCoefficient ?? 2_000,
      emit,
    });
    this.#pool = new SessionPool(connector, now, this.#lifetime.signal);
    this.#tools = {
      gateway: this.#gateway,
      pool: this.#pool,
      tickMs: policy.tickMs ?? 80,
      now,
      random: randomFraction,
      payment: options.payment,
      newId: () => toHex(randomBytes(16)),
      emit,
      forget: ({ candidate }) => verifier.forget(candidate.attestationId),
    };
  }

  readonly chat = {
    completions: {
      /**
       * `POST /v1/chat/completions`, sealed.
       * @throws BombyxError with a stable code; AttestationError when no candidate is trustworthy.
       */
      create: <const Request extends ChatCompletionRequest>(
        request: Request,
        options?: RequestOptions,
      ): Promise<Answered<Request, ChatCompletionChunk, ChatCompletion>> =>
        this.#answer("chat.completions", request, options, chatChunks, chatCompletion),
    },
  };

  readonly completions = {
    /** `POST /v1/completions`, sealed; one prompt at a time. */
    create: <const Request extends CompletionRequest>(
      request: Request,
      options?: RequestOptions,
    ): Promise<Answered<Request, CompletionChunk, Completion>> =>
      this.#answer("completions", request, options, completionChunks, completion),
  };

  readonly embeddings = {
    /** `POST /v1/embeddings`, sealed; at most 64 inputs. */
    create: async (request: EmbeddingRequest, options?: RequestOptions): Promise<EmbeddingResponse> => {
      const { controller, events, read } = await this.#ask("embeddings", request, options);
      return await closing(controller, embeddingResponse(events, read.model, read.encodingFormat));
    },
  };

  readonly models = {
    /** What the gateway's nodes serve now. */
    list: async (options: RequestOptions = {}): Promise<ModelList> => {
      const { data } = await this.#gateway.models(options.signal ?? this.#lifetime.signal);
      return {
        object: "list",
        data: data.map(({ id, object, created, owned_by, contextTokens, nodes }) => {
          return { id, object, created, owned_by, contextTokens, nodes };
        }),
      };
    },
  };

  /**
   * A `fetch` for the official `openai` package: it answers `/v1/chat/completions` and its siblings on
   * this side, whatever host the URL names, and sends nothing there.
   */
  readonly fetch = openAiFetch(this);

  /**
   * Verifies candidates and opens a session and its standby ahead, while the person types.
   * @returns what was verified of the node that will answer.
   */
  async prepare(
    request: { model: string; user?: string },
    options: RequestOptions = {},
  ): Promise<NodeVerdict> {
    await ready;
    await this.#tools.payment?.ready();
    const seat = { model: request.model, user: request.user ?? this.#user };
    const session = await this.#pool.prepare(seat, options.signal ?? this.#lifetime.signal);
    return session.verdict;
  }

  /** What this side has verified of the node that answers now; undefined before the first session. */
  verdict(request: { model: string; user?: string }): NodeVerdict | undefined {
    return this.#pool.current({ model: request.model, user: request.user ?? this.#user })?.verdict;
  }

  /** The verdict with the bytes that were judged, for a proof sheet; undefined before the first session. */
  proof(request: { model: string; user?: string }): Proof | undefined {
    return this.#pool.current({ model: request.model, user: request.user ?? this.#user })?.proof;
  }

  /** The same of the node that takes over when the one that answers is lost; undefined when none stands by. */
  standby(request: { model: string; user?: string }): Proof | undefined {
    return this.#pool.standby({ model: request.model, user: request.user ?? this.#user })?.proof;
  }

  /**
   * Everything that anybody needs to judge what an answer cost, for `bombyx receipt verify`; of the last answers only,
   * and only when their receipt came with them and holds. With the sealed counts in it, it tells how long question and
   * answer were.
   * @param id of the answer: `chatcmpl-…` or `cmpl-…`
   */
  receipt(id: string): ReceiptFile | undefined {
    return this.#receipts.get(id.replace(/^(?:chat)?cmpl-/, ""))?.();
  }

  /** Calls `listener`, which must not throw, with what happens; @returns the function that ends it. */
  observe(listener: (event: ClientEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Cancels what runs and erases all session keys. */
  close(): void {
    this.#lifetime.abort(new BombyxError("CANCELLED", "The client was closed."));
    this.#pool.close();
  }

  async #answer<Request extends { stream?: boolean }, Chunk, Whole>(
    endpoint: "chat.completions" | "completions",
    request: Request,
    options: RequestOptions | undefined,
    chunks: (events: AsyncIterable<AnswerEvent>, head: Letterhead, usage: boolean) => AsyncGenerator<Chunk>,
    whole: (events: AsyncIterable<AnswerEvent>, head: Letterhead) => Promise<Whole>,
  ): Promise<Answered<Request, Chunk, Whole>> {
    const { controller, events, read } = await this.#ask(endpoint, request, options);
    const head = {
      id: toHex(randomBytes(12)),
      created: Math.floor(this.#now() / 1_000),
      model: read.model,
    };
    const kept = this.#keeping(events, head.id);
    const answered = read.stream
      ? await AnswerStream.open(chunks(kept, head, read.includeUsage), controller)
      : await closing(controller, whole(kept, head));
    return answered as Answered<Request, Chunk, Whole>;
  }

  async *#keeping(events: AsyncIterable<AnswerEvent>, id: string): AsyncGenerator<AnswerEvent> {
    for await (const event of events) {
      if (event.type === "done" && event.summary.file) {
        this.#receipts.set(id, event.summary.file);
        const [oldest] = this.#receipts.keys();
        if (this.#receipts.size > receiptsKept && oldest !== undefined) this.#receipts.delete(oldest);
      }
      yield event;
    }
  }

  async #ask(
    endpoint: "chat.completions" | "completions" | "embeddings",
    request: unknown,
    { signal, ...most }: RequestOptions = {},
  ): Promise<{ controller: AbortController; events: AsyncGenerator<AnswerEvent>; read: ReadRequest }> {
    await ready;
    await this.#tools.payment?.ready();
    const read = readRequest(endpoint, request, this.#user, most);
    const controller = new AbortController();
    const signals = [controller.signal, this.#lifetime.signal, ...(signal ? [signal] : [])];
    return { controller, events: answer(read.question, this.#tools, AbortSignal.any(signals)), read };
  }
}

/** Nothing of the request outlives its answer. */
async function closing<T>(controller: AbortController, whole: Promise<T>): Promise<T> {
  try {
    return await whole;
  } finally {
    controller.abort();
  }
}

function randomFraction(): number {
  const [high = 0] = crypto.getRandomValues(new Uint32Array(1));
  return high / 2 ** 32;
}
