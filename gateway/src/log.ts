import { type DestinationStream, type Logger, pino } from "pino";

export type Log = Logger;

const secrets = ["authorization", "headers", "body", "initData", "apiKey", "token", "pairingCode"];

/**
 * Through Node's own stderr. Pino's destination tries for ever to hand its last words to a reader that is gone, and
 * the process then never ends.
 */
function standardError(): DestinationStream {
  process.stderr.on("error", () => undefined);
  return process.stderr;
}

/**
 * One JSON line per event, on stderr. Credentials, addresses and bodies are not handed to the log at
 * all; redaction is the second fence, for whoever logs a whole request one day.
 */
export function createLog(level: string, destination: DestinationStream = standardError()): Log {
  const paths = secrets.flatMap((name) => [name, `*.${name}`]);
  return pino({ level, base: null, redact: { paths, censor: "[redacted]" } }, destination);
}
