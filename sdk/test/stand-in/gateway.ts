import { priceId, verifyReceipt } from "@bombyx/protocol/receipt";
import {
  answerContentType,
  BombyxError,
  concat,
  envelopeHeader,
  envelopeKind,
  fromUtf8,
  type Price,
  type Receipt,
  sealedHeaders,
  signedReceiptSchema,
  tokenRequestSchema,
  utf8,
} from "@bombyx/protocol/wire";
import type { ScriptedAnswer } from "./answer.ts";
import { type NodeOptions, StandInNode } from "./node.ts";
import type { Script } from "./script.ts";
import type { TestWorld } from "./world.ts";

/** What goes wrong with the next sealed request; each is used once, in order. */
export type Fault =
  | { readonly kind: "none" }
  /** The node dies: a failure envelope after so many frames, and nothing gets through to it again. */
  | { readonly kind: "lose"; readonly afterFrames: number }
  /** The connection breaks; gateway and node live. */
  | { readonly kind: "cut"; readonly afterFrames: number }
  /** The connection breaks and the gateway takes that for a cancel: the node stops soon behind it. */
  | { readonly kind: "hangup"; readonly afterFrames: number }
  /** The body ends early, cleanly, and the node is gone. */
  | { readonly kind: "end"; readonly afterFrames: number }
  /** Nothing more comes; `onCancel` is called when the client closes the request. */
  | {
      readonly kind: "hang";
      readonly afterFrames: number;
      readonly onReached?: () => void;
      readonly onCancel: () => void;
    }
  | { readonly kind: "refuse"; readonly error: BombyxError }
  | { readonly kind: "unreachable" }
  | { readonly kind: "plain"; readonly body: string }
  | { readonly kind: "tamper"; readonly frame: number }
  | { readonly kind: "receipt"; readonly forge: (receipt: unknown) => unknown };

const apiKey = "bx-test-key";
const base = "https://gateway.test";

const row = {
  model: "spark",
  nanoPerUnit: 10n,
  promptMultiplier: 10_000,
  cachedMultiplier: 5_000,
  completionMultiplier: 20_000,
  reasoningMultiplier: 20_000,
};

/** A gateway as clients meet it, with its nodes inside; `fetch` is its whole surface. */
export class StandInGateway {
  readonly url = base;
  readonly apiKey = apiKey;
  price: Price = { id: priceId(row), ...row };
  readonly nodes: StandInNode[] = [];
  readonly faults: Fault[] = [];
  /** Everything that clients sent: request lines, headers, bodies. */
  readonly wire: Uint8Array[] = [];
  readonly presented: Receipt[] = [];
  readonly sealedPosts: { node: string; lostAttempt: string | null; continuation: boolean }[] = [];
  resumptions = 0;
  readonly #answered = new Set<string>();
  readonly #world: TestWorld;
  readonly #answers = new Map<string, { answer: ScriptedAnswer; node: StandInNode }>();

  private constructor(world: TestWorld) {
    this.#world = world;
  }

  static async create(world: TestWorld, ...nodes: NodeOptions[]): Promise<StandInGateway> {
    const gateway = new StandInGateway(world);
    for (const options of nodes) gateway.nodes.push(await StandInNode.create(world, options));
    return gateway;
  }

  /** Whether this text went over the wire in the clear. */
  saw(text: string): boolean {
    const needle = String.fromCharCode(...utf8(text));
    return this.wire.some((bytes) => String.fromCharCode(...bytes).includes(needle));
  }

  readonly fetch = async (input: string, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    const url = new URL(request.url);
    if (url.host.startsWith("chain-")) return this.#world.chain(url);
    const body = new Uint8Array(await request.arrayBuffer());
    this.wire.push(utf8(`${request.method} ${request.url} ${JSON.stringify([...request.headers])}`), body);
    try {
      return await this.#route(request, url, body);
    } catch (error) {
      if (error instanceof BombyxError) return Response.json({ error }, { status: error.status });
      throw error;
    }
  };

