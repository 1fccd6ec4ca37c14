import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import {
  attestationId,
  claimsOpenTier,
  nodeId,
  openCommitment,
  parseBundle,
  parseOpenBundle,
  reportData,
  type Statement,
  statementSchema,
} from "@bombyx/protocol/attestation";
import { firstReceiptsHash, nextReceiptsHash, priceId } from "@bombyx/protocol/receipt";
import { newSigningKeyPair, ready, sign } from "@bombyx/protocol/session";
import {
  type Ack,
  decodeLinkMessage,
  type ErrorBody,
  encodeLinkMessage,
  fromBase64,
  fromHex,
  fromUtf8,
  type GatewayControlMessage,
  type LinkKind,
  type LinkMessage,
  linkKind,
  linkSubprotocol,
  type NodeControl,
  nodeControlSchema,
  type Price,
  type SignedReceipt,
  signedReceiptSchema,
  toHex,
  utf8,
} from "@bombyx/protocol/wire";
import { type WebSocket, WebSocketServer } from "ws";
import { ackCell } from "../src/settlement/ack-cell.ts";
import { Queue } from "./queue.ts";

await ready;

const row = {
  model: "scripted",
  nanoPerUnit: 20n,
  promptMultiplier: 10_000,
  cachedMultiplier: 1_000,
  completionMultiplier: 80_000,
  reasoningMultiplier: 80_000,
};
export const price: Price = { id: priceId(row), ...row };

/** What came on one stream, in the order of the wire. */
export class GatewayStream {
  readonly id: number;
  readonly messages = new Queue<LinkMessage>();
  readonly #gateway: FakeGateway;

  constructor(gateway: FakeGateway, id: number) {
    this.#gateway = gateway;
    this.id = id;
  }

  send(kind: LinkKind, index = 0, payload?: Uint8Array): void {
    this.#gateway.sendData(kind, this.id, index, payload);
  }

  /** The next sealed frame; fails when the stream ends instead. */
  async frame(): Promise<{ index: number; sealed: Uint8Array }> {
    for (;;) {
      const { kind, index, payload } = await this.messages.next();
      if (kind === linkKind.frame) return { index, sealed: payload };
      if (kind === linkKind.failed) throw new Error(`stream failed: ${fromUtf8(payload)}`);
      if (kind === linkKind.receipt) this.receipts.push(parseReceipt(payload));
    }
  }

  /** Receipts that came before a frame that was waited for. */
  readonly receipts: SignedReceipt[] = [];

  async receipt(): Promise<SignedReceipt> {
    const { payload } = await this.messages.nextWhere(({ kind }) => kind === linkKind.receipt);
    return parseReceipt(payload);
  }

  async failed(): Promise<ErrorBody> {
    const { payload } = await this.messages.nextWhere(({ kind }) => kind === linkKind.failed);
    return JSON.parse(fromUtf8(payload));
  }
}

export const parseReceipt = (payload: Uint8Array): SignedReceipt =>
  signedReceiptSchema.parse(JSON.parse(fromUtf8(payload)));

/** The gateway's end of a node link, on a real WebSocket; it reads no prompt, as the real one. */
export class FakeGateway {
  readonly #http: Server;
  readonly #sockets = new WebSocketServer({ noServer: true, handleProtocols: () => linkSubprotocol });
  readonly #ackKeys = newSigningKeyPair();
  readonly #streams = new Map<number, GatewayStream>();
  #socket: WebSocket | undefined;
  #lastStream = 0;
  #node = "";
  #ack: Ack | undefined;
  /** Control messages of the node. */
  readonly control = new Queue<NodeControl>();
  /** One for each node link that was admitted. */
  readonly admissions = new Queue<{ bundle: Uint8Array; statement: Statement; attestationId: string }>();
  /** Receipts on stream 0. */
  readonly resent = new Queue<SignedReceipt>();
  /** Answers `hello`, in place of a welcome. */
  refusal: (GatewayControlMessage & { t: "refused" }) | undefined;
  acknowledges = true;
  /** Changes an Ack; `sign` signs what it is given. */
  tamper = (ack: Ack, sign: (ack: Ack) => string): { ack: Ack; signature: string } => ({
    ack,
    signature: sign(ack),
  });

  private constructor(http: Server) {
    this.#http = http;
    http.on("upgrade", (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#greet(ws));
    });
  }

