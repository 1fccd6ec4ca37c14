import { GrammyError, HttpError } from "grammy";
import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;

const secrets = ["token", "apiKey", "authorization", "secret", "text", "payload", "update"];

/**
 * Through Node's own stderr. Pino's destination tries for ever to hand its last words to a reader that is gone, and
 * the process then never ends.
 */
function standardError(): DestinationStream {
  process.stderr.on("error", () => undefined);
  return process.stderr;
}

/**
 * One JSON line per event, on stderr. What people write is not handed to the log at all; redaction is the second
 * fence, for whoever logs a whole update one day.
 */
export function createLog(level: string, destination: DestinationStream = standardError()): Log {
  const paths = secrets.flatMap((name) => [name, `*.${name}`]);
  return pino(
    { level, base: null, redact: { paths, censor: "[redacted]" }, serializers: { err: describeError } },
    destination,
  );
}

/** Without a request's payload, which holds what people wrote. */
function describeError(error: unknown): object {
  if (error instanceof GrammyError) {
    const { name, method, error_code, description } = error;
    return { name, method, error_code, description };
  }
  if (error instanceof HttpError) return { name: error.name, message: error.message };
  if (!(error instanceof Error)) return { name: typeof error };
  const { name, message, stack } = error;
  return { name, message, stack, ...("code" in error && { code: error.code }) };
}
