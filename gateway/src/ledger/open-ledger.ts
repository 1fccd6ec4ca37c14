import { once } from "node:events";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { BombyxError } from "@bombyx/protocol/wire";
import { type CallCarrier, callLedger, refusal } from "./call-ledger.ts";
import type { Call } from "./commit.ts";
import type { Ledger } from "./ledger.ts";
import type { FromWorker, NumberedCall, ToWorker, WorkerOptions } from "./worker.ts";

export interface LedgerOptions {
  readonly dataDir: string;
  /** The operator's part of what is charged, in 1/10000, at most 3000. @default 1000 */
  readonly feeBps?: number;
  /**
   * The one process that serves passes its start time: attempts that an earlier process left open then
   * count as lost since `takeOverAt`. A command that runs beside a server leaves it out.
   */
  readonly takeOverAt?: number;
  /**
   * The ledger cannot go on: its thread died, or the disk did not take a commit. What it answered before holds;
   * whoever serves ends with it. Called once.
   */
  readonly onFailure?: (cause: Error) => void;
}

/** Name of the ledger's file in the data directory. */
export const ledgerFile = "ledger.sqlite";

/**
 * Starts the ledger's worker thread, migrates its file and audits it.
 * @throws Error when the file cannot be opened or its balances disagree with its entries.
 */
export async function openLedger({
  dataDir,
  feeBps = 1_000,
  takeOverAt,
  onFailure = () => {},
}: LedgerOptions): Promise<Ledger> {
  const workerData: WorkerOptions = {
    file: join(dataDir, ledgerFile),
    feeBps,
    ...(takeOverAt !== undefined && { takeOverAt }),
  };
  const extension = import.meta.url.endsWith(".ts") ? ".ts" : ".js";
  const worker = new Worker(new URL(`./worker${extension}`, import.meta.url), {
    workerData,
    execArgv: process.execArgv,
    name: "ledger",
  });
  await once(worker, "message");
  return callLedger(new LedgerThread(worker, onFailure));
}

class LedgerFailure extends Error {
  override readonly name = "LedgerFailure";
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** How long a call that nobody waits for may wait for others, ms: one commit for many running receipts. */
const patienceMs = 25;

class LedgerThread implements CallCarrier {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextId = 0;
  #outbox: NumberedCall[] = [];
  #flushing: NodeJS.Immediate | undefined;
  #patience: NodeJS.Timeout | undefined;
  #closed?: Promise<void>;

  constructor(worker: Worker, onFailure: (cause: Error) => void) {
    this.#worker = worker;
    let failed = false;
    const fail = (cause: Error) => {
      const closing = this.#closed !== undefined;
      this.#failAll(cause);
      if (failed || (closing && !(cause instanceof LedgerFailure))) return;
      failed = true;
      onFailure(cause);
    };
    worker.on("message", (message: FromWorker) => this.#receive(message));
    worker.on("error", (cause) => fail(new LedgerFailure("The ledger's thread failed.", { cause })));
    worker.on("exit", () => fail(new Error("The ledger's thread ended by itself.")));
  }

  call(call: Call, patient = false): Promise<unknown> {
    if (this.#closed !== undefined) return Promise.reject(closedError());
    const id = this.#nextId++;
    this.#outbox.push({ ...call, id });
    // Calls of one turn of the event loop cross to the thread as one message, and are one commit.
    if (!patient) this.#flushing ??= setImmediate(() => this.#flush());
    else this.#patience ??= setTimeout(() => this.#flush(), patienceMs);
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
  }

  /** Commits what was called before, then stops the thread. */
  close(): Promise<void> {
    this.#closed ??= this.#stop();
    return this.#closed;
  }

  async #stop(): Promise<void> {
    this.#flush();
    const exited = once(this.#worker, "exit");
    this.#post({ close: true });
    await exited;
  }

  #flush(): void {
    clearImmediate(this.#flushing);
    clearTimeout(this.#patience);
    this.#flushing = undefined;
    this.#patience = undefined;
    const calls = this.#outbox;
    if (calls.length === 0) return;
    this.#outbox = [];
    try {
      this.#post({ calls });
    } catch (cause) {
      // An argument that cannot cross to a thread is its caller's defect; it must not take the process along.
      const error = new BombyxError("INTERNAL", "A call of the ledger holds what cannot be sent.", { cause });
      for (const { id } of calls) this.#take(id)?.reject(error);
    }
  }

  #post(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #receive(message: FromWorker): void {
    if (!("outcomes" in message)) return;
    for (const outcome of message.outcomes) {
      const waiting = this.#take(outcome.id);
      if ("error" in outcome) waiting?.reject(refusal(outcome.error));
      else waiting?.resolve(outcome.value);
    }
  }

  #take(id: number): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    return waiting;
  }

  #failAll(cause?: unknown): void {
    this.#closed ??= Promise.resolve();
    for (const { reject } of this.#waiting.values()) reject(closedError(cause));
    this.#waiting.clear();
  }
}

const closedError = (cause?: unknown) =>
  new BombyxError("INTERNAL", "The ledger is closed.", cause === undefined ? {} : { cause });
