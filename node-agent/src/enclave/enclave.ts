import { type ChainView, manifestHash } from "@bombyx/protocol/attestation";
import { decodeHandshake, requestHash, respondToHandshake } from "@bombyx/protocol/session";
import {
  BombyxError,
  concat,
  fromHex,
  limits,
  type RequestHead,
  type SealedRequest,
  toHex,
} from "@bombyx/protocol/wire";
import type { Clock } from "../clock.ts";
import type { Engine, EngineJob, LoadedModel } from "../engine/engine.ts";
import { type GpuGuard, isGpuError } from "../gpu/guard.ts";
import type { NodeLog } from "../log.ts";
import type { Quotes } from "../quote/quote-provider.ts";
import { Answer } from "./answer.ts";
import type { Boot } from "./boot.ts";
import type { Epoch } from "./epoch.ts";
import { Epochs } from "./epochs.ts";
import { Meter } from "./meter.ts";
import { type JudgedRequest, judgeRequest, readRequest } from "./open-request.ts";
import type { Attachment, Outlet, ReceiptSink } from "./outlet.ts";
import { PriceList } from "./price-list.ts";
import { RateLimit } from "./rate-limit.ts";
import { sealable } from "./sealed-error.ts";
import { type SeenRequest, Session } from "./session.ts";
import { Sessions } from "./sessions.ts";

const sweepMs = 30_000;
/** Answers at once, running and waiting for a sequence; the gateway's own queue is far shorter. */
const openAnswersMax = 1_024;
/** A session that the engine has died on this often is ended (PROTOCOL §10). */
const crashesMax = 2;

export interface EnclaveOptions {
  readonly boot: Boot;
  readonly engine: Engine;
  readonly quotes: Quotes;
  readonly chain: ChainView;
  readonly gpu: GpuGuard;
  readonly clock: Clock;
  readonly log: NodeLog;
  readonly receipts: ReceiptSink;
  /** Why nothing new is taken for now, as clients are told; the owner's reasons are the owner's. @default never */
  readonly refusal?: () => BombyxError | undefined;
  /** This node's price coefficient, in 1/1000. */
  readonly coefficient: number;
  /** A new epoch's bundle is to be published. */
  readonly onEpoch: (epoch: Epoch) => void;
  /** Running answers or sessions changed in number. */
  readonly onLoad: () => void;
}

/**
 * The room with the keys (PROTOCOL §2 to §8): epochs, sessions, requests and answers. What goes in
 * and out is ciphertext, clear heads and clear receipts; plaintext goes to the engine alone.
 */
export class Enclave {
  readonly #options: EnclaveOptions;
  readonly #boot: Boot;
  readonly #manifest: string;
  readonly #prices = new PriceList();
  readonly #sessions: Sessions;
  readonly #handshakes: RateLimit;
  readonly #stopSweep: () => void;
  readonly #epochs: Epochs;
  #running = 0;
  /** Times that the engine has died. */
  #crashes = 0;
  #draining = false;
  /** The GPU failed its last verification: what the current epoch says of it counts no more. */
  #gpuFailed = false;
  readonly #onIdle: (() => void)[] = [];

