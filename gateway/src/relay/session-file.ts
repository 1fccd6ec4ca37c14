import { rmSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { limits } from "@bombyx/protocol/wire";
import { type Prepared, prepare } from "../store/prepared.ts";
import { kyselyOver, type Migration, openSqlite } from "../store/sqlite.ts";

/** What is kept of a session: who opened it, and where. It opens nothing: keys are the two ends' own. */
export interface KeptSession {
  readonly id: string;
  readonly account: string;
  readonly node: string;
  readonly attestationId: string;
}

interface SessionsSchema {
  sessions: { id: string; account: string; node: string; attestation_id: string; expires_at: bigint };
}
type Row = SessionsSchema["sessions"];

const migrations: readonly Migration<SessionsSchema>[] = [
  (db) => [
    db.schema
      .createTable("sessions")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("account", "text", (column) => column.notNull())
      .addColumn("node", "text", (column) => column.notNull())
      .addColumn("attestation_id", "text", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull()),
    db.schema.createIndex("sessions_by_end").on("sessions").column("expires_at"),
  ],
];

/** Rows that one call of {@link SessionFile.prune} takes away, so that it never holds the event loop for long. */
const pruneMost = 2_000;

/**
 * Sessions that outlive the gateway's process, so that a client resumes at the next one what it asked at
 * this one. A file of its own, which nobody waits for on its way to the disk: a commit outlives a `kill -9`. A
 * power cut may take sessions or the file; then clients open others, and nothing else is lost.
 */
export class SessionFile {
  readonly #database: DatabaseSync;
  readonly #put: Prepared<Row, never>;
  readonly #delete: Prepared<{ id: string }, never>;
  readonly #get: Prepared<{ id: string; now: bigint }, Row>;
  readonly #prune: Prepared<{ now: bigint; most: bigint }, never>;
  readonly #now: () => number;
  readonly #gone = new Set<string>();
  #new: Row[] = [];
  #written: PromiseWithResolvers<void> | undefined;

  /** @param file a path, or ":memory:". */
  constructor(file: string, now: () => number) {
    const database = openSound(file);
    database.exec("PRAGMA synchronous = OFF");
    const db = kyselyOver<SessionsSchema>(database);
    this.#database = database;
    this.#now = now;
    this.#put = prepare<Row>()(database, ($) =>
      db
        .insertInto("sessions")
        .values({
          id: $("id"),
          account: $("account"),
          node: $("node"),
          attestation_id: $("attestation_id"),
          expires_at: $("expires_at"),
        })
        .onConflict((conflict) => conflict.column("id").doNothing()),
    ) as Prepared<Row, never>;
    this.#delete = prepare<{ id: string }>()(database, ($) =>
      db.deleteFrom("sessions").where("id", "=", $("id")),
    ) as Prepared<{ id: string }, never>;
    this.#get = prepare<{ id: string; now: bigint }>()(database, ($) =>
      db.selectFrom("sessions").selectAll().where("id", "=", $("id")).where("expires_at", ">", $("now")),
    );
    this.#prune = prepare<{ now: bigint; most: bigint }>()(database, ($) =>
      db
        .deleteFrom("sessions")
        .where("id", "in", (ended) =>
          ended.selectFrom("sessions").select("id").where("expires_at", "<=", $("now")).limit($("most")),
        ),
    ) as Prepared<{ now: bigint; most: bigint }, never>;
  }

  /** Resolves when the session would be there after a `kill -9`; those of one turn of the event loop are one commit. */
  put({ id, account, node, attestationId }: KeptSession): Promise<void> {
    // No session outlives its epoch; the node knows the hour, and refuses what is over.
    const expires_at = BigInt(this.#now() + limits.epochGraceMs);
    this.#new.push({ id, account, node, attestation_id: attestationId, expires_at });
    return this.#soon();
  }

  /** Left the gateway's table: it is not to come back. */
  delete(id: string): void {
    this.#gone.add(id);
    this.#soon().catch(() => undefined);
  }

  get(id: string): KeptSession | undefined {
    if (this.#gone.has(id)) return undefined;
    const row = this.#get.get({ id, now: BigInt(this.#now()) });
    // A damaged index may lead to another's row.
    if (row?.id !== id) return undefined;
    return { id, account: row.account, node: row.node, attestationId: row.attestation_id };
  }

  /** Forgets sessions whose epoch is over. @returns how many. */
  prune(): number {
    return this.#prune.run({ now: BigInt(this.#now()), most: BigInt(pruneMost) });
  }

  /** Writes what waits. */
  close(): void {
    this.#write();
    this.#database.close();
  }

  #soon(): Promise<void> {
    if (!this.#written) {
      this.#written = Promise.withResolvers<void>();
      setImmediate(() => this.#write());
    }
    return this.#written.promise;
  }

  #write(): void {
    const written = this.#written;
    if (!written) return;
    const rows = this.#new;
    this.#written = undefined;
    this.#new = [];
    try {
      this.#database.exec("BEGIN IMMEDIATE");
      for (const row of rows) this.#put.run(row);
      for (const id of this.#gone) this.#delete.run({ id });
      this.#database.exec("COMMIT");
      this.#gone.clear();
      written.resolve();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      written.reject(error);
    }
  }
}

/** The file, or an empty one in place of what a power cut left of it. @throws Error when it can be neither opened nor replaced. */
function openSound(file: string): DatabaseSync {
  try {
    const database = openSqlite(file, migrations);
    if (database.prepare("PRAGMA quick_check(1)").get()?.quick_check === "ok") return database;
    database.close();
  } catch (error) {
    // SQLITE_CORRUPT, SQLITE_NOTADB: anything else, such as a full disk, is not mended by beginning anew.
    const code = error instanceof Error && "errcode" in error ? Number(error.errcode) & 0xff : 0;
    if (code !== 11 && code !== 26) throw error;
  }
  for (const part of ["", "-wal", "-shm"]) rmSync(`${file}${part}`, { force: true });
  return openSqlite(file, migrations);
}

/** Name of the file in the data directory that holds open sessions. */
export const sessionFile = "sessions.sqlite";

export const openSessionFile = ({ dataDir, now }: { dataDir: string; now: () => number }): SessionFile =>
  new SessionFile(join(dataDir, sessionFile), now);
