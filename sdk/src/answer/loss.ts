import { BombyxError, type ErrorCode } from "@bombyx/protocol/wire";

/**
 * What a failure of one attempt means for the request (PROTOCOL §7).
 * - `elsewhere`: this node cannot go on; the standby can.
 * - `again`: the gateway was away or slow, the node is not to blame.
 * - `reopen`: the session is stale (epoch, price, ids); the same node serves after a new handshake.
 * - `wait`: the former attempt is still being closed.
 * - `fatal`: no node would answer otherwise.
 */
export type Loss = "elsewhere" | "again" | "reopen" | "wait" | "fatal";

const meaning: Partial<Record<ErrorCode, Loss>> = {
  NODE_OFFLINE: "elsewhere",
  NODE_BUSY: "elsewhere",
  NODE_UNKNOWN: "elsewhere",
  NODE_FAILED: "elsewhere",
  QUARANTINED: "elsewhere",
  DRAINING: "elsewhere",
  REQUEST_UNKNOWN: "elsewhere",
  TRUNCATED: "elsewhere",
  SEALED_STREAM: "elsewhere",
  INTERNAL: "elsewhere",
  GATEWAY_UNREACHABLE: "again",
  EPOCH: "reopen",
  REATTEST: "reopen",
  SESSION_UNKNOWN: "reopen",
  ALREADY_USED: "reopen",
  PRICE_UNKNOWN: "reopen",
  ATTEMPT_OPEN: "wait",
};

export const lossOf = ({ code }: BombyxError): Loss => meaning[code] ?? "fatal";

/** The error that ends an answer of which part was delivered: never silently. */
export const brokenOff = (cause: BombyxError): BombyxError =>
  new BombyxError("TRUNCATED", `The answer broke off and could not be continued: ${cause.message}`, {
    cause,
  });

export const cancelled = (): BombyxError => new BombyxError("CANCELLED", "The request was cancelled.");
