import type { ServerResponse } from "node:http";
import {
  answerContentType,
  BombyxError,
  type ErrorBody,
  envelopeKind,
  limits,
  linkKind,
} from "@bombyx/protocol/wire";
import type { LinkStream, NodeLink } from "../fleet/node-link.ts";
import { EnvelopeWriter } from "./envelope-writer.ts";
import type { StallWatch } from "./stall-watch.ts";

/** What an attempt wants to know of its answer. */
export interface AnswerEvents {
  /** The first sealed frame was written to the client. */
  first(): void;
  /** The client is gone or reads nothing, before the answer's end; the node was told. */
  cancelled(): void;
  /** The node refused, or broke the protocol. @returns what the client is told. */
  failed(error: ErrorBody): ErrorBody;
  /** The node's link is gone. @returns what the client is told. */
  lost(): ErrorBody;
}

/** A window message for every so many frames; the node may be `limits.windowFrames` ahead. */
const windowEvery = limits.windowFrames / 2;
/** A node that runs so far ahead of its window, some 300 KB of a client's unread frames, keeps no rule. */
const framesBehindMost = 64 * limits.windowFrames;

/**
 * Carries sealed frames from one link stream to one HTTP response, and tells the node how far it got.
 *
 * The hash chain over frames in the receipt is the client's to check: it has the frames, and at one
 * hash per frame the check would cost the gateway a tenth of what a frame costs in all.
 */
export class AnswerRelay implements LinkStream {
  readonly #response: ServerResponse;
  readonly #events: AnswerEvents;
  readonly #stalls: StallWatch;
  readonly #done = Promise.withResolvers<void>();
  #link: NodeLink | undefined;
  #stream = 0;
  #next: number;
  #window: number;
  /** Set when the answer begins. */
  #writer: EnvelopeWriter | undefined;
  readonly #drained = () => {
    this.#stalls.delete(this);
    this.#acknowledge();
  };
  /** The response takes no more: it ended, or the client is gone. */
  #closed = false;

  constructor(options: {
    response: ServerResponse;
    /** Index of the first frame. */
    from: number;
    events: AnswerEvents;
    stalls: StallWatch;
  }) {
    this.#response = options.response;
    this.#next = options.from;
    this.#window = options.from;
    this.#events = options.events;
    this.#stalls = options.stalls;
    this.#response.on("close", () => this.#hungUp());
  }

  /**
   * Resolves when the response has ended or its client is gone.
   * @throws BombyxError when the answer ended before it began: the response is still to be written.
   */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  /** Says which stream the frames come on, as soon as it is open. */
  attach(link: NodeLink, stream: number): void {
    this.#link = link;
    this.#stream = stream;
    if (this.#closed) this.#cancel();
  }

  frame(index: number, message: Buffer, at: number): void {
    if (index !== this.#next) {
      this.#link?.take(this.#stream);
      this.cancelNode();
      this.failed({
        code: "NODE_FAILED",
        message: `The node sent frame ${index} in place of ${this.#next}.`,
      });
      return;
    }
    this.#next++;
    if (this.#closed) return;
    if (index - this.#window >= framesBehindMost) {
      // Whoever holds a link key speaks for a node: what the client does not read would fill our memory.
      this.#link?.take(this.#stream);
      this.cancelNode();
      this.failed({
        code: "NODE_FAILED",
        message: "The node sent more frames than its client had room for.",
      });
      return;
    }
    if (!this.#writer) this.#start();
    if (!this.#writer?.write(envelopeKind.sealed, message, at)) this.#stalls.add(this);
    else if (this.#next - this.#window >= windowEvery) this.#acknowledge();
  }

  receipt(payload: Buffer, final: boolean): void {
    if (!this.#closed) {
      if (!this.#writer) this.#start();
      this.#writer?.write(envelopeKind.receipt, payload);
    }
    if (final) this.#end();
  }

  failed(error: ErrorBody): void {
    this.#fail(this.#events.failed(error));
  }

  closed(): void {
    this.#fail(this.#events.lost());
  }

  handshakeDone(): void {
    this.failed({ code: "NODE_FAILED", message: "The node answered a request with a handshake." });
  }

  /** Another response takes over the same answer: this one ends without telling the node. */
  replace(): void {
    this.#link?.take(this.#stream);
    this.#close();
    this.#response.destroy();
    this.#done.resolve();
  }

  /** The reader has taken nothing for too long. */
  stalled(): void {
    this.#response.destroy();
  }

  /** Tells the node to stop; its receipt says what it did until then. */
  cancelNode(): void {
    this.#link?.send(linkKind.cancel, this.#stream, this.#next);
  }

  #start(): void {
    this.#response.writeHead(200, { "Content-Type": answerContentType, "Cache-Control": "no-store" });
    this.#writer = new EnvelopeWriter(this.#response);
    this.#writer.drains.on("drain", this.#drained);
    this.#events.first();
  }

  #acknowledge(): void {
    if (this.#closed || this.#window === this.#next) return;
    this.#window = this.#next;
    this.#link?.send(linkKind.window, this.#stream, this.#next);
  }

  #fail(error: ErrorBody): void {
    if (this.#closed) return;
    if (this.#writer) {
      this.#writer.write(envelopeKind.failure, Buffer.from(JSON.stringify(error)));
      this.#end();
      return;
    }
    this.#close();
    this.#done.reject(new BombyxError(error.code, error.message, error));
  }

  #end(): void {
    if (this.#closed) return;
    this.#close();
    this.#writer?.end();
    this.#done.resolve();
  }

  #hungUp(): void {
    if (this.#closed) return;
    this.#close();
    this.#done.resolve();
    this.#cancel();
  }

  #close(): void {
    this.#closed = true;
    this.#stalls.delete(this);
    this.#writer?.drains.off("drain", this.#drained);
  }

  #cancel(): void {
    if (!this.#link) return;
    this.cancelNode();
    this.#events.cancelled();
  }
}
