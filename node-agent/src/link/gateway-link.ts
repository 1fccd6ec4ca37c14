import {
  type Ack,
  BombyxError,
  type GatewayControl,
  limits,
  linkSubprotocol,
  type NodeControl,
  type NodeProofJson,
  type OfferedModel,
  type Price,
  type SignedReceipt,
  toBase64,
} from "@bombyx/protocol/wire";
import { WebSocket } from "ws";
import type { Clock } from "../clock.ts";
import type { Enclave } from "../enclave/enclave.ts";
import type { NodeLog } from "../log.ts";
import type { SignedAck } from "../settlement/ack-cell.ts";
import { isForGood } from "../settlement/node-settlement.ts";
import { AckBook, type AckTerms } from "./ack-book.ts";
import { backoffMs } from "./backoff.ts";
import { Connection, type Ended } from "./connection.ts";
import { linkUrl } from "./gateway-url.ts";
import { hello, type Introduction } from "./hello.ts";
import { type ReceiptOutbox, receiptsStream } from "./receipt-outbox.ts";
import { RefusedError } from "./refused.ts";

const loadReportMs = 5_000;
const loadCoalesceMs = 50;
const earlyProofsMost = 4;

/** What a person who watches the node is told of its link. */
export type LinkStatus =
  | { readonly state: "admitted"; readonly attestationId: string }
  /** The gateway acknowledged a receipt: `requests` and `earnedNano` are all that it ever did. */
  | {
      readonly state: "paid";
      readonly units: number;
      readonly requests: number;
      readonly earnedNano: bigint;
    }
  | { readonly state: "waiting"; readonly code: string; readonly message: string; readonly waitMs: number };

/** What the link asks and tells about money; a node's settlement. */
export interface LinkMoney {
  /** What Acks must name. @throws BombyxError when this gateway's settlement is not to be trusted, or not now */
  terms(ackPk: string): Promise<AckTerms>;
  readonly lastAck: Ack | undefined;
  /** Resolves when it is on disk. */
  acknowledged(signed: SignedAck): Promise<void>;
  proof(proof: NodeProofJson): Promise<void>;
  /** Whether nothing new is taken for now. */
  readonly held: boolean;
}

export interface GatewayLinkOptions extends Introduction {
  /** Base URL of the gateway, http or https. */
  readonly gateway: string;
  readonly enclave: Enclave;
  readonly outbox: ReceiptOutbox;
  readonly clock: Clock;
  /** 0 ≤ x < 1, for the jitter between attempts. */
  readonly random: () => number;
  readonly log: NodeLog;
  readonly money: LinkMoney;
  readonly onStatus: (status: LinkStatus) => void;
}

/** Keeps this node linked to its gateway: connects, proves who it is, attests, offers, and starts over. */
export class GatewayLink {
  readonly #options: GatewayLinkOptions;
  readonly #url: string;
  readonly #ended = Promise.withResolvers<void>();
  #connection: Connection | undefined;
  #ackBook: AckBook | undefined;
  /** Came while the gateway's terms were still being checked. */
  readonly #earlyProofs: NodeProofJson[] = [];
  /** Welcomed: control messages may be sent. */
  #welcomed = false;
  #admitted = false;
  #closed = false;
  #draining = false;
  #attempt = 0;
  #cancelRetry: () => void = () => {};
  #cancelLoad: (() => void) | undefined;
  readonly #stopLoadReports: () => void;

  constructor(options: GatewayLinkOptions) {
    this.#options = options;
    this.#url = linkUrl(options.gateway);
    this.#stopLoadReports = options.clock.every(loadReportMs, () => this.reportLoad());
    // Whoever waits for the end hears of it; without a listener it is not an error of the process.
    this.#ended.promise.catch(() => {});
  }

