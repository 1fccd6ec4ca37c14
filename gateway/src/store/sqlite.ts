import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { type CompiledQuery, Kysely, type SqliteDatabase, SqliteDialect } from "kysely";

/** One step of a schema, as statements; its number is its place in the list and never changes. */
export type Migration<Schema> = (
  schema: Kysely<Schema>,
) => readonly { compile(schema: Kysely<Schema>): CompiledQuery<unknown> }[];

/** How long a writer waits for another process (the admin commands) to finish its transaction. */
const lockTimeoutMs = 5_000;

/**
 * WAL with synchronous FULL: a commit that returned survives a power cut. 64 MiB of cache and a longer
 * log, because a group commit that outgrows its cache writes its pages twice.
 */
const pragmas = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA foreign_keys = ON;
  PRAGMA cache_size = -65536;
  PRAGMA wal_autocheckpoint = 8000;
`;

/**
 * Opens a database file and brings its schema up to date. Integers are read as bigint. A commit is on
 * the disk when it returns.
 * @param file a path, or ":memory:".
 * @throws Error when the file was written by a newer schema than this program knows.
 */
export function openSqlite<Schema>(file: string, migrations: readonly Migration<Schema>[]): DatabaseSync {
  if (file !== ":memory:") mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const database = new DatabaseSync(file, { readBigInts: true, timeout: lockTimeoutMs });
  try {
    database.exec(pragmas);
    migrate(database, file, migrations);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

function migrate<Schema>(
  database: DatabaseSync,
  file: string,
  migrations: readonly Migration<Schema>[],
): void {
  database.exec("BEGIN IMMEDIATE");
  try {
    const done = Number(database.prepare("PRAGMA user_version").get()?.user_version);
    if (done > migrations.length) {
      throw new Error(
        `${file} has schema ${done}, this program knows ${migrations.length}: start a newer version.`,
      );
    }
    const schema = kyselyOver<Schema>(database);
    for (const migration of migrations.slice(done)) {
      for (const statement of migration(schema)) database.exec(statement.compile(schema).sql);
    }
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** Kysely on node:sqlite. `destroy()` of the result closes the database. */
export function kyselyOver<Schema>(database: DatabaseSync): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database: adapt(database) }) });
}

function adapt(database: DatabaseSync): SqliteDatabase {
  const prepared = new Map<string, StatementSync>();
  return {
    close: () => database.close(),
    prepare(sql) {
      const statement = prepared.get(sql) ?? database.prepare(sql);
      prepared.set(sql, statement);
      const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)),
        run: (parameters) => statement.run(...values(parameters)),
        iterate: (parameters) => statement.iterate(...values(parameters)),
      };
    },
  };
}
