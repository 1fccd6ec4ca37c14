import type { DatabaseSync } from "node:sqlite";
import { BombyxError } from "@bombyx/protocol/wire";
import { audit } from "./audit.ts";
import { Book } from "./book.ts";
import type { Ledger } from "./ledger.ts";
import { ledgerStatements } from "./statements.ts";

/** A method of the ledger and its arguments, as they cross to the worker. */
export type Call = {
  [Method in Exclude<keyof Ledger, "close">]: { method: Method; arguments: Parameters<Ledger[Method]> };
}[Exclude<keyof Ledger, "close">];

export type Outcome = { value: unknown } | { error: unknown };

/**
 * Runs calls in one transaction each batch: a refused call is undone alone, its neighbours stand.
 * When it returns, everything is on the disk.
 */
export class Committer {
  readonly #database: DatabaseSync;
  readonly #statements: ReturnType<typeof ledgerStatements>;
  readonly #book: Book;
  /** Balances before the batch, of the accounts that it moves. */
  readonly #before = new Map<string, bigint>();
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
    this.#book = new Book(this.#statements, feeBps, (account) => {
      if (!this.#before.has(account)) this.#before.set(account, this.#nanoOf(account));
    });
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
          return { value: this.#apply(call) };
        } catch (error) {
          this.#undo.run();
          return { error: error instanceof BombyxError ? error.toJSON() : error };
        } finally {
          this.#keep.run();
        }
      });
      this.#assertSumUnchanged();
      this.#commit.run();
      return outcomes;
    } catch (error) {
      this.#database.exec("ROLLBACK");
      throw error;
    } finally {
      this.#before.clear();
    }
  }

  /** What an earlier process left open waits for its receipts. @returns how many attempts. */
  takeOver(at: number): number {
    this.#begin.run();
    const attempts = this.#book.takeOver(at);
    this.#commit.run();
    return attempts;
  }

  #apply(call: Call): unknown {
    const book = this.#book;
    switch (call.method) {
      case "deposit":
        return book.deposit(...call.arguments);
      case "reserve":
        return book.reserve(...call.arguments);
      case "settle":
        return book.settle(...call.arguments);
      case "markLost":
        return book.markLost(...call.arguments);
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
      case "sweep":
        return book.sweep(...call.arguments);
      case "audit":
        return audit(this.#statements);
    }
  }

  #nanoOf(account: string): bigint {
    return this.#statements.balance.get({ account })?.nano ?? 0n;
  }

  /** The whole sum is zero at start (`audit`), so a batch that changes it by nothing keeps it zero. */
  #assertSumUnchanged(): void {
    let change = 0n;
    for (const [account, before] of this.#before) change += this.#nanoOf(account) - before;
    if (change !== 0n) throw new Error(`a batch would change the sum over all accounts by ${change} nanoTON`);
  }
}
