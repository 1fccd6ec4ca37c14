import { once } from "node:events";
import { type ModelManifest, manifestHash } from "@bombyx/protocol/attestation";
import { signReceipt } from "@bombyx/protocol/receipt";
import {
  AnswerSealer,
  blake2b256,
  FramesHash,
  openRequest,
  requestHash,
  respondToHandshake,
  type SessionKeys,
  sign,
} from "@bombyx/protocol/session";
import { type AttestedNode, attestedNode, type SimulatedWorld } from "@bombyx/protocol/simulation";
import {
  answerType,
  concat,
  decodeLinkMessage,
  decodeRequest,
  type ErrorBody,
  encodeLinkMessage,
  fromHex,
  fromUtf8,
  type GatewayControl,
  gatewayControlSchema,
  linkKind,
  linkSubprotocol,
  type NodeControl,
  type Receipt,
  type RequestHead,
  resumeHeadSchema,
  toBase64,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import { WebSocket } from "ws";
import { Mailbox } from "./mailbox.ts";

export const manifestOf = (model: string): ModelManifest => ({
  v: 1,
  model,
  ggufSha256: "ab".repeat(32),
  engine: "scripted",
  chatTemplateHash: "cd".repeat(32),
  contextTokens: 2_048,
  sampler: { temperatureMilli: 700, topPMilli: 950, topK: 40 },
  kvTypes: { k: "f16", v: "f16" },
  adapters: [],
  draftModel: null,
  engineFlags: [],
});

export interface ScriptedNodeOptions {
  world: SimulatedWorld;
  beacon: { chain: string; seqno: number; hash: string };
  pairingCode?: string;
  model?: string;
  slots?: number;
  /** A node that was here before: its keys. */
  identity?: AttestedNode;
  coefficient?: number;
  /** As it names itself. */
  name?: string;
}

/** The node's end of a link, with real keys and a test in the engine's place. */
export class ScriptedNode {
  readonly identity: AttestedNode;
  readonly control = new Mailbox<GatewayControl>();
  readonly requests = new Mailbox<NodeRequest>();
  readonly resumptions = new Mailbox<{ stream: number; from: number; request: number }>();
  readonly handshakes = new Mailbox<number>();
  readonly closed: Promise<unknown>;
  readonly manifest: ModelManifest;
  readonly #socket: WebSocket;
  readonly #options: ScriptedNodeOptions;
  readonly #sessions: Map<string, SessionKeys>;
  readonly #streams = new Map<number, NodeRequest>();

  private constructor(
    socket: WebSocket,
    identity: AttestedNode,
    options: ScriptedNodeOptions,
    sessions: Map<string, SessionKeys>,
  ) {
    this.#socket = socket;
    this.identity = identity;
    this.#options = options;
    this.#sessions = sessions;
    this.manifest = manifestOf(options.model ?? "spark");
    this.closed = once(socket, "close");
    socket.on("message", (data: Buffer, binary: boolean) =>
      binary ? this.#data(data) : this.#control(data),
    );
  }

  /** Connects and says hello; what the gateway answers is in `control`. */
  static async dial(
    gateway: string,
    options: ScriptedNodeOptions,
    sessions = new Map<string, SessionKeys>(),
  ): Promise<ScriptedNode> {
    const identity =
      options.identity ??
      (await attestedNode({
        world: options.world,
        now: Date.now(),
        beacon: options.beacon,
        manifests: [manifestOf(options.model ?? "spark")],
      }));
    const socket = new WebSocket(`${gateway.replace("http", "ws")}/v1/link`, linkSubprotocol, {
      perMessageDeflate: false,
    });
    const node = new ScriptedNode(socket, identity, options, sessions);
    await once(socket, "open");
    return node;
  }

  /** Connects until the gateway offers it to clients. */
  static async join(
    gateway: string,
    options: ScriptedNodeOptions,
    sessions?: Map<string, SessionKeys>,
  ): Promise<ScriptedNode> {
    const node = await ScriptedNode.dial(gateway, options, sessions);
    await node.expect("welcome");
    node.attest();
    await node.expect("attested");
    await node.offer();
    return node;
  }

  get sessions(): Map<string, SessionKeys> {
    return this.#sessions;
  }

  async expect<T extends GatewayControl["t"]>(t: T): Promise<Extract<GatewayControl, { t: T }>> {
    const message = await this.control.next();
    if (message.t !== t) throw new Error(`expected ${t}, got ${JSON.stringify(message)}`);
    return message as Extract<GatewayControl, { t: T }>;
  }

  say(message: NodeControl): void {
    this.#socket.send(JSON.stringify(message));
  }

  attest(bytes: Uint8Array = this.identity.bytes): void {
    this.say({ t: "attest", bundle: toBase64(bytes) });
  }

  /** Offers, and waits until the gateway has judged it: it answers a second attestation in order. */
  async offer(): Promise<void> {
    this.offerAs(this.manifest.model);
    this.attest();
    await this.expect("attested");
  }

  /** Offers its manifest under a model's name. */
  offerAs(id: string): void {
    this.say({
      t: "offer",
      models: [
        {
          id,
          manifest: manifestHash(this.manifest),
          contextTokens: 2_048,
          slots: this.#options.slots ?? 4,
          prefillTokensPerSecond: 1_000,
          decodeTokensPerSecond: 100,
          embeddings: false,
        },
      ],
    });
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes);
  }

  sendReceipt(stream: number, signed: Uint8Array): void {
    this.send(encodeLinkMessage(linkKind.receipt, stream, 0, signed));
  }

  /** As a power cut would. */
  kill(): void {
    this.#socket.terminate();
  }

  close(): void {
    this.#socket.close();
  }

  #control(data: Buffer): void {
    const message = gatewayControlSchema.parse(JSON.parse(data.toString()));
    if (message.t === "challenge") this.hello(fromHex(message.nonce));
    else this.control.put(message);
  }

  hello(nonce: Uint8Array): void {
    const { link, bundle } = this.identity;
    const { pairingCode, coefficient = 1_000 } = this.#options;
    this.say({
      t: "hello",
      v: 1,
      agent: "scripted",
      name: this.#options.name ?? "scripted",
      linkPk: bundle.link.linkPk,
      payout: bundle.link.payout,
      signature: toHex(sign(concat(utf8("bombyx/link-auth/v1\0"), nonce), link.privateKey)),
      ...(pairingCode !== undefined && { pairingCode }),
      coefficient,
    });
  }

  #data(data: Buffer): void {
    const { kind, stream, index, payload } = decodeLinkMessage(data);
    if (kind === linkKind.handshake) {
      const { message2, session } = respondToHandshake(payload, this.identity.kem);
      this.#sessions.set(toHex(session.sessionId), session);
      this.handshakes.put(stream);
      this.send(encodeLinkMessage(linkKind.handshakeDone, stream, 0, concat(session.sessionId, message2)));
    } else if (kind === linkKind.request) {
      const { head, sealed } = decodeRequest(payload);
      const session = this.#sessions.get(head.session);
      if (!session) throw new Error(`no session ${head.session}`);
      const request = new NodeRequest(this, session, stream, head, sealed);
      this.#streams.set(stream, request);
      this.requests.put(request);
    } else if (kind === linkKind.resume) {
      const { request } = resumeHeadSchema.parse(JSON.parse(fromUtf8(payload)));
      this.resumptions.put({ stream, from: index, request });
    } else if (kind === linkKind.cancel) {
      this.#streams.get(stream)?.cancels.put(index);
    } else if (kind === linkKind.window) {
      this.#streams.get(stream)?.windows.put(index);
    }
  }
}

