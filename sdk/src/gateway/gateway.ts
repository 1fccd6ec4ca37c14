import {
  answerContentType,
  BombyxError,
  type Candidates,
  candidatesSchema,
  limits,
  modelsSchema,
  type SealedHead,
  type SignedReceipt,
  sealedHeaders,
} from "@bombyx/protocol/wire";
import type * as z from "zod";
import { GatewayHttp, type GatewayOptions } from "./gateway-http.ts";
import { readBounded } from "./read-bounded.ts";

/** What stands behind a node: a hardware quote, or (the open tier) nothing but its owner's word. */
export type Tee = "tdx" | "none";

export type Models = z.infer<typeof modelsSchema>;

const message2Bytes = 48;

/**
 * The gateway's HTTP API as a client uses it. Everything that comes back is untrusted: shapes and
 * sizes are checked here, meaning is checked by who asked.
 */
export class Gateway {
  readonly #http: GatewayHttp;
  readonly #tee: Tee;

  /** @param tee which nodes are asked for; never both */
  constructor(options: GatewayOptions, tee: Tee = "tdx") {
    this.#http = new GatewayHttp(options);
    this.#tee = tee;
  }

  async models(signal: AbortSignal): Promise<Models> {
    const path = this.#tee === "none" ? "v1/models?tee=none" : "v1/models";
    return await this.#http.json(modelsSchema, path, { signal });
  }

  /** At most five, best first; `not` names nodes that the client has just lost or refused. */
  async candidates(model: string, not: readonly string[], signal: AbortSignal): Promise<Candidates> {
    const query = new URLSearchParams({ model });
    if (this.#tee === "none") query.set("tee", "none");
    if (not.length > 0) query.set("not", not.join(","));
    return await this.#http.json(candidatesSchema, `v1/candidates?${query}`, { signal });
  }

  /** The exact bytes of a bundle. */
  async bundle(attestationId: string, signal: AbortSignal): Promise<Uint8Array> {
    return await readBounded(
      await this.#http.send(`v1/bundles/${attestationId}`, { signal }),
      limits.bundleBytes,
    );
  }

  /** Posts a handshake. @returns Noise message 2. */
  async handshake(node: string, message: Uint8Array, signal: AbortSignal): Promise<Uint8Array> {
    const response = await this.#http.send(`v1/nodes/${node}/sessions`, {
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
    const response = await this.#http.send(`v1/sealed/${session}/${request}`, {
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
    return answerBody(await this.#http.send(`v1/sealed/${session}/${request}?from=${from}`, { signal }));
  }

  /** Presents a lost node's running receipt, so that what it delivered is paid, once. */
  async presentReceipt(receipt: SignedReceipt, signal: AbortSignal): Promise<void> {
    const response = await this.#http.send("v1/receipts", {
      method: "POST",
      body: JSON.stringify(receipt),
      headers: { "content-type": "application/json" },
      signal,
    });
    await response.body?.cancel();
  }
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
