import { type DestinationStream, type Logger, pino } from "pino";

/** Everything a log line may hold: times, ids, units, error codes (PROTOCOL §8). Never text, token ids or addresses. */
export interface LogFields {
  readonly node?: string;
  readonly model?: string;
  readonly attestationId?: string;
  readonly epoch?: number;
  readonly session?: string;
  readonly request?: number;
  readonly stream?: number;
  readonly frames?: number;
  readonly units?: number;
  readonly finish?: string;
  readonly code?: string;
  readonly attempt?: number;
  readonly waitMs?: number;
  readonly tookMs?: number;
  readonly running?: number;
  readonly waiting?: number;
}

const allowed: ReadonlySet<string> = new Set<keyof LogFields>([
  "node",
  "model",
  "attestationId",
  "epoch",
  "session",
  "request",
  "stream",
  "frames",
  "units",
  "finish",
  "code",
  "attempt",
  "waitMs",
  "tookMs",
  "running",
  "waiting",
]);

export interface NodeLog {
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/**
 * Through Node's own stderr. Pino's destination tries for ever to hand its last words to a reader that is gone, and
 * the process then never ends.
 */
export function standardError(): DestinationStream {
  process.stderr.on("error", () => undefined);
  return process.stderr;
}

/** Structured logs of a node; a field that is not on the list is dropped, whatever it is. */
export function nodeLog(destination: DestinationStream, level = "info"): NodeLog {
  const logger: Logger = pino({ level, base: null }, destination);
  const only = (fields: LogFields = {}) =>
    Object.fromEntries(Object.entries(fields).filter(([name]) => allowed.has(name)));
  return {
    info: (event, fields) => logger.info(only(fields), event),
    warn: (event, fields) => logger.warn(only(fields), event),
    error: (event, fields) => logger.error(only(fields), event),
  };
}

/** Logs nothing. */
export const silentLog: NodeLog = { info() {}, warn() {}, error() {} };
