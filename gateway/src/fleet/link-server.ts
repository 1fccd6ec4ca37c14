import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { AttestationError, type AttestationReason } from "@bombyx/protocol/attestation";
import {
  BombyxError,
  fromBase64,
  limits,
  linkSubprotocol,
  type NodeControl,
  nodeControlSchema,
  type Price,
} from "@bombyx/protocol/wire";
import { type WebSocket, WebSocketServer } from "ws";
import type { Accounts, NodeRecord } from "../accounts/accounts.ts";
import type { ClientAddresses } from "../accounts/client-addresses.ts";
import { removed } from "../accounts/pairing.ts";
import { networkOf, type RateLimiter } from "../accounts/rate-limit.ts";
import type { Log } from "../log.ts";
import type { PriceList } from "../prices.ts";
import type { AttestationIntake } from "./attestation-intake.ts";
import type { Fleet } from "./fleet.ts";
import type { FleetNode } from "./fleet-node.ts";
import { helloNodeId, verifyHello } from "./link-auth.ts";
import { type LinkEvents, NodeLink } from "./node-link.ts";
import type { Quarantine } from "./quarantine.ts";

type Hello = Extract<NodeControl, { t: "hello" }>;

export interface LinkServerOptions {
  readonly fleet: Fleet;
  readonly accounts: Accounts;
  readonly quarantine: Pick<Quarantine, "reason">;
  readonly addresses: ClientAddresses;
  readonly intake: AttestationIntake;
  readonly prices: PriceList;
  /** Attestations by node: each costs an appraisal, and a place in the store for a day. */
  readonly attestations: RateLimiter;
  /** Verifies Acks, hex. */
  readonly ackPk: string;
  readonly events: LinkEvents;
  /** A pairing code was spent on a node. */
  readonly onPaired?: (node: NodeRecord) => void;
  readonly log: Log;
  readonly pingEveryMs?: number;
}

const helloTimeoutMs = 10_000;
/** Sockets that may be open without having said who they are; one more, and the oldest goes: a node says hello at once. */
const strangersMost = 256;
/** Control messages that may wait while one is being judged. */
const pendingControls = 64;

/** Refusals that pass by themselves, or with a fresh quote: the node should try again. */
const transientReasons: ReadonlySet<string> = new Set<AttestationReason>([
  "CHAIN_VIEW",
  "BEACON_UNKNOWN",
  "BEACON_AGE",
  "CLOCK",
  "COLLATERAL_EXPIRED",
  "COLLATERAL_AGE",
  "CRL_EXPIRED",
  "CRL_ROLLBACK",
  "COLLATERAL_ROLLBACK",
  "REGISTRY_VIEW",
  "REGISTRY_AGE",
]);

