import * as z from "zod";
import { count, hex } from "./encoding.ts";
import { limits } from "./limits.ts";

/** Clear receipt, PROTOCOL §8. Identity: (attestationId, session, request). */
export const receiptSchema = z.strictObject({
  v: z.literal(1),
  attestationId: hex.b32,
  /** Session id = BLAKE2b-256("bombyx/session/v1\0" ‖ handshake hash). */
  session: hex.b32,
  request: z
    .int()
    .min(0)
    .max(limits.requestsPerSession - 1),
  idempotencyId: hex.b16,
  manifest: hex.b32,
  priceId: hex.b16,
  coefficient: count,
  capUnits: count,
  ceilingUnits: count,
  /** Rounded up to 64; down when it is a continuation (`billedUnits`). */
  units: count,
  frames: count,
  finish: z.enum(["done", "running", "cancelled"]),
  /** BLAKE2b-256 of the sealed request. */
  requestHash: hex.b32,
  /** Chain over answer frames 0..frames-1: H0 = H("bombyx/frames/v1\0"), Hn = H(Hn-1 ‖ u64be(length) ‖ frame). */
  framesHash: hex.b32,
  /** BLAKE2b-256(salt ‖ canonical JSON of the detail); `runningDetailHash` for one that runs. */
  detailHash: hex.b32,
});
export type Receipt = z.infer<typeof receiptSchema>;

/** Signature by the node's `sig` key over "bombyx/receipt/v1\0" ‖ u64be(length) ‖ canonical JSON of the receipt. */
export const signedReceiptSchema = z.strictObject({ receipt: receiptSchema, signature: hex.b64 });
export type SignedReceipt = z.infer<typeof signedReceiptSchema>;
