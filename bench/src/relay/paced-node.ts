import type { Socket } from "node:net";
import { type Block, type ModelManifest, manifestHash } from "@bombyx/protocol/attestation";
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
import { attestedNode, type SimulatedWorld } from "@bombyx/protocol/simulation";
import {
  answerType,
  concat,
  decodeLinkMessage,
  decodeRequest,
  encodeLinkMessage,
  fromHex,
  type GatewayControl,
  gatewayControlSchema,
  limits,
  linkKind,
  linkSubprotocol,
  type NodeControl,
  type Receipt,
  type RequestHead,
  toBase64,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import { WebSocket } from "ws";
import { nowUs } from "./clock.ts";
import type { Pace, Pacer } from "./pace.ts";

const manifest: ModelManifest = {
  v: 1,
  model: "paced",
  ggufSha256: "00".repeat(32),
  engine: "paced token source",
  chatTemplateHash: "00".repeat(32),
  contextTokens: 1_024,
  sampler: { temperatureMilli: 0, topPMilli: 1_000, topK: 0 },
  kvTypes: { k: "f16", v: "f16" },
  adapters: [],
  draftModel: null,
  engineFlags: [],
};
const slots = 256;
const payout = "unset";

export interface PacedNodeOptions {
  readonly world: SimulatedWorld;
  readonly beacon: Block;
  readonly linkUrl: string;
  readonly pairingCode: string;
  /** Frames are sealed and opened as in the product, or of the same size and not sealed; the gateway cannot tell. */
  readonly sealed: boolean;
  readonly pace: Pace;
  readonly pacer: Pacer;
}

/**
 * A node link with a paced token source behind it. It attests and shakes hands like a node, and signs
 * receipts as often as one; each frame carries the µs stamp at which it was written.
 */
export class PacedNode {
  readonly #options: PacedNodeOptions;
  readonly #node: Awaited<ReturnType<typeof attestedNode>>;
  readonly #socket: WebSocket;
  readonly #sessions = new Map<string, SessionKeys>();
  readonly #running = new Map<number, () => void>();
  readonly #listed = Promise.withResolvers<void>();
  #wire: Socket | undefined;

  /** Resolves when the gateway lists the node's model. */
  static async start(options: PacedNodeOptions): Promise<PacedNode> {
    const { world, beacon } = options;
    const attested = await attestedNode({ world, now: Date.now(), beacon, manifests: [manifest], payout });
    const node = new PacedNode(options, attested);
    await node.#listed.promise;
    return node;
  }

  private constructor(options: PacedNodeOptions, node: Awaited<ReturnType<typeof attestedNode>>) {
    this.#options = options;
    this.#node = node;
    this.#socket = new WebSocket(options.linkUrl, linkSubprotocol, { perMessageDeflate: false });
    this.#socket.on("upgrade", ({ socket }) => {
      this.#wire = socket;
    });
    this.#socket.on("message", (data: Buffer, binary: boolean) => {
      if (binary) this.#onData(data);
      else this.#onControl(gatewayControlSchema.parse(JSON.parse(data.toString())));
    });
    this.#socket.on("error", this.#listed.reject);
    this.#socket.on("close", () => process.exit(1));
  }

  /** What is sent between the two leaves together. */
  cork(): void {
    this.#wire?.cork();
  }

  uncork(): void {
    this.#wire?.uncork();
  }

  #say(message: NodeControl): void {
    this.#socket.send(JSON.stringify(message));
  }

  #onControl(message: GatewayControl): void {
    const { link, bytes } = this.#node;
    if (message.t === "challenge") {
      const signed = concat(utf8("bombyx/link-auth/v1\0"), fromHex(message.nonce));
      this.#say({
        t: "hello",
        v: 1,
        agent: "bench",
        name: "bench",
        linkPk: toHex(link.publicKey),
        payout,
        signature: toHex(sign(signed, link.privateKey)),
        pairingCode: this.#options.pairingCode,
        coefficient: 1_000,
      });
    } else if (message.t === "welcome") {
      this.#say({ t: "attest", bundle: toBase64(bytes) });
    } else if (message.t === "attested") {
      this.#say({
        t: "offer",
        models: [
          {
            id: manifest.model,
            manifest: manifestHash(manifest),
            contextTokens: manifest.contextTokens,
            slots,
            prefillTokensPerSecond: 1_000,
            decodeTokensPerSecond: 1_000,
            embeddings: false,
          },
        ],
      });
      this.#listed.resolve();
    } else if (message.t === "refused") {
      this.#listed.reject(new Error(`${message.code}: ${message.message}`));
    }
  }

  #onData(data: Buffer): void {
    const { kind, stream, payload } = decodeLinkMessage(data);
    if (kind === linkKind.handshake) {
      const { message2, session } = respondToHandshake(payload, this.#node.kem);
      this.#sessions.set(toHex(session.sessionId), session);
      const answer = concat(session.sessionId, message2);
      this.#socket.send(encodeLinkMessage(linkKind.handshakeDone, stream, 0, answer));
    } else if (kind === linkKind.request) {
      const { head, sealed } = decodeRequest(payload);
      this.#answer(stream, head, sealed);
    } else if (kind === linkKind.cancel) {
      this.#running.get(stream)?.();
      this.#running.delete(stream);
    }
  }

  #answer(stream: number, head: RequestHead, body: Uint8Array): void {
    const { sealed, pace, pacer } = this.#options;
    const session = this.#sessions.get(head.session);
    if (!session) throw new Error("no such session");
    if (sealed) openRequest(session, head.request, body);
    const sealer = new AnswerSealer(session, head.request);
    const hash = new FramesHash();
    let frames = 0;
    const receipt = (finish: Receipt["finish"]): void => {
      const signed = signReceipt(
        {
          v: 1,
          attestationId: this.#node.attestationId,
          session: head.session,
          request: head.request,
          idempotencyId: head.idempotencyId,
          manifest: manifestHash(manifest),
          priceId: head.priceId,
          coefficient: 1_000,
          capUnits: head.capUnits,
          ceilingUnits: head.capUnits,
          units: 64,
          frames,
          finish,
          requestHash: toHex(requestHash(body)),
          framesHash: toHex(hash.digest),
          detailHash: toHex(blake2b256(body)),
        },
        this.#node.sig.privateKey,
      );
      this.#socket.send(encodeLinkMessage(linkKind.receipt, stream, 0, utf8(JSON.stringify(signed))));
    };
    const send = (payload: Uint8Array, final: boolean): void => {
      const frame = sealed
        ? sealer.seal([{ type: answerType.delta, payload }], final)
        : unsealed(payload, frames === 0);
      if (sealed) hash.push(frame);
      this.#socket.send(encodeLinkMessage(linkKind.frame, stream, frames++, frame));
      if (!final && frames % limits.receiptEveryFrames === 0) receipt("running");
    };
    const stop = pacer.run(
      pace,
      () => send(stamp(), false),
      () => {
        this.#running.delete(stream);
        send(new Uint8Array(8), true);
        receipt("done");
      },
    );
    this.#running.set(stream, () => {
      stop();
      receipt("cancelled");
    });
  }
}

/** A frame of the size that a sealed one has. */
function unsealed(payload: Uint8Array, first: boolean): Uint8Array {
  const frame = new Uint8Array(limits.answerFrameBytes + 17 + (first ? 24 : 0));
  frame.set(payload);
  return frame;
}

function stamp(): Uint8Array {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, nowUs());
  return bytes;
}
