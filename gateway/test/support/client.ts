import { once } from "node:events";
import {
  type ClientRequest,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
} from "node:http";
import { AnswerOpener, initiateHandshake, type SessionKeys, sealRequest } from "@bombyx/protocol/session";
import type { AttestedNode } from "@bombyx/protocol/simulation";
import {
  candidatesSchema,
  type Envelope,
  EnvelopeReader,
  type ErrorBody,
  envelopeKind,
  fromHex,
  fromUtf8,
  sealedHeaders,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import { Mailbox } from "./mailbox.ts";

export interface Answered {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
  json: { error?: ErrorBody } & Record<string, unknown>;
}

export interface SealedOptions {
  request?: number;
  text?: string;
  idempotencyId?: string;
  priceId: string;
  maxTokens?: string;
  headers?: Record<string, string>;
  sealed?: Uint8Array;
}

/** A client on the gateway's public port, with real session keys. */
export class TestClient {
  readonly url: string;
  /** Who it is. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(url: string, key: string, headers: Record<string, string> = {}) {
    this.url = url;
    this.headers = { authorization: `Bearer ${key}`, ...headers };
  }

  async call(
    method: string,
    path: string,
    options: { body?: Uint8Array | string; headers?: Record<string, string> } = {},
  ): Promise<Answered> {
    const request = this.#open(method, path, options.headers);
    request.end(options.body);
    return await collect(request);
  }

  async priceId(model: string): Promise<string> {
    const { json } = await this.call("GET", `/v1/candidates?model=${model}`);
    return candidatesSchema.parse(json).price.id;
  }

  async openSession(node: AttestedNode): Promise<SessionKeys> {
    const { message, finish } = this.handshake(node);
    const { status, body } = await this.call("POST", `/v1/nodes/${node.node}/sessions`, { body: message });
    if (status !== 201) throw new Error(`handshake: ${status} ${body.toString()}`);
    return finish(body);
  }

  handshake(node: AttestedNode) {
    const { kem } = node;
    return initiateHandshake(
      { suite: 1, attestationId: fromHex(node.attestationId), kemId: kem.id },
      { id: kem.id, x25519: kem.x25519.publicKey },
    );
  }

  /** Sends a sealed request; the answer is read envelope by envelope. */
  ask(session: SessionKeys, options: SealedOptions): Answer {
    const { request: id = 0, text = "hello" } = options;
    const sealed = options.sealed ?? sealRequest(session, id, utf8(text));
    const request = this.#open("POST", `/v1/sealed/${toHex(session.sessionId)}/${id}`, {
      "content-length": String(sealed.length),
      ...sealedHead(options),
      ...options.headers,
    });
    request.end(sealed);
    return new Answer(request, session, id);
  }

  resume(session: SessionKeys, id: number, from: number): Answer {
    const request = this.#open("GET", `/v1/sealed/${toHex(session.sessionId)}/${id}?from=${from}`);
    request.end();
    return new Answer(request, session, id);
  }

  #open(method: string, path: string, headers: Record<string, string> = {}): ClientRequest {
    return httpRequest(`${this.url}${path}`, {
      method,
      agent: false,
      headers: { ...this.headers, ...headers },
    });
  }
}

export const sealedHead = (options: SealedOptions): Record<string, string> => ({
  [sealedHeaders.idempotencyId]: options.idempotencyId ?? "1".repeat(32),
  [sealedHeaders.price]: options.priceId,
  [sealedHeaders.maxTokens]: options.maxTokens ?? "256",
});

/** A streamed answer, or the refusal in its place. */
export class Answer {
  readonly response: Promise<IncomingMessage>;
  readonly envelopes = new Mailbox<Envelope | "end">();
  readonly #request: ClientRequest;
  readonly #opener: AnswerOpener;

  constructor(request: ClientRequest, session: SessionKeys, id: number) {
    this.#request = request;
    this.#opener = new AnswerOpener(session, id);
    this.response = once(request, "response").then(([response]: IncomingMessage[]) => {
      if (!response) throw new Error("no response");
      if (response.statusCode === 200) this.#read(response);
      return response;
    });
    request.on("error", () => undefined);
    this.response.catch(() => undefined);
  }

  /** Hangs up. */
  destroy(): void {
    this.#request.destroy();
  }

  /** Plaintext of the next envelope, which must be a sealed frame. */
  async text(): Promise<string> {
    const envelope = await this.next();
    if (envelope === "end" || envelope.kind !== envelopeKind.sealed) {
      throw new Error(`expected a frame, got ${envelope === "end" ? "the end" : fromUtf8(envelope.payload)}`);
    }
    return this.#opener
      .open(envelope.payload)
      .parts.map(({ payload }) => fromUtf8(payload))
      .join("");
  }

  async next(): Promise<Envelope | "end"> {
    await this.response;
    return await this.envelopes.next();
  }

  /** The next envelope, which must be of this kind, as JSON. */
  async json<T>(kind: number): Promise<T> {
    const envelope = await this.next();
    if (envelope === "end" || envelope.kind !== kind) throw new Error(`expected envelope ${kind}`);
    return JSON.parse(fromUtf8(envelope.payload)) as T;
  }

  /** The refusal that came in place of an answer. */
  async refusal(): Promise<{ status: number; error: ErrorBody; retryAfter: string | undefined }> {
    const response = await this.response;
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const { error } = JSON.parse(Buffer.concat(chunks).toString()) as { error: ErrorBody };
    return { status: response.statusCode ?? 0, error, retryAfter: response.headers["retry-after"] };
  }

  #read(response: IncomingMessage): void {
    const reader = new EnvelopeReader();
    response.on("data", (chunk: Buffer) => {
      for (const envelope of reader.push(chunk)) this.envelopes.put(envelope);
    });
    response.on("error", () => undefined);
    response.on("close", () => this.envelopes.put("end"));
  }
}

async function collect(request: ClientRequest): Promise<Answered> {
  const [response] = (await once(request, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const body = Buffer.concat(chunks);
  const isJson = response.headers["content-type"] === "application/json";
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body,
    json: isJson ? (JSON.parse(body.toString()) as Answered["json"]) : {},
  };
}
