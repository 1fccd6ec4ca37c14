import type { DatabaseSync } from "node:sqlite";
import { BombyxError } from "@bombyx/protocol/wire";
import { audit } from "./audit.ts";
import { Balances } from "./balances.ts";
import { Book } from "./book.ts";
import { ChannelBook } from "./channel-book.ts";
import { CreditBook } from "./credit-book.ts";
import { creditStatements } from "./credit-statements.ts";
import type { Ledger } from "./ledger.ts";
import { StatementReads } from "./statement-reads.ts";
import { ledgerStatements } from "./statements.ts";

/** A method of the ledger and its arguments, as they cross to the worker. */
export type Call = {
  [Method in Exclude<keyof Ledger, "close">]: { method: Method; arguments: Parameters<Ledger[Method]> };
}[Exclude<keyof Ledger, "close">];

export type Outcome = { value: unknown } | { error: unknown };

/**
 * Whether a call's outcome is told only when it would survive a power cut: whatever moves money or lets
 * go of it. A reservation charges nobody, and a request must not wait for the disk to be forwarded.
 */
export function waitsForDisk(call: Call): boolean {
  switch (call.method) {
    case "acceptVoucher":
    case "creditChannel":
    case "deposit":
    case "drainChannel":
    case "lose":
    case "markLost":
    case "refundCredit":
    case "release":
    case "sellCredit":
    case "standing":
    case "setChannelTerms":
    case "sweep":
      return true;
    case "settle":
      return call.arguments[0].receipt.finish !== "running";
    default:
      return false;
  }
}

/** Runs calls in one transaction each batch: a refused call is undone alone, its neighbours stand. */
export class Committer {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof ledgerStatements>;
  readonly #book: Book;
  readonly #channels: ChannelBook;
  readonly #credit: CreditBook;
  readonly #creditStatements: ReturnType<typeof creditStatements>;
  readonly #reads: StatementReads;
  readonly #balances: Balances;
  readonly #begin;
  readonly #commit;
  readonly #save;
  readonly #undo;
  readonly #keep;

  /** @param feeBps the operator's part of what is charged, in 1/10000. */
  constructor(database: DatabaseSync, feeBps: number) {
    if (!Number.isInteger(feeBps) || feeBps < 0 || feeBps > 3_000) {
      throw new RangeError(`feeBps is ${feeBps}; it is a whole number from 0 to 3000`);
    }
    this.#database = database;
    this.#statements = ledgerStatements(database);
    this.#balances = new Balances(this.#statements);
    this.#channels = new ChannelBook(database, this.#balances);
    this.#creditStatements = creditStatements(database);
    this.#credit = new CreditBook(this.#creditStatements, this.#balances);
    this.#reads = new StatementReads(database, this.#balances);
    this.#book = new Book(this.#statements, this.#balances, this.#channels, this.#credit, feeBps);
    this.#begin = database.prepare("BEGIN IMMEDIATE");
    this.#commit = database.prepare("COMMIT");
    this.#save = database.prepare("SAVEPOINT call");
    this.#undo = database.prepare("ROLLBACK TO call");
    this.#keep = database.prepare("RELEASE call");
  }

  run(calls: readonly Call[]): Outcome[] {
    this.#begin.run();
    try {
      const outcomes = calls.map((call): Outcome => {
        this.#save.run();
        try {
          const value = this.#apply(call);
          this.#balances.keepCall();
          return { value };
        } catch (error) {
          this.#undo.run();
          this.#balances.dropCall();
          return { error: error instanceof BombyxError ? error.toJSON() : error };
        } finally {
          this.#keep.run();
        }
      });
      this.#balances.write();
      this.#commit.run();
      return outcomes.map((outcome, index) => (calls[index]?.method === "audit" ? this.#audit() : outcome));
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      this.#balances.forget();
    }
  }

  /** What an earlier process left open waits for its receipts. @returns how many attempts. */
  takeOver(at: number): number {
    this.#begin.run();
    const attempts = this.#book.takeOver(at);
    this.#commit.run();
    return attempts;
  }

  /** On one snapshot of the file; it keeps nobody from writing. */
  #audit(): Outcome {
    this.#database.exec("BEGIN");
    try {
      return { value: audit(this.#statements, this.#creditStatements) };
    } catch (error) {
      return { error };
    } finally {
      this.#commit.run();
    }
  }

  #apply(call: Call): unknown {
    const book = this.#book;
    const channels = this.#channels;
    switch (call.method) {
      case "deposit":
        return book.deposit(...call.arguments);
      case "reserve":
        return book.reserve(...call.arguments);
      case "settle":
        return book.settle(...call.arguments);
      case "markLost":
        return book.markLost(...call.arguments);
      case "reopen":
        return book.reopen(...call.arguments);
      case "lose":
        return book.lose(...call.arguments);
      case "release":
        return book.release(...call.arguments);
      case "balance":
        return book.balance(...call.arguments);
      case "receiptOf":
        return book.receiptOf(...call.arguments);
      case "attemptOf":
        return book.attemptOf(...call.arguments);
      case "acknowledged":
        return book.acknowledged(...call.arguments);
      case "standing":
        return book.standing(...call.arguments);
      case "snapshot":
        return book.snapshot();
      case "sweep":
        return book.sweep(...call.arguments);
      case "creditChannel":
        return channels.creditChannel(...call.arguments);
      case "redeemedFromChannel":
        return channels.redeemedFromChannel(...call.arguments);
      case "acceptVoucher":
        return channels.acceptVoucher(...call.arguments);
      case "setChannelTerms":
        return channels.setChannelTerms(...call.arguments);
      case "drainChannel":
        return channels.drainChannel(...call.arguments);
      case "channelAccount":
        return channels.channelAccount(...call.arguments);
      case "offerCredit":
        return this.#credit.offer(...call.arguments);
      case "sellCredit":
        return this.#credit.sell(...call.arguments);
      case "refundCredit":
        return this.#credit.refund(...call.arguments);
      case "expireOffers":
        return this.#credit.expireOffers(...call.arguments);
      case "funds":
        return this.#credit.funds(...call.arguments);
      case "statement":
        return this.#reads.statement(...call.arguments);
      case "spending":
        return this.#reads.spending(...call.arguments);
      case "receipts":
        return this.#reads.receipts(...call.arguments);
      case "receiptEvidence":
        return this.#reads.receiptEvidence(...call.arguments);
      case "movedSince":
        return this.#reads.movedSince(...call.arguments);
      case "audit":
        // Reads the file, so it runs when the batch is in it.
        return undefined;
    }
  }
}
