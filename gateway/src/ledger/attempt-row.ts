import { canonicalBytes } from "@bombyx/protocol/receipt";
import { BombyxError, type Receipt } from "@bombyx/protocol/wire";
import type { Attempt, AttemptRecord, Reservation } from "./ledger.ts";
import type { AttemptRow } from "./statements.ts";

export const isRunning = ({ state }: AttemptRow): boolean => state === "open" || state === "lost";
export const nameOf = ({ session, request }: Pick<AttemptRow, "session" | "request">) =>
  `${session}/${request}`;
export const sameReceipt = (a: Receipt, b: Receipt): boolean =>
  Buffer.from(canonicalBytes(a)).equals(canonicalBytes(b));

const effectiveCap = (attempt: AttemptRow): bigint =>
  attempt.continuation === 1n ? attempt.continuation_cap_units : attempt.cap_units;

/** A request that was reserved before: the same one again, or another one under its name? */
export function repeated(known: AttemptRow, attempt: Attempt): Reservation {
  // Which purse of a person it was drawn on is the ledger's own choice.
  const { at: _, person, ...asked } = attempt;
  const { at: __, state, continuation, ...kept } = recordOf(known);
  const same = (Object.keys({ ...asked, ...kept }) as (keyof typeof asked)[]).every((field) =>
    field === "payer" && person !== undefined
      ? true
      : field === "lostAttempt"
        ? asked.lostAttempt?.session === kept.lostAttempt?.session &&
          asked.lostAttempt?.request === kept.lostAttempt?.request
        : asked[field] === kept[field],
  );
  if (!same || state === "released") {
    throw new BombyxError(
      "ALREADY_USED",
      `Request ${attempt.request} of this session was used${same ? " and ended unbilled" : " for something else"}: take the next request id.`,
      { field: "request" },
    );
  }
  return { continuation, capUnits: Number(effectiveCap(known)), repeated: true };
}

export function recordOf(row: AttemptRow): AttemptRecord {
  return {
    session: row.session,
    request: Number(row.request),
    account: row.account,
    payer: row.payer,
    node: row.node,
    attestationId: row.attestation_id,
    idempotencyId: row.idempotency_id,
    priceId: row.price_id,
    nanoPerUnit: row.nano_per_unit,
    coefficient: Number(row.coefficient),
    requestBytes: Number(row.request_bytes),
    capUnits: Number(row.cap_units),
    continuationCapUnits: Number(row.continuation_cap_units),
    ...(row.lost_session !== null && {
      lostAttempt: { session: row.lost_session, request: Number(row.lost_request) },
    }),
    at: Number(row.opened_at),
    state: row.state,
    continuation: row.continuation === 1n,
  };
}

/** @throws BombyxError RECEIPT_INVALID naming the field that disagrees, QUARANTINED for units above the cap. */
export function assertAgrees(attempt: AttemptRow, receipt: Receipt): void {
  const cap = Number(effectiveCap(attempt));
  if (receipt.units > cap) {
    throw new BombyxError(
      "QUARANTINED",
      `The node billed ${receipt.units} units for ${nameOf(attempt)}, ${cap} were reserved: it is not paid.`,
      { field: "units" },
    );
  }
  const agreed = {
    attestationId: attempt.attestation_id,
    idempotencyId: attempt.idempotency_id,
    priceId: attempt.price_id,
    coefficient: Number(attempt.coefficient),
    capUnits: cap,
  };
  for (const [field, value] of Object.entries(agreed)) {
    const found: unknown = Reflect.get(receipt, field);
    if (found !== value) {
      throw new BombyxError(
        "RECEIPT_INVALID",
        `The receipt for ${nameOf(attempt)} has ${field} ${found}, the reservation ${value}.`,
        { field },
      );
    }
  }
  if (receipt.units > receipt.ceilingUnits) {
    throw new BombyxError(
      "RECEIPT_INVALID",
      `The node billed ${receipt.units} units above the client's own ceiling of ${receipt.ceilingUnits}.`,
      { field: "units" },
    );
  }
}
