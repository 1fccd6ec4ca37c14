import {
  type Ack,
  type GatewayControl,
  limits,
  linkSubprotocol,
  type NodeControl,
  type OfferedModel,
  type Price,
  toBase64,
} from "@bombyx/protocol/wire";
import { WebSocket } from "ws";
import type { Clock } from "../clock.ts";
import type { Enclave } from "../enclave/enclave.ts";
import type { NodeLog } from "../log.ts";
import { OwnAccount } from "../settlement/own-account.ts";
import { AckBook } from "./ack-book.ts";
import { backoffMs } from "./backoff.ts";
import { Connection, type Ended } from "./connection.ts";
import { linkUrl } from "./gateway-url.ts";
import { hello, type Introduction } from "./hello.ts";
import { type ReceiptOutbox, receiptsStream } from "./receipt-outbox.ts";
import { RefusedError } from "./refused.ts";

const loadReportMs = 5_000;
const loadCoalesceMs = 50;

/** What a person who watches the node is told. */
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

export interface GatewayLinkOptions extends Introduction {
  /** Base URL of the gateway, http or https. */
  readonly gateway: string;
  readonly enclave: Enclave;
  readonly outbox: ReceiptOutbox;
  readonly clock: Clock;
  /** 0 ≤ x < 1, for the jitter between attempts. */
  readonly random: () => number;
  readonly log: NodeLog;
  readonly lastAck: Ack | undefined;
  readonly onAck: (ack: Ack) => void;
  readonly onStatus: (status: LinkStatus) => void;
}

/** Keeps this node linked to its gateway: connects, proves who it is, attests, offers, and starts over. */
export class GatewayLink {
  readonly #options: GatewayLinkOptions;
  readonly #url: string;
  readonly #ended = Promise.withResolvers<void>();
  #connection: Connection | undefined;
  #ackBook: AckBook | undefined;
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
    const { clock, log, enclave, outbox } = this.#options;
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
        outbox.acknowledged(signed);
        const last = this.#ackBook?.last;
        if (!last) return;
        this.#options.onAck(last);
        const { units } = signed.receipt;
        const earnedNano = BigInt(last.cumulativeNano);
        this.#options.onStatus({ state: "paid", units, requests: last.n, earnedNano });
      },
      onEnd: (ended) => this.#onEnd(ended),
    });
    this.#connection = connection;
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
        this.#onWelcome(connection, message);
        break;
      case "attested":
        this.#onAttested(connection, message);
        break;
      case "draining":
        this.#options.log.info("gateway.draining");
    }
  }

  #onWelcome(connection: Connection, { node, ackPk, prices }: GatewayControl & { t: "welcome" }): void {
    const { log, enclave, identity, lastAck } = this.#options;
    if (node !== enclave.node) {
      log.error("link.identity", { node });
      connection.close();
      return;
    }
    if (this.#ackBook) this.#ackBook.rotate(ackPk);
    else this.#ackBook = new AckBook(new OwnAccount(enclave.node, identity.payout), ackPk, lastAck);
    this.#welcomed = true;
    this.#addPrices(prices);
    this.publish();
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
    const { clock, random, log, outbox, onStatus } = this.#options;
    this.#connection = undefined;
    this.#welcomed = false;
    this.#admitted = false;
    outbox.disconnected();
    if (this.#closed) {
      this.#ended.resolve();
      return;
    }
    if (fatal) {
      log.error("link.refused", { code });
      this.#ended.reject(new RefusedError(code, message));
      this.close();
      return;
    }
    const waitMs = backoffMs(this.#attempt++, random);
    log.warn("link.lost", { code, attempt: this.#attempt, waitMs });
    onStatus({ state: "waiting", code, message, waitMs });
    this.#cancelRetry = clock.after(waitMs, () => this.start());
  }
}
