import type { DatabaseSync } from "node:sqlite";
import { BombyxError, type ErrorBody } from "@bombyx/protocol/wire";
import { type Call, Committer } from "./commit.ts";
import type { Ledger } from "./ledger.ts";

/** Carries calls to where the file is. */
export interface CallCarrier {
  /** Rejects with what the call was refused with, see {@link refusal}. */
  call(call: Call): Promise<unknown>;
  close(): Promise<void>;
}

/** The ledger's methods as calls that can cross to another thread. */
export function callLedger(carrier: CallCarrier): Ledger {
  const method = <Method extends Call["method"]>(name: Method): Ledger[Method] =>
    // The result's type follows from the method's name; the compiler cannot see that through a call.
    ((...args: Parameters<Ledger[Method]>) =>
      carrier.call({ method: name, arguments: args } as unknown as Call)) as unknown as Ledger[Method];
  return {
    deposit: method("deposit"),
    reserve: method("reserve"),
    settle: method("settle"),
    markLost: method("markLost"),
    lose: method("lose"),
    release: method("release"),
    balance: method("balance"),
    receiptOf: method("receiptOf"),
    attemptOf: method("attemptOf"),
    acknowledged: method("acknowledged"),
    sweep: method("sweep"),
    audit: method("audit"),
    close: () => carrier.close(),
  };
}

/** A ledger on this thread, every call a batch of its own: for tests and tools, where nobody waits for the disk. */
export function ledgerOn(database: DatabaseSync, feeBps: number): Ledger {
  const committer = new Committer(database, feeBps);
  return callLedger({
    async call(call) {
      const [outcome] = committer.run([call]);
      if (outcome === undefined || "error" in outcome) throw refusal(outcome?.error);
      return outcome.value;
    },
    async close() {
      database.close();
    },
  });
}

/** A refusal crosses threads as plain data; anything else is a defect or a failing disk. */
export function refusal(error: unknown): BombyxError {
  if (error instanceof Error) return new BombyxError("INTERNAL", "The ledger failed.", { cause: error });
  const { code, message, ...detail } = error as ErrorBody;
  return new BombyxError(code, message, detail);
}
