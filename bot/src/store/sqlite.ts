import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { Kysely, type SqliteDatabase, SqliteDialect } from "kysely";

/** One step of the schema, as SQL; its number is its place in the list and never changes. */
export type Migration = string;

/**
 * A commit that returned survives a power cut (WAL, synchronous FULL), because an update is acknowledged to Telegram
 * after it; what is deleted is overwritten (secure_delete), because people were told that it is gone.
 */
const pragmas = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA secure_delete = ON;
  PRAGMA busy_timeout = 5000;
`;

/**
 * Opens a database file and brings its schema up to date.
 * @param file a path, or ":memory:".
 * @throws Error when the file was written by a newer schema than this program knows.
 */
export function openSqlite(file: string, migrations: readonly Migration[]): DatabaseSync {
  const database = new DatabaseSync(file);
  try {
    database.exec(pragmas);
    const done = Number(database.prepare("PRAGMA user_version").get()?.user_version);
    if (done > migrations.length) {
      throw new Error(
        `${file} has schema ${done}, this program knows ${migrations.length}: start a newer version.`,
      );
    }
    for (const migration of migrations.slice(done)) database.exec(`BEGIN; ${migration} COMMIT;`);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
  } catch (error) {
    database.close();
    throw error;
  }
  return database;
}

/** Kysely on node:sqlite. `destroy()` of the result closes the database. */
export function kyselyOver<Schema>(database: DatabaseSync): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database: adapt(database) }) });
}

function adapt(database: DatabaseSync): SqliteDatabase {
  const prepared = new Map<string, StatementSync>();
  const values = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[];
  return {
    close: () => database.close(),
    prepare(sql) {
      const statement = prepared.get(sql) ?? database.prepare(sql);
      prepared.set(sql, statement);
      return {
        reader: statement.columns().length > 0,
        all: (parameters) => statement.all(...values(parameters)),
        run: (parameters) => statement.run(...values(parameters)),
        iterate: (parameters) => statement.iterate(...values(parameters)),
      };
    },
  };
}