/** One request as the node has it; the test answers it frame by frame. */
export class NodeRequest {
  readonly head: RequestHead;
  readonly text: string;
  readonly cancels = new Mailbox<number>();
  readonly windows = new Mailbox<number>();
  readonly sent: Uint8Array[] = [];
  readonly #node: ScriptedNode;
  readonly #stream: number;
  readonly #sealer: AnswerSealer;
  readonly #frames = new FramesHash();
  readonly #requestHash: string;

  constructor(
    node: ScriptedNode,
    session: SessionKeys,
    stream: number,
    head: RequestHead,
    sealed: Uint8Array,
  ) {
    this.#node = node;
    this.#stream = stream;
    this.head = head;
    this.text = fromUtf8(openRequest(session, head.request, sealed));
    this.#sealer = new AnswerSealer(session, head.request);
    this.#requestHash = toHex(requestHash(sealed));
  }

  get stream(): number {
    return this.#stream;
  }

  say(text: string, final = false): void {
    const frame = this.#sealer.seal([{ type: answerType.delta, payload: utf8(text) }], final);
    this.#frames.push(frame);
    this.#node.send(encodeLinkMessage(linkKind.frame, this.#stream, this.sent.length, frame));
    this.sent.push(frame);
  }

  /** Sends a frame under an index that is not its own. */
  sayAt(index: number, text: string): void {
    const frame = this.#sealer.seal([{ type: answerType.delta, payload: utf8(text) }]);
    this.#node.send(encodeLinkMessage(linkKind.frame, this.#stream, index, frame));
  }

  /** Sends the frames from `from` on again, on another stream. */
  replay(stream: number, from: number): void {
    this.replayOn(this.#node, stream, from);
  }

  receipt(change: Partial<Receipt> = {}): Receipt {
    return {
      v: 1,
      attestationId: this.#node.identity.attestationId,
      session: this.head.session,
      request: this.head.request,
      idempotencyId: this.head.idempotencyId,
      manifest: manifestHash(this.#node.manifest),
      priceId: this.head.priceId,
      coefficient: 1_000,
      capUnits: this.head.capUnits,
      ceilingUnits: this.head.capUnits,
      units: 128,
      frames: this.sent.length,
      finish: "done",
      requestHash: this.#requestHash,
      framesHash: toHex(this.#frames.digest),
      detailHash: toHex(blake2b256(utf8("detail"))),
      ...change,
    };
  }

  signed(change: Partial<Receipt> = {}) {
    return signReceipt(this.receipt(change), this.#node.identity.sig.privateKey);
  }

  settle(change: Partial<Receipt> = {}, stream = this.#stream): void {
    const payload = utf8(JSON.stringify(this.signed(change)));
    this.#node.send(encodeLinkMessage(linkKind.receipt, stream, 0, payload));
  }

  /** The whole answer: `text` in one last frame, and its receipt. */
  answer(text: string): void {
    this.say(text, true);
    this.settle();
  }

  refuse(error: ErrorBody, stream = this.#stream): void {
    this.refuseOn(this.#node, stream, error);
  }

  /** The same on another link of this node, when its own is gone. */
  replayOn(link: ScriptedNode, stream: number, from: number): void {
    for (const [index, frame] of this.sent.entries()) {
      if (index >= from) link.send(encodeLinkMessage(linkKind.frame, stream, index, frame));
    }
  }

  settleOn(link: ScriptedNode, stream: number): void {
    link.sendReceipt(stream, utf8(JSON.stringify(this.signed())));
  }

  refuseOn(link: ScriptedNode, stream: number, error: ErrorBody): void {
    link.send(encodeLinkMessage(linkKind.failed, stream, 0, utf8(JSON.stringify(error))));
  }
}
