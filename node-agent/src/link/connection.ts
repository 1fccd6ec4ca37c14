import type { Socket } from "node:net";
import {
  BombyxError,
  decodeLinkMessage,
  decodeRequest,
  type ErrorBody,
  fromUtf8,
  type GatewayControl,
  gatewayControlSchema,
  type LinkMessage,
  linkKind,
  type NodeControl,
  resumeHeadSchema,
  type SignedReceipt,
} from "@bombyx/protocol/wire";
import type { WebSocket } from "ws";
import type { Clock } from "../clock.ts";
import type { Enclave } from "../enclave/enclave.ts";
import type { Attachment } from "../enclave/outlet.ts";
import type { NodeLog } from "../log.ts";
import { receiptsStream } from "./receipt-outbox.ts";
import { StreamOutlet, type Wire } from "./stream-outlet.ts";

/** The gateway has this long between two steps of the admission. */
const admissionMs = 20_000;
const heartbeatMs = 15_000;
const closeMs = 1_000;

/** Why a connection ended. */
export interface Ended {
  readonly code: string;
  readonly message: string;
  /** Trying again cannot help. */
  readonly fatal: boolean;
}

export interface ConnectionEvents {
  onControl(message: GatewayControl): void;
  onAck(signed: SignedReceipt, message: GatewayControl & { t: "ack" }): void;
  onEnd(ended: Ended): void;
}

/** One WebSocket to a gateway: framing, streams and heartbeat. What messages mean is `GatewayLink`'s. */
export class Connection implements Wire {
  readonly #socket: WebSocket;
  /** What it writes to, once it is open. */
  #wire: Socket | undefined;
  readonly #enclave: Enclave;
  readonly #clock: Clock;
  readonly #log: NodeLog;
  readonly #events: ConnectionEvents;
  readonly #attached = new Map<number, Attachment>();
  readonly #awaitingAck = new Map<number, SignedReceipt[]>();
  #refused: Ended | undefined;
  #alive = true;
  #ended = false;
  #stopHeartbeat: () => void = () => {};
  readonly #stopAdmission: () => void;

  constructor(socket: WebSocket, enclave: Enclave, clock: Clock, log: NodeLog, events: ConnectionEvents) {
    this.#socket = socket;
    this.#enclave = enclave;
    this.#clock = clock;
    this.#log = log;
    this.#events = events;
    this.#stopAdmission = this.#admissionLimit();
    socket.binaryType = "nodebuffer";
    socket.on("upgrade", ({ socket: wire }) => {
      this.#wire = wire;
    });
    socket.on("open", () => {
      this.#stopHeartbeat = clock.every(heartbeatMs, () => this.#beat());
    });
    socket.on("pong", () => {
      this.#alive = true;
    });
    socket.on("message", (data: Buffer, isBinary) => {
      this.#alive = true;
      if (isBinary) this.#onData(data);
      else this.#onText(data);
    });
    socket.on("error", (error) => this.#end({ code: "UNREACHABLE", message: error.message, fatal: false }));
    socket.on("close", () =>
      this.#end(this.#refused ?? { code: "CLOSED", message: "the gateway closed the link", fatal: false }),
    );
  }

  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  send(message: Uint8Array): void {
    this.#post(message);
  }

  control(message: NodeControl): void {
    this.#post(JSON.stringify(message));
  }

  /** Frames of one turn of the event loop, of all streams, leave in one write. */
  #post(message: Uint8Array | string): void {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    const wire = this.#wire;
    if (wire && wire.writableCorked === 0) {
      wire.cork();
      setImmediate(() => wire.uncork());
    }
    this.#socket.send(message);
  }

  expectAck(stream: number, signed: SignedReceipt): void {
    const waiting = this.#awaitingAck.get(stream);
    if (waiting) waiting.push(signed);
    else this.#awaitingAck.set(stream, [signed]);
  }

  ended(stream: number): void {
    this.#attached.delete(stream);
  }