  async #route(request: Request, url: URL, body: Uint8Array): Promise<Response> {
    if (url.pathname === "/v1/tokens") {
      const { botId, initData } = tokenRequestSchema.parse(JSON.parse(fromUtf8(body)));
      if (initData !== `genuine ${botId}`) {
        throw new BombyxError("INIT_DATA_INVALID", "Telegram did not sign this init data for this bot.");
      }
      return Response.json({ token: apiKey, expiresAt: this.#world.bornAt + 3_600_000 });
    }
    if (request.headers.get("authorization") !== `Bearer ${apiKey}`) {
      throw new BombyxError("UNAUTHENTICATED", "The API key is not known here.");
    }
    const [, , door, first = "", second = ""] = url.pathname.split("/");
    if (door === "models") return Response.json(this.#models());
    if (door === "candidates") return Response.json(this.#candidates(url.searchParams));
    if (door === "bundles")
      return new Response(
        new Uint8Array(this.#node((node) => node.candidate.attestationId === first).bundle),
      );
    if (door === "nodes") return this.#handshake(first, body);
    if (door === "receipts") return this.#receipt(body);
    if (door === "sealed" && request.method === "GET") {
      return this.#resume(`${first}/${second}`, Number(url.searchParams.get("from")), request.signal);
    }
    if (door === "sealed") return this.#ask(request, first, Number(second), body);
    throw new BombyxError("NOT_FOUND", url.pathname);
  }

  #models() {
    const { nanoPerUnit, ...price } = this.price;
    const data = [
      {
        id: "spark",
        object: "model",
        created: 1_700_000_000,
        owned_by: "bombyx",
        contextTokens: 2_048,
        nodes: this.nodes.length,
        price: { ...price, nanoPerUnit: nanoPerUnit.toString() },
      },
    ];
    return { object: "list", data };
  }

  #candidates(query: URLSearchParams) {
    const { nanoPerUnit, ...price } = this.price;
    const model = query.get("model") ?? "";
    if (model !== "spark")
      throw new BombyxError("MODEL_UNKNOWN", `No node serves ${model}.`, { field: "model" });
    const not = query.get("not")?.split(",") ?? [];
    const candidates = this.nodes
      .filter(({ offline, candidate }) => !offline && !not.includes(candidate.node))
      .map(({ candidate }) => candidate);
    return { model, price: { ...price, nanoPerUnit: nanoPerUnit.toString() }, candidates };
  }

  #handshake(id: string, message: Uint8Array): Response {
    const node = this.#node(({ candidate }) => candidate.node === id);
    if (node.offline) throw new BombyxError("NODE_OFFLINE", "The node is not connected.");
    const { message2, session } = node.handshake(message);
    return new Response(new Uint8Array(message2), {
      status: 201,
      headers: { [sealedHeaders.session]: session },
    });
  }

  #receipt(body: Uint8Array): Response {
    const signed = signedReceiptSchema.parse(JSON.parse(fromUtf8(body)));
    const node = this.#node(({ candidate }) => candidate.attestationId === signed.receipt.attestationId);
    this.presented.push(verifyReceipt(signed, node.sigPk));
    return Response.json({}, { status: 202 });
  }

