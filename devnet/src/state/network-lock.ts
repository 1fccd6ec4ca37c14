import { DatabaseSync } from "node:sqlite";

/** Another network runs on the same state. */
export class AlreadyRunningError extends Error {
  override readonly name = "AlreadyRunningError";
}

/**
 * Holds a state directory for one process. The lock is the operating system's, on an SQLite file: it is
 * gone with the process, even after a `kill -9`, and no stale pid file can stand in the way.
 * @throws AlreadyRunningError when another process holds it.
 */
export function lockState(file: string): Disposable {
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    database.exec("PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE");
  } catch (cause) {
    database.close();
    if (isBusy(cause)) throw new AlreadyRunningError("This network runs already.", { cause });
    throw cause;
  }
  return { [Symbol.dispose]: () => database.close() };
}

const sqliteBusy = 5;
const isBusy = (error: unknown): boolean =>
  error instanceof Error && "errcode" in error && error.errcode === sqliteBusy;
