import type { Duplex } from "node:stream";
import {
  BombyxError,
  decodeLinkMessage,
  type ErrorBody,
  encodeLinkMessage,
  errorBodySchema,
  fromUtf8,
  type GatewayControlMessage,
  type LinkKind,
  linkHeaderBytes,
  linkKind,
} from "@bombyx/protocol/wire";
import type { WebSocket } from "ws";

/** One handshake, request or resumption on a link; who opened it hears what the node answers. */
export interface LinkStream {
  /** The sealed frame is what `message` holds from `at` on; it is copied before this returns. */
  frame(index: number, message: Buffer, at: number): void;
  handshakeDone(payload: Buffer): void;
  /** The node's clear receipt after the ledger has it; a final one ends the stream. */
  receipt(payload: Buffer, final: boolean): void;
  /** Ends the stream: the node refused, or broke the protocol. */
  failed(error: ErrorBody): void;
  /** Ends the stream: the link is gone. */
  closed(): void;
}

export interface LinkEvents {
  receipt(link: NodeLink, stream: number, payload: Buffer): void;
  /** A sealed frame of so many bytes came, for metrics. */
  frame(bytes: number): void;
}

/** Largest stream number before the link is asked to start anew; u32. */
const lastStream = 0xffff_fffe;

/** How a link message that carries a frame begins: version 1, its kind, two zeros; then where its numbers are. */
const frameHead = ((1 << 24) | (linkKind.frame << 16)) >>> 0;
const streamAt = 4;
const indexAt = 8;

/** A node's authenticated WebSocket: streams in both directions, control messages towards the node. */
export class NodeLink {
  readonly node: string;
  readonly #socket: WebSocket;
  /** What `#socket` writes to. */
  readonly #wire: Duplex;
  readonly #events: LinkEvents;
  readonly #streams = new Map<number, LinkStream>();
  #lastStream = 0;
  #open = true;

  /** @param wire the connection that `socket` speaks on. */
  constructor(node: string, socket: WebSocket, wire: Duplex, events: LinkEvents) {
    this.node = node;
    this.#socket = socket;
    this.#wire = wire;
    this.#events = events;
  }

  get open(): boolean {
    return this.#open;
  }

  /** Opens a stream and sends its first message. @throws BombyxError NODE_OFFLINE on a closed link. */
  start(kind: LinkKind, index: number, payload: Uint8Array, stream: LinkStream): number {
    if (!this.#open || this.#lastStream >= lastStream) {
      throw new BombyxError("NODE_OFFLINE", "The node's link is closed.");
    }
    const id = ++this.#lastStream;
    this.#streams.set(id, stream);
    this.#post(encodeLinkMessage(kind, id, index, payload));
    return id;
  }

  /** A message without payload on an open stream: `cancel` or `window`. */
  send(kind: LinkKind, stream: number, index: number): void {
    if (this.#open) this.#post(encodeLinkMessage(kind, stream, index));
  }

  /** Ends a stream on this side; what the node still sends on it is dropped. */
  take(stream: number): LinkStream | undefined {
    const taken = this.#streams.get(stream);
    this.#streams.delete(stream);
    return taken;
  }

  /** The stream that a running receipt came on; it stays open. */
  peek(stream: number): LinkStream | undefined {
    return this.#streams.get(stream);
  }

  control(message: GatewayControlMessage): void {
    if (this.#open) this.#post(JSON.stringify(message));
  }

  /** Says why, and closes. `fatal`: the node should not come back by itself. */
  refuse(code: string, message: string, fatal: boolean): void {
    this.control({ t: "refused", code, message, fatal });
    this.#socket.close(fatal ? 1008 : 1013, code);
    this.closed();
  }

  /** Ends every stream; the socket is gone or going. */
  closed(): void {
    if (!this.#open) return;
    this.#open = false;
    const streams = [...this.#streams.values()];
    this.#streams.clear();
    for (const stream of streams) stream.closed();
  }

  /**
   * Messages of one turn of the event loop leave in one write: every write wakes the node, which for a
   * dozen bytes of window costs more than all else about them.
   */
  #post(message: Uint8Array | string): void {
    if (this.#wire.writableCorked === 0) {
      this.#wire.cork();
      setImmediate(this.#uncork);
    }
    this.#socket.send(message);
  }

  readonly #uncork = (): void => this.#wire.uncork();

  terminate(): void {
    this.#socket.terminate();
    this.closed();
  }

  /** One binary message of the node. @throws BombyxError BAD_REQUEST on a malformed one. */
  receive(message: Buffer): void {
    // Frames are nearly all there is, and are read in place.
    if (message.length >= linkHeaderBytes && message.readUInt32BE(0) === frameHead) {
      this.#events.frame(message.length - linkHeaderBytes);
      this.#streams
        .get(message.readUInt32BE(streamAt))
        ?.frame(message.readUInt32BE(indexAt), message, linkHeaderBytes);
      return;
    }
    const { kind, stream: id, payload } = decodeLinkMessage(message);
    switch (kind) {
      case linkKind.receipt:
        this.#events.receipt(this, id, message.subarray(linkHeaderBytes));
        return;
      case linkKind.handshakeDone:
        this.take(id)?.handshakeDone(message.subarray(linkHeaderBytes));
        return;
      case linkKind.failed:
        this.take(id)?.failed(parseError(payload));
        return;
      default:
        throw new BombyxError("BAD_REQUEST", `A node sends no link messages of kind ${kind}.`);
    }
  }
}

/** What a node says of a failure. Whom to use instead is the gateway's to say. */
function parseError(payload: Uint8Array): ErrorBody {
  try {
    const error: unknown = JSON.parse(fromUtf8(payload));
    const { code, message, field, retryAfterMs } = errorBodySchema.parse({ error }).error;
    return {
      code,
      message: message.slice(0, 512),
      ...(field !== undefined && { field }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
    };
  } catch {
    return { code: "NODE_FAILED", message: "The node failed without saying why." };
  }
}