  #ask(request: Request, session: string, number: number, sealed: Uint8Array): Response {
    const fault = this.faults.shift() ?? { kind: "none" };
    if (fault.kind === "refuse") throw fault.error;
    if (fault.kind === "unreachable") throw new TypeError("connection refused");
    const node = this.#node((candidate) => candidate.serves(session), "SESSION_UNKNOWN");
    if (node.offline) throw new BombyxError("NODE_OFFLINE", "The node is not connected.");
    const lostAttempt = request.headers.get(sealedHeaders.lostAttempt);
    const continuation = this.presented.some(
      (receipt) => `${receipt.session}/${receipt.request}` === lostAttempt && receipt.units > 0,
    );
    this.sealedPosts.push({ node: node.candidate.name, lostAttempt, continuation });
    const head = {
      session,
      request: number,
      idempotencyId: request.headers.get(sealedHeaders.idempotencyId) ?? "",
      priceId: request.headers.get(sealedHeaders.price) ?? "",
      maxTokens: Number(request.headers.get(sealedHeaders.maxTokens)),
      capUnits: 0,
      continuation,
    };
    if (fault.kind === "plain")
      return new Response(fault.body, { headers: { "content-type": "text/plain" } });
    if (this.#answered.has(head.idempotencyId)) {
      throw new BombyxError("ALREADY_USED", "This idempotency id was answered.", { field: "idempotencyId" });
    }
    let { script } = node;
    if (fault.kind === "hangup") {
      this.#answered.add(head.idempotencyId);
      script = stoppedAfter(script, fault.afterFrames);
    }
    const answer = node.answer(head, sealed, this.price, script);
    this.#answers.set(`${session}/${number}`, { answer, node });
    return streamed(answer, 0, fault, request.signal, () => {
      node.offline = true;
    });
  }

  #resume(key: string, from: number, signal: AbortSignal): Response {
    this.resumptions++;
    const known = this.#answers.get(key);
    if (!known) throw new BombyxError("REQUEST_UNKNOWN", "No such request.");
    if (known.node.offline) throw new BombyxError("NODE_OFFLINE", "The node is not connected.");
    return streamed(known.answer, from, { kind: "none" }, signal, () => undefined);
  }

  #node(
    matches: (node: StandInNode) => boolean,
    code: "NODE_UNKNOWN" | "SESSION_UNKNOWN" = "NODE_UNKNOWN",
  ): StandInNode {
    const node = this.nodes.find(matches);
    if (!node) throw new BombyxError(code, "No such node or session.");
    return node;
  }
}

/** What a node has said when the cancel reaches it: a little more than the client has seen. */
const stoppedAfter =
  (script: Script, deltas: number): Script =>
  (request) => {
    const whole = script(request);
    return { ...whole, deltas: whole.deltas.slice(0, deltas + 1), finishReason: "cancelled" };
  };

function streamed(
  answer: ScriptedAnswer,
  from: number,
  fault: Fault,
  signal: AbortSignal,
  onLost: () => void,
): Response {
  let index = from;
  const stopAt = "afterFrames" in fault ? fault.afterFrames : Number.POSITIVE_INFINITY;
  signal.addEventListener("abort", () => fault.kind === "hang" && fault.onCancel(), { once: true });
  const receipt = fault.kind === "receipt" ? fault.forge(answer.receipt) : answer.receipt;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        if (index >= stopAt) return await broken(controller, fault, onLost);
        const frame = answer.frames[index];
        if (frame) {
          const bytes = frame.slice();
          if (fault.kind === "tamper" && fault.frame === index)
            bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
          index++;
          controller.enqueue(envelope(envelopeKind.sealed, bytes));
          return;
        }
        if (receipt) controller.enqueue(envelope(envelopeKind.receipt, utf8(JSON.stringify(receipt))));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: { "content-type": answerContentType } });
}

async function broken(
  controller: ReadableStreamDefaultController<Uint8Array>,
  fault: Fault,
  onLost: () => void,
): Promise<void> {
  if (fault.kind === "cut" || fault.kind === "hangup")
    return controller.error(new TypeError("connection reset"));
  if (fault.kind === "hang") {
    fault.onReached?.();
    return await new Promise(() => undefined);
  }
  onLost();
  if (fault.kind === "lose") {
    const failure = new BombyxError("NODE_OFFLINE", "The node's link broke.");
    controller.enqueue(envelope(envelopeKind.failure, utf8(JSON.stringify(failure))));
  }
  controller.close();
}

const envelope = (kind: number, payload: Uint8Array): Uint8Array<ArrayBuffer> =>
  concat(envelopeHeader(kind, payload.length), payload);