/** The node side of the gateway: `GET /v1/link`, one WebSocket per node (protocol/wire/node-link.ts). */
export class LinkServer {
  readonly #options: LinkServerOptions;
  readonly #server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.linkMessageBytes,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (offered) => (offered.has(linkSubprotocol) ? linkSubprotocol : false),
  });
  readonly #sockets = new Set<WebSocket>();
  readonly #answered = new WeakSet<WebSocket>();
  readonly #pings: NodeJS.Timeout;
  readonly #strangers = new Set<WebSocket>();
  #closing = false;

  constructor(options: LinkServerOptions) {
    this.#options = options;
    this.#pings = setInterval(() => this.#ping(), options.pingEveryMs ?? 15_000);
    this.#pings.unref();
  }

  get links(): number {
    return this.#sockets.size - this.#strangers.size;
  }

  /** Takes an HTTP upgrade of `/v1/link`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // A browser sends an Origin; nodes are not browsers.
    if (this.#closing || request.headers.origin !== undefined) {
      socket.end("HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      return;
    }
    const from = networkOf(this.#options.addresses.of(request));
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      ws.on("error", (error) => this.#options.log.debug({ err: error }, "node link failed"));
      if (ws.protocol !== linkSubprotocol) ws.close(1002, `expected subprotocol ${linkSubprotocol}`);
      else this.#greet(ws, socket, from);
    });
  }

  /** Tells every node that the gateway is going away. */
  drain(): void {
    this.#closing = true;
    for (const { link } of this.#options.fleet.linked()) link.control({ t: "draining" });
  }

  close(): void {
    this.#closing = true;
    clearInterval(this.#pings);
    for (const { link } of [...this.#options.fleet.linked()]) link.closed();
    for (const socket of this.#sockets) socket.close(1001);
    this.#server.close();
    // A node that does not answer the close frame must not hold the process.
    setTimeout(() => {
      for (const socket of this.#sockets) socket.terminate();
    }, 1_000).unref();
  }

  #ping(): void {
    for (const socket of this.#sockets) {
      if (!this.#answered.delete(socket)) socket.terminate();
      else socket.ping();
    }
  }

  #greet(socket: WebSocket, wire: Duplex, from: string): void {
    this.#sockets.add(socket);
    this.#answered.add(socket);
    const [oldest] = this.#strangers;
    if (oldest && this.#strangers.size >= strangersMost) oldest.terminate();
    this.#strangers.add(socket);
    const known = () => void this.#strangers.delete(socket);
    const connection = new LinkConnection(socket, wire, from, this.#options, known);
    socket.on("pong", () => this.#answered.add(socket));
    socket.on("close", () => {
      this.#sockets.delete(socket);
      known();
      connection.closed();
    });
  }
}

/** One node link, from its challenge to its close. Control messages are judged one after the other. */
class LinkConnection {
  readonly #socket: WebSocket;
  readonly #wire: Duplex;
  readonly #from: string;
  readonly #options: LinkServerOptions;
  /** Until hello; let go then, because most links are idle for most of their life. */
  #greeting:
    | { readonly nonce: Uint8Array; readonly timeout: NodeJS.Timeout; readonly known: () => void }
    | undefined;
  /** Control messages that wait while one is being judged. */
  #waiting: Buffer[] | undefined;
  #link: NodeLink | undefined;
  #node: FleetNode | undefined;

  constructor(socket: WebSocket, wire: Duplex, from: string, options: LinkServerOptions, known: () => void) {
    this.#socket = socket;
    this.#wire = wire;
    this.#from = from;
    this.#options = options;
    const nonce = randomBytes(32);
    const timeout = setTimeout(() => socket.close(1008, "no hello"), helloTimeoutMs);
    this.#greeting = { nonce, timeout, known };
    socket.on("message", (data, isBinary) => this.#message(data as Buffer, isBinary));
    socket.send(JSON.stringify({ t: "challenge", nonce: nonce.toString("hex") }));
  }

  closed(): void {
    clearTimeout(this.#greeting?.timeout);
    this.#link?.closed();
    if (this.#node && this.#link) {
      this.#options.fleet.disconnect(this.#node, this.#link);
      this.#options.log.info({ node: this.#node.id }, "node link closed");
    }
  }

  #message(data: Buffer, isBinary: boolean): void {
    if (isBinary) {
      try {
        if (!this.#link) throw new BombyxError("LINK_AUTH", "Data came before hello.");
        this.#link.receive(data);
      } catch (error) {
        this.#refuse(error);
      }
      return;
    }
    if (!this.#waiting) {
      void this.#controls(data);
    } else if (this.#waiting.push(data) > pendingControls) {
      this.#refuse(new BombyxError("RATE_LIMITED", `More than ${pendingControls} control messages wait.`));
    }
  }

  async #controls(first: Buffer): Promise<void> {
    const waiting: Buffer[] = [];
    this.#waiting = waiting;
    for (let next: Buffer | undefined = first; next; next = waiting.shift()) await this.#control(next);
    this.#waiting = undefined;
  }

  async #control(data: Buffer): Promise<void> {
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    try {
      const message = parseControl(data);
      if (message.t === "hello") await this.#hello(message);
      else if (this.#node && this.#link) await this.#act(message, this.#node, this.#link);
      else throw new BombyxError("LINK_AUTH", "The first message of a node is hello.");
    } catch (error) {
      this.#refuse(error);
    }
  }

  async #hello(hello: Hello): Promise<void> {
    const greeting = this.#greeting;
    if (!greeting) throw new BombyxError("BAD_REQUEST", "A node says hello once per connection.");
    const { fleet, prices, ackPk, log, events } = this.#options;
    verifyHello(hello, greeting.nonce);
    const record = await this.#record(hello);
    if (this.#socket.readyState !== this.#socket.OPEN) return;
    clearTimeout(greeting.timeout);
    greeting.known();
    this.#greeting = undefined;
    this.#link = new NodeLink(record.node, this.#socket, this.#wire, events);
    this.#node = fleet.connect(record, hello, this.#link);
    this.#link.control({ t: "welcome", node: record.node, prices: prices.rows().map(priceMessage), ackPk });
    log.info({ node: record.node, name: hello.name, agent: hello.agent }, "node linked");
  }

  /** Its record as it stands: what was looked up before a node was removed may be what was removed. */
  async #record(hello: Hello): Promise<NodeRecord> {
    const { fleet, quarantine } = this.#options;
    for (;;) {
      const { removals } = fleet;
      if ((await quarantine.reason(hello.linkPk)) !== undefined) {
        throw new BombyxError("QUARANTINED", "This node is quarantined here; ask the operator.");
      }
      const record = await this.#admit(hello);
      if (fleet.removals === removals) return record;
    }
  }

  /** A node that was paired before needs no code; a code can make it another machine of its owner's. */
  async #admit(hello: Hello): Promise<NodeRecord> {
    const { accounts, fleet } = this.#options;
    const node = helloNodeId(hello);
    if (hello.pairingCode === undefined) {
      const known = await accounts.findNode(node);
      if (known?.removedAt !== undefined) throw removed();
      if (known) return known;
      throw new BombyxError(
        "PAIRING_INVALID",
        "This gateway does not know this node. Get a pairing code from the gateway and start once with --pair CODE.",
      );
    }
    const { linkPk, payout, pairingCode: code } = hello;
    const paired = await accounts.pairNode({ node, linkPk, payout, code, from: this.#from });
    if (paired.replaced !== undefined) fleet.remove(paired.replaced, removed());
    if (paired.fresh) this.#options.onPaired?.(paired);
    return paired;
  }

  async #act(message: Exclude<NodeControl, Hello>, node: FleetNode, link: NodeLink): Promise<void> {
    const { fleet, intake, prices, log } = this.#options;
    switch (message.t) {
      case "attest": {
        this.#options.attestations.take(node.id);
        const attested = await intake.accept(node.id, fromBase64(message.bundle));
        if (node.link !== link) return;
        fleet.attest(node, attested);
        const models = [...attested.models.values()].map((model) => prices.for(model));
        link.control({
          t: "attested",
          attestationId: attested.attestationId,
          prices: models.map(priceMessage),
        });
        log.info({ node: node.id, attestationId: attested.attestationId }, "node attested");
        return;
      }
      case "offer": {
        if (!node.attested) throw new BombyxError("BAD_REQUEST", "A node attests before it offers.");
        const leftOut = fleet.offer(node, message.models);
        if (leftOut.length > 0)
          log.warn({ node: node.id, models: leftOut }, "offer without attested manifest");
        return;
      }
      case "load":
        node.load = message;
        return;
      case "draining":
        node.draining = true;
        log.info({ node: node.id }, "node is draining");
        return;
    }
  }

  #refuse(error: unknown): void {
    const { log } = this.#options;
    const known = error instanceof BombyxError ? error : undefined;
    const code = error instanceof AttestationError ? error.reason : (known?.code ?? "INTERNAL");
    const message = known?.message ?? "The gateway failed; try again.";
    const fatal = known !== undefined && !transientReasons.has(code) && code !== "RATE_LIMITED";
    if (known) log.warn({ node: this.#node?.id, code, message }, "node refused");
    else log.error({ err: error, node: this.#node?.id }, "node link broke");
    if (this.#node && this.#node.link === this.#link) this.#options.fleet.refused(this.#node, code, message);
    if (this.#link) this.#link.refuse(code, message, fatal);
    else if (this.#socket.readyState === this.#socket.OPEN) {
      this.#socket.send(JSON.stringify({ t: "refused", code, message, fatal }));
      this.#socket.close(1008, code);
    }
  }
}

function parseControl(data: Buffer): NodeControl {
  try {
    return nodeControlSchema.parse(JSON.parse(data.toString("utf8")));
  } catch (cause) {
    throw new BombyxError("BAD_REQUEST", "A control message has not the shape that node-link.ts gives it.", {
      cause,
    });
  }
}

const priceMessage = (price: Price) => ({ ...price, nanoPerUnit: price.nanoPerUnit.toString() });
