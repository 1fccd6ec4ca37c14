import type { Statement } from "@bombyx/protocol/attestation";
import { capUnits, type TokenCounts } from "@bombyx/protocol/receipt";
import {
  AnswerOpener,
  initiateHandshake,
  randomBytes,
  requestBucketOf,
  type SessionKeys,
  type Suite,
  sealRequest,
  sessionIdHex,
} from "@bombyx/protocol/session";
import {
  type AnswerDelta,
  answerType,
  concat,
  type ErrorBody,
  encodeRequest,
  fromHex,
  fromUtf8,
  linkKind,
  type ReceiptDetail,
  type RequestHead,
  type SealedRequest,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import { type FakeGateway, type GatewayStream, price } from "./fake-gateway.ts";

/** Everything a client reads from an answer, frame by frame. */
export class AnswerReader {
  readonly #opener: AnswerOpener;
  readonly frames: Uint8Array[] = [];
  readonly checkpoints: {
    frame: number;
    counts: Omit<TokenCounts, "continuation">;
    signature: Uint8Array;
  }[] = [];
  #deltas: Uint8Array = new Uint8Array(0);
  #error: Uint8Array = new Uint8Array(0);
  #detail: Uint8Array = new Uint8Array(0);
  pings = 0;

  constructor(keys: SessionKeys, request: number) {
    this.#opener = new AnswerOpener(keys, request);
  }

  get final(): boolean {
    return this.#opener.final;
  }

  read(sealed: Uint8Array): void {
    const { parts } = this.#opener.open(sealed);
    this.frames.push(sealed);
    for (const { type, payload } of parts) {
      if (type === answerType.delta) this.#deltas = concat(this.#deltas, payload);
      else if (type === answerType.error) this.#error = concat(this.#error, payload);
      else if (type === answerType.detail) this.#detail = concat(this.#detail, payload);
      else if (type === answerType.ping) this.pings++;
      else if (type === answerType.checkpoint) this.#checkpoint(payload);
    }
  }

  /** Reads up to FINAL, telling the gateway's window as a relay does. */
  async readAll(stream: GatewayStream): Promise<this> {
    while (!this.final) {
      const { index, sealed } = await stream.frame();
      this.read(sealed);
      stream.send(linkKind.window, index + 1);
    }
    return this;
  }

  get deltas(): AnswerDelta[] {
    return fromUtf8(this.#deltas)
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  }

  get text(): string {
    return this.deltas.map((delta) => ("text" in delta ? delta.text : "")).join("");
  }

  get error(): ErrorBody {
    return JSON.parse(fromUtf8(this.#error));
  }

  get detail(): ReceiptDetail {
    return JSON.parse(fromUtf8(this.#detail));
  }

  #checkpoint(payload: Uint8Array): void {
    const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
    this.checkpoints.push({
      frame: this.frames.length - 1,
      counts: {
        promptTokens: view.getUint32(0),
        cachedTokens: view.getUint32(4),
        completionTokens: view.getUint32(8),
        reasoningTokens: view.getUint32(12),
      },
      signature: payload.slice(16),
    });
  }
}

/** A request as a client seals it, and what stands beside it in the clear. */
export interface ClientRequest {
  readonly head: RequestHead;
  readonly sealed: Uint8Array;
  readonly inner: SealedRequest;
}

/** A client's session with the node, through the gateway's link. */
export class Client {
  readonly keys: SessionKeys;
  readonly #gateway: FakeGateway;
  #lastRequest = -1;

  private constructor(gateway: FakeGateway, keys: SessionKeys) {
    this.#gateway = gateway;
    this.keys = keys;
  }

  static handshake(statement: Statement, attestationId: string, suite: Suite) {
    const [x25519, xwing] = statement.kem;
    return initiateHandshake(
      { suite, attestationId: fromHex(attestationId), kemId: fromHex(x25519!.id) },
      { id: fromHex(x25519!.id), x25519: fromHex(x25519!.pk), ...(xwing && { xwing: fromHex(xwing.pk) }) },
    );
  }

  static async connect(
    gateway: FakeGateway,
    { statement, attestationId }: { statement: Statement; attestationId: string },
    suite: Suite = 2,
  ): Promise<Client> {
    const handshake = Client.handshake(statement, attestationId, suite);
    const stream = gateway.open(linkKind.handshake, 0, handshake.message);
    const { kind, payload } = await stream.messages.next();
    if (kind !== linkKind.handshakeDone) throw new Error(fromUtf8(payload));
    const keys = handshake.finish(payload.subarray(32));
    if (toHex(payload.subarray(0, 32)) !== sessionIdHex(keys))
      throw new Error("the node names another session");
    return new Client(gateway, keys);
  }

  get session(): string {
    return sessionIdHex(this.keys);
  }

  /** Seals a chat request; `inner` and `head` change what is sealed and what stands in the clear. */
  seal(
    body: Record<string, unknown> = {},
    inner: Partial<SealedRequest> = {},
    head: Partial<RequestHead> = {},
  ): ClientRequest {
    const request = head.request ?? ++this.#lastRequest;
    const sealedRequest: SealedRequest = {
      endpoint: "chat.completions",
      body: { model: "scripted", messages: [{ role: "user", content: "Hello" }], ...body },
      idempotencyId: toHex(randomBytes(16)),
      priceId: price.id,
      coefficient: 1_000,
      ceilingUnits: 1_000_000_000,
      tickMs: 80,
      ...inner,
    };
    const sealed = sealRequest(this.keys, request, utf8(JSON.stringify(sealedRequest)));
    const maxTokens = head.maxTokens ?? 256;
    const continuation = head.continuation ?? false;
    return {
      inner: sealedRequest,
      sealed,
      head: {
        session: this.session,
        request,
        idempotencyId: sealedRequest.idempotencyId,
        priceId: sealedRequest.priceId,
        maxTokens,
        capUnits: capUnits(
          { bucketBytes: requestBucketOf(sealed.length), maxTokens, continuation },
          1_000,
          price,
        ),
        continuation,
        ...head,
      },
    };
  }

  send({ head, sealed }: ClientRequest): GatewayStream {
    return this.#gateway.open(linkKind.request, 0, encodeRequest(head, sealed));
  }

  resume({ head: { session, request } }: ClientRequest, from: number): GatewayStream {
    return this.#gateway.open(linkKind.resume, from, utf8(JSON.stringify({ session, request })));
  }

  reader({ head }: ClientRequest): AnswerReader {
    return new AnswerReader(this.keys, head.request);
  }
}