  /** Resolves when closed by us. @throws BombyxError when the gateway has refused this node for good. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  start(): void {
    const { clock, log, enclave } = this.#options;
    const socket = new WebSocket(this.#url, linkSubprotocol, {
      maxPayload: limits.linkMessageBytes,
      perMessageDeflate: false,
      followRedirects: false,
    });
    const connection: Connection = new Connection(socket, enclave, clock, log, {
      onControl: (message) => this.#onControl(connection, message),
      onAck: (signed, { stream, ack, signature }) => {
        const refusal = this.#ackBook?.take(signed.receipt, ack, signature, stream === receiptsStream);
        const { session, request } = signed.receipt;
        if (refusal !== undefined) {
          log.error("ack.refused", { session, request, code: refusal });
          return;
        }
        void this.#keep(signed, ack, signature);
      },
      onEnd: (ended) => this.#onEnd(ended),
    });
    this.#connection = connection;
  }

  /** What a person is told is on disk, and a receipt is kept until its Ack is. */
  async #keep(signed: SignedReceipt, ack: Ack, signature: string): Promise<void> {
    const { money, outbox, log, onStatus } = this.#options;
    // A receipt that was sent twice is answered with what stands, which may be less than the last one.
    const isLast = this.#ackBook?.last === ack;
    try {
      if (isLast) await money.acknowledged({ ack, signature });
    } catch {
      log.error("ack.unkept", { code: "INTERNAL" });
      return;
    }
    outbox.acknowledged(signed);
    const { units } = signed.receipt;
    if (isLast) onStatus({ state: "paid", units, requests: ack.n, earnedNano: BigInt(ack.cumulativeNano) });
  }

  /** What is offered changed: nothing while the node is held back, all of it otherwise. */
  offer(): void {
    if (this.#admitted) this.#control({ t: "offer", models: this.#offer() });
  }

  /** A new epoch's bundle: attested at once when there is a gateway, else with the next link. */
  publish(): void {
    if (!this.#welcomed) return;
    this.#control({ t: "attest", bundle: toBase64(this.#options.enclave.epoch.bundle) });
  }

  /** Reports soon how busy the node is; reports that come together are sent as one. */
  reportLoad(): void {
    if (!this.#admitted) return;
    this.#cancelLoad ??= this.#options.clock.after(loadCoalesceMs, () => {
      this.#cancelLoad = undefined;
      if (this.#admitted) this.#control({ t: "load", ...this.#options.enclave.load });
    });
  }

  /** Tells the gateway to send nothing new. */
  drain(): void {
    this.#draining = true;
    if (this.#welcomed) this.#control({ t: "draining" });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelRetry();
    this.#cancelLoad?.();
    this.#stopLoadReports();
    if (this.#connection) this.#connection.close();
    else this.#ended.resolve();
  }

  #control(message: NodeControl): void {
    this.#connection?.control(message);
  }

  #onControl(connection: Connection, message: GatewayControl): void {
    switch (message.t) {
      case "challenge":
        connection.control(hello(message.nonce, this.#options));
        break;
      case "welcome":
        void this.#onWelcome(connection, message);
        break;
      case "proof":
        void this.#onProof(message);
        break;
      case "attested":
        this.#onAttested(connection, message);
        break;
      case "draining":
        this.#options.log.info("gateway.draining");
    }
  }

  async #onWelcome(
    connection: Connection,
    { node, ackPk, prices }: GatewayControl & { t: "welcome" },
  ): Promise<void> {
    const { log, enclave, money } = this.#options;
    if (node !== enclave.node) {
      log.error("link.identity", { node });
      connection.close();
      return;
    }
    let terms: AckTerms;
    try {
      terms = await money.terms(ackPk);
    } catch (error) {
      this.#onMistrust(connection, error);
      return;
    }
    if (this.#connection !== connection || this.#closed) return;
    this.#ackBook = new AckBook(terms, money.lastAck);
    this.#welcomed = true;
    for (const proof of this.#earlyProofs.splice(0)) void money.proof(proof);
    this.#addPrices(prices);
    this.publish();
  }

  /** This gateway's money is not what it was, or cannot be checked now: nothing is attested to it. */
  #onMistrust(connection: Connection, error: unknown): void {
    const { log } = this.#options;
    const code = error instanceof BombyxError ? error.code : "INTERNAL";
    const message = error instanceof Error ? error.message : String(error);
    log.error("settlement.mistrusted", { code });
    if (this.#connection !== connection) return;
    connection.fail({ code, message, fatal: isForGood(error) });
  }

  async #onProof({ t: _, ...proof }: GatewayControl & { t: "proof" }): Promise<void> {
    if (this.#welcomed) await this.#options.money.proof(proof);
    else if (this.#earlyProofs.length < earlyProofsMost) this.#earlyProofs.push(proof);
  }

  #onAttested(connection: Connection, { attestationId, prices }: GatewayControl & { t: "attested" }): void {
    const { log, enclave, outbox, onStatus } = this.#options;
    if (attestationId !== enclave.epoch.attestationId) return;
    this.#addPrices(prices);
    this.#control({ t: "offer", models: this.#offer() });
    if (this.#admitted) return;
    this.#admitted = true;
    this.#attempt = 0;
    connection.admitted();
    log.info("link.admitted", { node: enclave.node, attestationId });
    outbox.connected((signed) => connection.resend(signed));
    if (this.#draining) this.#control({ t: "draining" });
    this.reportLoad();
    onStatus({ state: "admitted", attestationId });
  }

  #offer(): OfferedModel[] {
    if (this.#options.money.held) return [];
    const { model, manifest } = this.#options.enclave;
    return [
      {
        id: model.manifest.model,
        manifest,
        contextTokens: model.contextTokens,
        slots: model.slots,
        prefillTokensPerSecond: model.prefillTokensPerSecond,
        decodeTokensPerSecond: model.decodeTokensPerSecond,
        embeddings: model.embeddings,
      },
    ];
  }

  #addPrices(rows: readonly Price[]): void {
    for (const row of rows) {
      if (!this.#options.enclave.prices.add(row))
        this.#options.log.error("price.refused", { model: row.model });
    }
  }

  #onEnd({ code, message, fatal }: Ended): void {
    const { clock, random, log, enclave, outbox, onStatus } = this.#options;
    this.#connection = undefined;
    this.#welcomed = false;
    this.#admitted = false;
    this.#earlyProofs.length = 0;
    outbox.disconnected();
    if (this.#closed) {
      this.#ended.resolve();
      return;
    }
    if (fatal) {
      log.error("link.refused", { code });
      this.#ended.reject(
        code === "VAULT_MISMATCH"
          ? new BombyxError(code, message, { field: "vault" })
          : new RefusedError(code, message),
      );
      this.close();
      return;
    }
    const waitMs = backoffMs(this.#attempt++, random, enclave.load.running > 0);
    log.warn("link.lost", { code, attempt: this.#attempt, waitMs });
    onStatus({ state: "waiting", code, message, waitMs });
    this.#cancelRetry = clock.after(waitMs, () => this.start());
  }
}