  static async start(port = 0): Promise<FakeGateway> {
    const http = createServer((_, response) => {
      response.statusCode = 404;
      response.end();
    });
    await new Promise<void>((resolve) => http.listen(port, "127.0.0.1", resolve));
    return new FakeGateway(http);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#http.address() as AddressInfo).port}`;
  }

  open(kind: LinkKind, index = 0, payload?: Uint8Array): GatewayStream {
    const stream = new GatewayStream(this, ++this.#lastStream);
    this.#streams.set(stream.id, stream);
    stream.send(kind, index, payload);
    return stream;
  }

  /** Asks for what is not there: messages are taken in order, so the node has taken all before when it refuses. */
  async roundTrip(): Promise<void> {
    await this.open(
      linkKind.resume,
      0,
      utf8(JSON.stringify({ session: "00".repeat(32), request: 0 })),
    ).failed();
  }

  sendData(kind: LinkKind, stream: number, index: number, payload?: Uint8Array): void {
    this.#socket?.send(encodeLinkMessage(kind, stream, index, payload));
  }

  sendControl(message: GatewayControlMessage): void {
    this.#socket?.send(JSON.stringify(message));
  }

  sendRaw(data: Uint8Array): void {
    this.#socket?.send(data);
  }

  /** Answers nothing any more, not even a ping. */
  mute(): void {
    this.#socket?.pause();
  }

  /** Cuts the link; the node comes back by itself. */
  cut(): void {
    this.#socket?.terminate();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets.clients) socket.terminate();
    await new Promise((resolve) => this.#http.close(resolve));
  }

  #greet(socket: WebSocket): void {
    this.#socket = socket;
    this.#streams.clear();
    socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary) this.#onData(new Uint8Array(data));
      else void this.#onControl(nodeControlSchema.parse(JSON.parse(data.toString())));
    });
    this.sendControl({ t: "challenge", nonce: "ab".repeat(32) });
  }

  async #onControl(message: NodeControl): Promise<void> {
    this.control.push(message);
    if (message.t === "hello") {
      if (this.refusal) {
        this.sendControl(this.refusal);
        this.#socket?.close();
        return;
      }
      this.#node = toHex(nodeId(fromHex(message.linkPk), message.payout));
      const prices = [{ ...price, nanoPerUnit: price.nanoPerUnit.toString() }];
      this.sendControl({ t: "welcome", node: this.#node, prices, ackPk: toHex(this.#ackKeys.publicKey) });
    }
    if (message.t === "attest") {
      const bundle = fromBase64(message.bundle);
      const isOpen = claimsOpenTier(bundle);
      const statement = fromBase64((isOpen ? parseOpenBundle(bundle) : parseBundle(bundle)).statement);
      const committed = await (isOpen ? openCommitment : reportData)(statement);
      const id = toHex(attestationId(committed));
      this.sendControl({ t: "attested", attestationId: id, prices: [] });
      this.admissions.push({
        bundle,
        statement: statementSchema.parse(JSON.parse(fromUtf8(statement))),
        attestationId: id,
      });
    }
  }

  #onData(data: Uint8Array): void {
    const message = decodeLinkMessage(data);
    const { kind, stream, payload } = message;
    if (stream === 0) this.resent.push(parseReceipt(payload));
    this.#streams.get(stream)?.messages.push(message);
    if (kind === linkKind.receipt) this.#acknowledge(stream, parseReceipt(payload));
  }

  #acknowledge(stream: number, { receipt }: SignedReceipt): void {
    if (receipt.finish === "running" || !this.acknowledges) return;
    const ack: Ack = {
      globalId: 0,
      vault: "00".repeat(32),
      account: "00".repeat(32),
      index: 0,
      n: (this.#ack?.n ?? 0) + 1,
      epoch: 1,
      cumulativeNano: (
        BigInt(this.#ack?.cumulativeNano ?? 0) +
        BigInt(receipt.units) * price.nanoPerUnit
      ).toString(),
      heldNano: "0",
      receiptsHash: nextReceiptsHash(this.#ack?.receiptsHash ?? firstReceiptsHash, receipt),
    };
    const signed = this.tamper(ack, (value) => toHex(sign(ackCell(value).hash(), this.#ackKeys.privateKey)));
    // What the node is not to take, the gateway does not count.
    if (signed.ack === ack && signed.signature !== "00".repeat(64)) this.#ack = ack;
    this.sendControl({ t: "ack", stream, ...signed });
  }
}