  private constructor(options: EnclaveOptions) {
    const { clock, engine, log } = options;
    this.#options = options;
    this.#boot = options.boot;
    this.#manifest = manifestHash(engine.model.manifest);
    this.#handshakes = new RateLimit(limits.handshakesPerSecondPerLink, clock.monotonicMs());
    this.#sessions = new Sessions((session) => {
      engine.forget(session.id);
      options.onLoad();
    });
    engine.onCrash(() => {
      this.#crashes++;
      log.error("engine.crashed", { code: "NODE_FAILED" });
    });
    this.#epochs = new Epochs(
      {
        boot: this.#boot,
        manifests: [engine.model.manifest],
        quotes: options.quotes,
        chain: options.chain,
        gpu: options.gpu,
      },
      clock,
      {
        onEpoch: (epoch) => {
          this.#gpuFailed = false;
          log.info("epoch.new", { epoch: epoch.number, attestationId: epoch.attestationId });
          options.onEpoch(epoch);
        },
        onEnd: (epoch) => {
          this.#sessions.endAll(epoch);
          log.info("epoch.erased", { epoch: epoch.number, attestationId: epoch.attestationId });
        },
        onError: (error) => {
          this.#gpuFailed ||= isGpuError(error);
          log.error("epoch.failed", { code: isGpuError(error) ? error.reason : sealable(error).code });
        },
      },
    );
    this.#stopSweep = clock.every(sweepMs, () => this.#sessions.sweep(clock.monotonicMs()));
  }

  /** Makes the first epoch; owns the boot's keys from here on. @throws BombyxError when this machine gives no quote, or the chain no beacon. */
  static async start(options: EnclaveOptions): Promise<Enclave> {
    const enclave = new Enclave(options);
    try {
      await enclave.#epochs.start();
    } catch (error) {
      enclave.close();
      throw error;
    }
    return enclave;
  }

  get node(): string {
    return this.#boot.node;
  }

  get manifest(): string {
    return this.#manifest;
  }

  get model(): LoadedModel {
    return this.#options.engine.model;
  }

  get prices(): PriceList {
    return this.#prices;
  }

  get epoch(): Epoch {
    return this.#epochs.current;
  }

  get load(): { running: number; queued: number; sessions: number } {
    const { queued } = this.#options.engine.load();
    return { running: this.#running, queued, sessions: this.#sessions.count };
  }

  /**
   * Answers a client's handshake.
   * @returns session id (32) ‖ Noise message 2
   * @throws BombyxError REATTEST, HANDSHAKE_INVALID, RATE_LIMITED, SESSION_LIMIT or DRAINING.
   */
  handshake(message: Uint8Array): Uint8Array {
    this.#assertServing();
    const now = this.#options.clock.monotonicMs();
    const waitMs = this.#handshakes.take(now);
    if (waitMs > 0) {
      throw new BombyxError(
        "RATE_LIMITED",
        `This node takes ${limits.handshakesPerSecondPerLink} handshakes a second; try again in ${waitMs} ms.`,
        { retryAfterMs: waitMs },
      );
    }
    const { prefix } = decodeHandshake(message);
    const epoch = this.#epochs.find(toHex(prefix.attestationId));
    if (!epoch || toHex(epoch.kem.id) !== toHex(prefix.kemId)) {
      throw new BombyxError(
        "REATTEST",
        "This attestation is not this node's newest; fetch its bundle again.",
      );
    }
    const { message2, session: keys } = respondToHandshake(message, epoch.kem);
    const session = new Session(keys, epoch, now);
    this.#sessions.add(session, now);
    this.#options.onLoad();
    return concat(fromHex(session.id), message2);
  }

  /**
   * Takes a sealed request, or the same one again: then its frames are sent again from the first.
   * @throws BombyxError for what goes back in the clear: SESSION_UNKNOWN, ALREADY_USED, SEALED_STREAM,
   * NODE_BUSY or DRAINING. Everything else is sealed to the client.
   */
  request(outlet: Outlet, head: RequestHead, sealed: Uint8Array): Attachment {
    const { clock } = this.#options;
    const now = clock.monotonicMs();
    const session = this.#sessions.get(head.session, now);
    const hash = toHex(requestHash(sealed));
    const seen = session.seen(head.request, now);
    if (seen === "used" || (seen && seen.requestHash !== hash)) {
      throw new BombyxError("ALREADY_USED", `Request ${head.request} of this session was used already.`);
    }
    if (seen) return this.#attach(seen.answer, outlet, 0);
    this.#assertServing();
    const inner = readRequest(session.keys, head.request, sealed);
    return this.#attach(this.#open(session, inner, head, sealed), outlet, 0);
  }

  /**
   * Sends an answer's frames again from `from` on (PROTOCOL §6).
   * @throws BombyxError SESSION_UNKNOWN or REQUEST_UNKNOWN.
   */
  resume(outlet: Outlet, head: Pick<RequestHead, "session" | "request">, from: number): Attachment {
    const now = this.#options.clock.monotonicMs();
    const session = this.#sessions.get(head.session, now);
    session.touch(now);
    const seen = session.seen(head.request, now);
    if (seen === undefined || seen === "used") {
      throw new BombyxError("REQUEST_UNKNOWN", `The frames of request ${head.request} are not kept here.`);
    }
    return this.#attach(seen.answer, outlet, from);
  }

  /** Takes nothing new; resolves when no answer runs any more. */
  async drain(): Promise<void> {
    this.#draining = true;
    if (this.#running > 0) await new Promise<void>((resolve) => this.#onIdle.push(resolve));
  }

  /** Ends what runs and erases every key. */
  close(): void {
    this.#draining = true;
    this.#stopSweep();
    this.#sessions.endAll();
    this.#epochs.close();
    this.#boot.sig.privateKey.fill(0);
  }

  #attach(answer: Answer, outlet: Outlet, from: number): Attachment {
    const attachment = answer.attach(outlet, from);
    if (attachment) return attachment;
    throw new BombyxError("REQUEST_UNKNOWN", `Frame ${from} of this answer is not kept here.`);
  }

  #assertServing(): void {
    if (this.#draining) throw new BombyxError("DRAINING", "This node is going away; use another.");
    if (this.#gpuFailed) {
      throw new BombyxError("NODE_BUSY", "This node's GPU could not be verified anew; use another node.");
    }
    const refusal = this.#options.refusal?.();
    if (refusal) throw refusal;
    if (this.#running >= openAnswersMax) {
      throw new BombyxError(
        "NODE_BUSY",
        `${openAnswersMax} answers are open here, the most; use another node.`,
      );
    }
  }

  /** Every refusal from here on is sealed; a refused request runs nothing and is not billed. */
  #open(session: Session, inner: SealedRequest | BombyxError, head: RequestHead, sealed: Uint8Array): Answer {
    const { clock, receipts } = this.#options;
    const judged = this.#judge(session, inner, head, sealed);
    const refused = judged instanceof BombyxError;
    const answer = new Answer({
      keys: session.keys,
      request: head.request,
      tickMs: refused || inner instanceof BombyxError ? 0 : inner.tickMs,
      billing: refused
        ? undefined
        : {
            meter: new Meter(judged.terms, session.keys.nodeToClient, this.#boot.sig.privateKey),
            budget: judged.budget,
          },
      clock,
      receipts,
      onFinal: () => {
        seen.finalAt = clock.monotonicMs();
        this.#onFinal(session, head.request, answer);
      },
    });
    const seen: SeenRequest = { requestHash: toHex(requestHash(sealed)), answer, finalAt: undefined };
    session.use(head.request, seen, clock.monotonicMs());
    this.#running++;
    this.#options.onLoad();
    if (refused) answer.fail(judged);
    else void this.#generate(session, judged.job, answer);
    return answer;
  }

  #judge(
    session: Session,
    inner: SealedRequest | BombyxError,
    head: RequestHead,
    sealed: Uint8Array,
  ): JudgedRequest | BombyxError {
    const { engine, coefficient } = this.#options;
    if (!this.#epochs.open(session.epoch)) {
      return new BombyxError(
        "EPOCH",
        "This session's hour is over; attest the node again and send once more.",
      );
    }
    if (inner instanceof BombyxError) return inner;
    try {
      return judgeRequest(inner, head, sealed, session.epoch.attestationId, {
        model: engine.model,
        manifest: this.#manifest,
        coefficient,
        price: (id) => this.#prices.get(id),
      });
    } catch (error) {
      return sealable(error);
    }
  }

  async #generate(session: Session, job: EngineJob, answer: Answer): Promise<void> {
    const { engine, log } = this.#options;
    try {
      answer.finish(await engine.run(job, (progress) => answer.progress(progress), answer.signal));
    } catch (error) {
      const reason = sealable(error);
      answer.fail(reason);
      if (reason.code === "NODE_FAILED" && session.crashed(this.#crashes) >= crashesMax) {
        log.warn("session.ended", { session: session.id, code: reason.code });
        this.#sessions.end(session);
      }
    }
  }

  #onFinal(session: Session, request: number, answer: Answer): void {
    const { log } = this.#options;
    this.#running--;
    const { receipt } = answer;
    log.info("request.end", {
      session: session.id,
      request,
      frames: answer.frames,
      ...(receipt && { units: receipt.units, finish: receipt.finish }),
      ...(answer.error && { code: answer.error.code }),
    });
    this.#options.onLoad();
    if (this.#running === 0) for (const resolve of this.#onIdle.splice(0)) resolve();
  }
}
