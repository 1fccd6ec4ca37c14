import { createHash } from "node:crypto";
import type { Receipt, SignedReceipt } from "@bombyx/protocol/wire";
import type { Attempt } from "../src/ledger/ledger.ts";

/** 32 bytes as hex that stand for `name`. */
export const id32 = (name: string): string => createHash("sha256").update(name).digest("hex");
export const id16 = (name: string): string => id32(name).slice(0, 32);

/** An attempt with everything agreed: 64 units of prompt and 6,400 of completion at most, 20 nano each. */
export function attempt(changes: Partial<Attempt> = {}): Attempt {
  return {
    session: id32("session"),
    request: 0,
    account: "developer:acme",
    payer: "sponsor:acme",
    node: id32("node"),
    attestationId: id32("attestation"),
    idempotencyId: id16("question"),
    priceId: id16("price"),
    nanoPerUnit: 20n,
    coefficient: 1_000,
    requestBytes: 1_024,
    capUnits: 6_464,
    continuationCapUnits: 6_400,
    at: 1_000,
    ...changes,
  };
}

/** The node's receipt for an attempt; the ledger keeps the signature, its caller checks it. */
export function receiptFor(of: Attempt, changes: Partial<Receipt> = {}): SignedReceipt {
  return {
    receipt: {
      v: 1,
      attestationId: of.attestationId,
      session: of.session,
      request: of.request,
      idempotencyId: of.idempotencyId,
      manifest: id32("manifest"),
      priceId: of.priceId,
      coefficient: of.coefficient,
      capUnits: of.capUnits,
      ceilingUnits: 1_000_000,
      units: 640,
      frames: 10,
      finish: "done",
      requestHash: id32("request"),
      framesHash: id32("frames"),
      detailHash: id32("detail"),
      ...changes,
    },
    signature: "ab".repeat(64),
  };
}
