import type { DatabaseSync } from "node:sqlite";
import { BombyxError, type ErrorBody } from "@bombyx/protocol/wire";
import { type Call, Committer } from "./commit.ts";
import type { AttemptId, Ledger } from "./ledger.ts";

/** Carries calls to where the file is. */
export interface CallCarrier {
  /**
   * Rejects with what the call was refused with, see {@link refusal}.
   * @param patient nobody waits for the outcome: it may travel with the next call, in the order of calls.
   */
  call(call: Call, patient?: boolean): Promise<unknown>;
  close(): Promise<void>;
}

/** The ledger's methods as calls that can cross to another thread. */
export function callLedger(carrier: CallCarrier): Ledger {
  // What a call answers follows from its method; the carrier knows neither.
  const send = <Method extends Call["method"]>(method: Method, ...args: Parameters<Ledger[Method]>) =>
    carrier.call({ method, arguments: args } as Call) as ReturnType<Ledger[Method]>;
  return {
    deposit: (entry) => send("deposit", entry),
    reserve: (attempt) => send("reserve", attempt),
    settle: (signed, at) =>
      signed.receipt.finish === "running"
        ? (carrier.call({ method: "settle", arguments: [signed, at] }, true) as ReturnType<Ledger["settle"]>)
        : send("settle", signed, at),
    markLost: (attempt, at) => send("markLost", nameOf(attempt), at),
    reopen: (attempt, node) => send("reopen", nameOf(attempt), node),
    lose: (attempt, at) => send("lose", nameOf(attempt), at),
    release: (attempt, at) => send("release", nameOf(attempt), at),
    balance: (account) => send("balance", account),
    receiptOf: (attempt) => send("receiptOf", nameOf(attempt)),
    attemptOf: (attempt) => send("attemptOf", nameOf(attempt)),
    acknowledged: (node) => send("acknowledged", node),
    standing: (node, at) => send("standing", node, at),
    snapshot: () => send("snapshot"),
    sweep: (before, at) => send("sweep", before, at),
    creditChannel: (entry) => send("creditChannel", entry),
    redeemedFromChannel: (entry) => send("redeemedFromChannel", entry),
    acceptVoucher: (voucher) => send("acceptVoucher", voucher),
    setChannelTerms: (terms) => send("setChannelTerms", terms),
    drainChannel: (entry) => send("drainChannel", entry),
    channelAccount: (account) => send("channelAccount", account),
    offerCredit: (offer) => send("offerCredit", offer),
    sellCredit: (sale) => send("sellCredit", sale),
    refundCredit: (refund) => send("refundCredit", refund),
    expireOffers: (at) => send("expireOffers", at),
    funds: (of) => send("funds", of),
    statement: (payer, page) => send("statement", payer, page),
    spending: (account, day) => send("spending", account, day),
    receipts: (account, page) => send("receipts", account, page),
    receiptEvidence: (id) => send("receiptEvidence", id),
    movedSince: (after, most) => send("movedSince", after, most),
    audit: () => send("audit"),
    close: () => carrier.close(),
  };
}

/** Callers name an attempt by whatever has its name; only the name crosses. */
const nameOf = ({ session, request }: AttemptId): AttemptId => ({ session, request });

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
