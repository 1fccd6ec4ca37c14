import { DatabaseSync } from "node:sqlite";

/** One transaction with what finds it again. */
export interface StoredTransaction {
  readonly lt: number;
  /** Raw form, `0:hex`. */
  readonly account: string;
  /** Hex. */
  readonly hash: string;
  /** Number of the block that it is in. */
  readonly seqno: number;
  /** Seconds. */
  readonly utime: number;
  /** Sender of the message that it took in, raw; `null` for a message from outside. */
  readonly source: string | null;
  /** Of that message, 0 from outside. */
  readonly createdLt: number;
  /** Hex of the hash of a message from outside in its normalised form (TEP-467), `null` for the others. */
  readonly normalised: string | null;
  readonly boc: Uint8Array;
}

export interface StoredMessage {
  readonly id: number;
  /** Block from which on it may arrive. */
  readonly due: number;
  readonly boc: Uint8Array;
}

const schema = `
  CREATE TABLE IF NOT EXISTS account (address TEXT PRIMARY KEY, boc TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS tx (
    lt INTEGER PRIMARY KEY, account TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, seqno INTEGER NOT NULL,
    utime INTEGER NOT NULL, source TEXT, createdLt INTEGER NOT NULL, normalised TEXT, boc BLOB NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS tx_account ON tx (account, lt);
  CREATE INDEX IF NOT EXISTS tx_message ON tx (source, createdLt);
  CREATE INDEX IF NOT EXISTS tx_block ON tx (seqno, lt);
  CREATE TABLE IF NOT EXISTS message (id INTEGER PRIMARY KEY AUTOINCREMENT, due INTEGER NOT NULL, boc BLOB NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS number (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
`;

const columns = "lt, account, hash, seqno, utime, source, createdLt, normalised, boc";

/** Accounts, transactions and messages on their way, in one file that survives a cut of the power. */
export class ChainStore {
  readonly #db: DatabaseSync;

  /** @param file `:memory:` for a chain that is forgotten. @throws Error when it is not a chain's file */
  constructor(file: string) {
    this.#db = new DatabaseSync(file);
    this.#db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
    this.#db.exec(schema);
  }

  /** All of it or nothing. */
  atomically(work: () => void): void {
    this.#db.exec("BEGIN IMMEDIATE");
    try {
      work();
      this.#db.exec("COMMIT");
    } catch (error) {
      this.#db.exec("ROLLBACK");
      throw error;
    }
  }

  /** Base64 of the ShardAccount. */
  account(address: string): string | undefined {
    const row = this.#db.prepare("SELECT boc FROM account WHERE address = ?").get(address);
    return row?.boc as string | undefined;
  }

  addresses(): string[] {
    return this.#db
      .prepare("SELECT address FROM account ORDER BY rowid")
      .all()
      .map((row) => row.address as string);
  }

  setAccount(address: string, boc: string): void {
    this.#db
      .prepare("INSERT INTO account VALUES (?, ?) ON CONFLICT DO UPDATE SET boc = excluded.boc")
      .run(address, boc);
  }

  add(tx: StoredTransaction): void {
    this.#db
      .prepare(`INSERT INTO tx (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(tx.lt, tx.account, tx.hash, tx.seqno, tx.utime, tx.source, tx.createdLt, tx.normalised, tx.boc);
  }

  /** Newest first. */
  transactionsOf(account: string, from: number, downTo: number, limit: number): StoredTransaction[] {
    return this.#all(
      "WHERE account = ? AND lt <= ? AND lt > ? ORDER BY lt DESC LIMIT ?",
      account,
      from,
      downTo,
      limit,
    );
  }

  /** In order of arrival. */
  transactionsIn(seqno: number): StoredTransaction[] {
    return this.#all("WHERE seqno = ? ORDER BY lt", seqno);
  }

  /** Newest first: those that a message from outside began. */
  roots(limit: number): StoredTransaction[] {
    return this.#all("WHERE source IS NULL ORDER BY lt DESC LIMIT ?", limit);
  }

  byHash(hash: string): StoredTransaction | undefined {
    return this.#all("WHERE hash = ? OR normalised = ? ORDER BY lt LIMIT 1", hash, hash)[0];
  }

  /** The one that took in the message that `source` sent at `createdLt`. */
  resultOf(source: string, createdLt: number): StoredTransaction | undefined {
    return this.#all("WHERE source = ? AND createdLt = ?", source, createdLt)[0];
  }

  /** The one that sent it. */
  sourceOf(source: string, createdLt: number): StoredTransaction | undefined {
    return this.#all("WHERE account = ? AND lt < ? ORDER BY lt DESC LIMIT 1", source, createdLt)[0];
  }

  count(): number {
    return this.#db.prepare("SELECT count(*) AS n FROM tx").get()?.n as number;
  }

  queue(due: number, boc: Uint8Array): void {
    this.#db.prepare("INSERT INTO message (due, boc) VALUES (?, ?)").run(due, boc);
  }

  unqueue(id: number): void {
    this.#db.prepare("DELETE FROM message WHERE id = ?").run(id);
  }

  /** By block, and in it in order of sending. */
  queued(): StoredMessage[] {
    return this.#db
      .prepare("SELECT id, due, boc FROM message ORDER BY due, id")
      .all() as unknown as StoredMessage[];
  }

  number(name: string, otherwise: number): number {
    const row = this.#db.prepare("SELECT value FROM number WHERE name = ?").get(name);
    return (row?.value as number | undefined) ?? otherwise;
  }

  setNumber(name: string, value: number): void {
    this.#db
      .prepare("INSERT INTO number VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value")
      .run(name, value);
  }

  close(): void {
    this.#db.close();
  }

  #all(where: string, ...values: (string | number)[]): StoredTransaction[] {
    return this.#db
      .prepare(`SELECT ${columns} FROM tx ${where}`)
      .all(...values) as unknown as StoredTransaction[];
  }
}
