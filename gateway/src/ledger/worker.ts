import { closeSync, fdatasync, openSync } from "node:fs";
import { parentPort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { ready } from "@bombyx/protocol/receipt";
import { openSqlite } from "../store/sqlite.ts";
import { type Call, Committer, type Outcome, waitsForDisk } from "./commit.ts";
import { DurableAnswers } from "./durable-answers.ts";
import { ledgerMigrations } from "./schema.ts";

/** What `openLedger` hands to this thread. */
export interface WorkerOptions {
  readonly file: string;
  readonly feeBps: number;
  /** Since when attempts of an earlier process count as lost; absent for an admin command beside a server. */
  readonly takeOverAt?: number;
}

export type NumberedCall = Call & { readonly id: number };
export type ToWorker = { readonly calls: readonly NumberedCall[] } | { readonly close: true };
export type FromWorker =
  | { readonly ready: true }
  | { readonly outcomes: readonly (Outcome & { readonly id: number })[] };

if (parentPort === null) throw new Error("the ledger's worker is started by openLedger");
const port = parentPort;
const options = workerData as WorkerOptions;
await ready;
const database = openSqlite(options.file, ledgerMigrations);
const committer = new Committer(database, options.feeBps);
const [audited] = committer.run([{ method: "audit", arguments: [] }]);
if (audited !== undefined && "error" in audited) throw audited.error;
if (options.takeOverAt !== undefined) committer.takeOver(options.takeOverAt);

// From here on a commit is in the log, where it outlives this process, and the log is synced behind it.
database.exec("PRAGMA synchronous = NORMAL");
const log = openSync(`${options.file}-wal`, "r+");
type Answer = Outcome & { readonly id: number };
const post = (outcomes: readonly Answer[]): void => {
  const answer: FromWorker = { outcomes };
  port.postMessage(answer);
};
const durable = new DurableAnswers<Answer>((done) => fdatasync(log, done), post);

/**
 * Group commit: a commit is synchronous, so whatever arrives during one is the next batch; nobody
 * waits for a timer, and under load hundreds of calls share one write to the disk.
 */
port.on("message", (first: ToWorker) => {
  const calls: NumberedCall[] = [];
  let closing = false;
  for (let message: ToWorker | undefined = first; message !== undefined; ) {
    if ("close" in message) closing = true;
    else calls.push(...message.calls);
    message = receiveMessageOnPort(port)?.message;
  }
  if (calls.length > 0) {
    const outcomes = committer.run(calls);
    const soon: Answer[] = [];
    const onceDurable: Answer[] = [];
    for (const [index, call] of calls.entries()) {
      const answer = { ...(outcomes[index] as Outcome), id: call.id };
      (waitsForDisk(call) ? onceDurable : soon).push(answer);
    }
    if (soon.length > 0) post(soon);
    durable.committed(onceDurable);
  }
  if (closing) {
    void durable.settled().then(() => {
      database.close();
      closeSync(log);
      port.close();
    });
  }
});
const started: FromWorker = { ready: true };
port.postMessage(started);