  /** Sends a receipt whose own stream is gone. */
  resend(signed: SignedReceipt): void {
    new StreamOutlet(this, receiptsStream).receipt(signed);
  }

  /** The gateway has taken us: silence is the heartbeat's from now on. */
  admitted(): void {
    this.#stopAdmission();
  }

  /** Ends the link for a reason of ours, and says so to whoever hears of its end. */
  fail(reason: Ended): void {
    this.#refused ??= reason;
    this.close();
  }

  close(): void {
    this.#socket.close(1000);
    const cancel = this.#clock.after(closeMs, () => this.#socket.terminate());
    this.#socket.once("close", cancel);
  }

  #admissionLimit(): () => void {
    return this.#clock.after(admissionMs, () => {
      this.#refused ??= { code: "TIMEOUT", message: "the gateway did not answer in time", fatal: false };
      this.#socket.terminate();
    });
  }

  #beat(): void {
    if (!this.#alive) {
      this.#refused ??= { code: "TIMEOUT", message: "the gateway fell silent", fatal: false };
      this.#socket.terminate();
      return;
    }
    this.#alive = false;
    this.#socket.ping();
  }

  #end(ended: Ended): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stopHeartbeat();
    this.#stopAdmission();
    for (const attachment of [...this.#attached.values()]) attachment.lost();
    this.#attached.clear();
    this.#events.onEnd(ended);
  }

  #onText(data: Buffer): void {
    let message: GatewayControl;
    try {
      message = gatewayControlSchema.parse(JSON.parse(fromUtf8(data)));
    } catch {
      this.#refused = { code: "BAD_REQUEST", message: "the gateway speaks another protocol", fatal: false };
      this.#socket.close(1002);
      return;
    }
    if (message.t === "refused") {
      this.#refused = { code: message.code, message: message.message, fatal: message.fatal };
    } else if (message.t === "ack") {
      const signed = this.#awaitingAck.get(message.stream)?.shift();
      if (this.#awaitingAck.get(message.stream)?.length === 0) this.#awaitingAck.delete(message.stream);
      if (signed) this.#events.onAck(signed, message);
      return;
    }
    this.#events.onControl(message);
  }

  #onData(data: Buffer): void {
    let message: LinkMessage;
    try {
      message = decodeLinkMessage(data);
    } catch {
      this.#refused = { code: "BAD_REQUEST", message: "the gateway speaks another protocol", fatal: false };
      this.#socket.close(1002);
      return;
    }
    const { stream, kind } = message;
    if (kind === linkKind.window) {
      this.#attached.get(stream)?.wrote(message.index);
      return;
    }
    if (kind === linkKind.cancel) {
      this.#attached.get(stream)?.cancel();
      return;
    }
    const outlet = new StreamOutlet(this, stream);
    try {
      this.#open(message, outlet);
    } catch (error) {
      const refusal = refusalOf(error);
      this.#log.info("stream.refused", { stream, code: refusal.code });
      outlet.failed(refusal);
    }
  }

  #open({ kind, stream, index, payload }: LinkMessage, outlet: StreamOutlet): void {
    switch (kind) {
      case linkKind.handshake:
        outlet.handshakeDone(this.#enclave.handshake(payload));
        return;
      case linkKind.request: {
        const { head, sealed } = decodeRequest(payload);
        this.#attach(stream, this.#enclave.request(outlet, head, sealed));
        return;
      }
      case linkKind.resume: {
        const head = resumeHeadSchema.parse(JSON.parse(fromUtf8(payload)));
        this.#attach(stream, this.#enclave.resume(outlet, head, index));
        return;
      }
      default:
        throw new BombyxError("BAD_REQUEST", `Kind ${kind} of a link message is unknown to this node.`);
    }
  }

  #attach(stream: number, attachment: Attachment): void {
    if (attachment.attached) this.#attached.set(stream, attachment);
  }
}

function refusalOf(error: unknown): ErrorBody {
  if (error instanceof BombyxError) return error.toJSON();
  return { code: "BAD_REQUEST", message: "This link message is not one that the node can read." };
}
