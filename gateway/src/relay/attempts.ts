import {
  BombyxError,
  type ErrorBody,
  type ErrorCode,
  limits,
  type SignedReceipt,
} from "@bombyx/protocol/wire";
import type { Fleet } from "../fleet/fleet.ts";
import type { AttemptId, Ledger, Settlement } from "../ledger/ledger.ts";
import type { Log } from "../log.ts";
import type { Metrics } from "../metrics.ts";
import { type Attempt, attemptKey } from "./attempt.ts";
import type { RunningReceipts } from "./running-receipts.ts";

/** A node that was told to cancel sends its receipt at once; after this long it counts as lost. */
const cancelledReceiptMs = 10_000;

/** What counts against a node when the scheduler compares it with others. */
const nodeFaults = new Set<ErrorCode>(["NODE_FAILED", "RECEIPT_INVALID"]);

export interface AttemptsOptions {
  readonly ledger: Ledger;
  readonly running: RunningReceipts;
  readonly fleet: Fleet;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly now: () => number;
}

/**
 * Attempts of this process, from reservation to a minute after their end. Each end is written to the
 * ledger before its client hears of it or comes back with the next attempt: the ledger takes its calls in order.
 */
export class Attempts {
  readonly #options: AttemptsOptions;
  readonly #attempts = new Map<string, Attempt>();
  /** In the order they ended, or were cancelled: all wait equally long. */
  readonly #ended = new Set<Attempt>();
  readonly #cancelled = new Set<Attempt>();
  #open = 0;
  #onEnd: (() => void) | undefined;

  constructor(options: AttemptsOptions) {
    this.#options = options;
  }

  /** Attempts that hold money now. */
  get open(): number {
    return this.#open;
  }

  /** Resolves when an attempt ends, or after `withinMs`. */
  nextEnd(withinMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timeout = setTimeout(resolve, withinMs);
      this.#onEnd = () => {
        clearTimeout(timeout);
        resolve();
      };
    });
  }

  find(id: AttemptId): Attempt | undefined {
    return this.#attempts.get(attemptKey(id));
  }

  add(attempt: Attempt): void {
    this.#attempts.set(attemptKey(attempt), attempt);
    attempt.of.running++;
    this.#open++;
  }

  /** Ended before this process began; kept for a minute, for repetitions. */
  addEnded(attempt: Attempt): void {
    attempt.endedAt = this.#options.now();
    this.#attempts.set(attemptKey(attempt), attempt);
    this.#ended.add(attempt);
  }

  /** Never reached a node. */
  release(attempt: Attempt): void {
    if (this.#end(attempt, "released"))
      this.#tell(this.#options.ledger.release(idOf(attempt), this.#options.now()));
  }

  cancelled(attempt: Attempt): void {
    if (attempt.state !== "running") return;
    attempt.state = "cancelled";
    attempt.endedAt = this.#options.now();
    this.#cancelled.add(attempt);
  }

  /** The node refused it, or broke the protocol. @returns what its client is told. */
  failed(attempt: Attempt, error: ErrorBody): ErrorBody {
    const blame = nodeFaults.has(error.code);
    attempt.node.judge(blame);
    this.#leave(attempt, "failed");
    return blame || error.code === "NODE_BUSY" ? this.#withInstead(attempt, error) : error;
  }

  /** Its node's link is gone. @returns what its client is told. */
  lost(attempt: Attempt): ErrorBody {
    attempt.node.judge(true);
    this.#leave(attempt, "lost");
    return this.#withInstead(attempt, {
      code: "NODE_OFFLINE",
      message: "The node went away in the middle of this answer; go on with another.",
    });
  }

  /** It was lost, and its node does not go on with it after all: it waits for a receipt as before. */
  stillLost(attempt: Attempt, lostAt: number): void {
    if (this.#end(attempt, "lost")) this.#tell(this.#options.ledger.markLost(idOf(attempt), lostAt));
  }

  /**
   * The gateway is going away: what still runs is cut off without a word to its node, which goes on for a while,
   * so that the client finds its answer at the next process.
   */
  letGo(): void {
    for (const attempt of this.#attempts.values()) if (attempt.state === "running") attempt.relay?.replace();
  }

  /** Its final receipt is with the ledger: only that decides how it ends. */
  settling(attempt: Attempt): void {
    if (attempt.state === "ended") return;
    attempt.state = "settling";
    this.#cancelled.delete(attempt);
  }

  settled(attempt: Attempt, signed: SignedReceipt, settlement: Settlement): void {
    if (!this.#end(attempt, signed.receipt.finish === "cancelled" ? "cancelled" : "done")) return;
    attempt.node.judge(false);
    attempt.offer.observe(this.#options.now() - attempt.startedAt);
    this.#options.metrics.unitsSettled.inc(settlement.units);
  }

  /** Called about every second. */
  check(): void {
    const now = this.#options.now();
    for (const attempt of this.#cancelled) {
      if (now - attempt.endedAt < cancelledReceiptMs) break;
      this.#cancelled.delete(attempt);
      this.lost(attempt);
    }
    for (const attempt of this.#ended) {
      if (now - attempt.endedAt < limits.replayMs) break;
      this.#ended.delete(attempt);
      // A lost one may have been taken up again under the same name.
      if (this.find(attempt) === attempt) this.#attempts.delete(attemptKey(attempt));
    }
  }

  /**
   * A node that failed has said its last word: its running receipts are what is paid. One that is lost
   * may come back with a receipt, or the client brings the last one that it got. Where nothing was
   * delivered, nothing is owed.
   */
  #leave(attempt: Attempt, how: "failed" | "lost"): void {
    const { ledger, running, now } = this.#options;
    running.keep(attempt);
    if (!this.#end(attempt, how)) return;
    if (!attempt.delivered) this.#tell(ledger.release(idOf(attempt), now()));
    else if (how === "failed") this.#tell(ledger.lose(idOf(attempt), now()));
    else this.#tell(ledger.markLost(idOf(attempt), now()));
  }

  #end(attempt: Attempt, how: string): boolean {
    if (attempt.state === "ended") return false;
    attempt.state = "ended";
    attempt.endedAt = this.#options.now();
    attempt.of.running--;
    attempt.lease.release();
    this.#open--;
    this.#cancelled.delete(attempt);
    this.#options.running.forget(attempt);
    this.#ended.add(attempt);
    this.#options.metrics.attempts.inc({ end: how });
    this.#onEnd?.();
    return true;
  }

  #withInstead(attempt: Attempt, error: ErrorBody): ErrorBody {
    const instead = this.#options.fleet.instead(attempt.node.id, attempt.price.model);
    return { ...error, ...(instead !== undefined && { instead }) };
  }

  /** Ends go to the ledger in order; a failure there must not take a client's answer down. */
  #tell(written: Promise<unknown>): void {
    written.catch((error: unknown) => {
      if (error instanceof BombyxError) this.#options.log.warn({ code: error.code }, error.message);
      else this.#options.log.error({ err: error }, "the ledger did not take the end of an attempt");
    });
  }
}

/** Only the name crosses to the ledger's thread: an attempt holds what cannot. */
const idOf = ({ session, request }: AttemptId): AttemptId => ({ session, request });
