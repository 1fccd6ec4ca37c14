import { auditReceipt, billedUnits, verifyReceipt } from "@bombyx/protocol/receipt";
import {
  BombyxError,
  type Receipt,
  type ReceiptDetail,
  type SignedReceipt,
  signedReceiptSchema,
  toHex,
} from "@bombyx/protocol/wire";
import type { Attempt } from "./attempt.ts";
import { capOf } from "./running-receipt.ts";

export type ReceiptJudgement =
  | { readonly receipt: "verified"; readonly signed: SignedReceipt }
  /** None came with the answer; the gateway has it later. */
  | { readonly receipt: "missing" }
  | { readonly receipt: "invalid"; readonly error: BombyxError; readonly signed: SignedReceipt | undefined };

/** Units that follow from the sealed detail, whatever the receipt says; none from counts that contradict themselves. */
export function unitsOf({ terms }: Attempt, detail: ReceiptDetail): number {
  const { candidate, price } = terms.session;
  try {
    const billed = billedUnits(detail, candidate.coefficient, price);
    return Math.min(billed, capOf(terms, detail.continuation), terms.ceilingUnits);
  } catch (error) {
    if (error instanceof RangeError) return 0;
    throw error;
  }
}

/** PROTOCOL §8: the client recomputes everything that the clear receipt says; a mismatch is evidence. */
export function judgeReceipt(attempt: Attempt, detail: ReceiptDetail): ReceiptJudgement {
  if (attempt.receipt === undefined) return { receipt: "missing" };
  try {
    const receipt = verifyReceipt(attempt.receipt, attempt.terms.session.verdict.sigPk);
    if (receipt.finish === "running") return { receipt: "missing" };
    assertTerms(receipt, attempt, detail);
    auditReceipt(receipt, detail, attempt.terms.session.price);
    return { receipt: "verified", signed: signedReceiptSchema.parse(attempt.receipt) };
  } catch (cause) {
    const error =
      cause instanceof BombyxError
        ? cause
        : new BombyxError("RECEIPT_INVALID", "The counts of the sealed detail contradict each other.", {
            cause,
          });
    return { receipt: "invalid", error, signed: signedReceiptSchema.safeParse(attempt.receipt).data };
  }
}

function assertTerms(receipt: Receipt, attempt: Attempt, detail: ReceiptDetail): void {
  const { terms } = attempt;
  const { candidate, price } = terms.session;
  const expected: Partial<Receipt> = {
    attestationId: candidate.attestationId,
    session: terms.session.id,
    request: terms.request,
    idempotencyId: terms.idempotencyId,
    manifest: candidate.manifest,
    priceId: price.id,
    coefficient: candidate.coefficient,
    capUnits: capOf(terms, detail.continuation),
    ceilingUnits: terms.ceilingUnits,
    frames: attempt.frames,
    requestHash: toHex(terms.requestHash),
    framesHash: toHex(attempt.framesHash),
  };
  for (const [field, value] of Object.entries(expected)) {
    const said = receipt[field as keyof Receipt];
    if (said !== value) {
      throw new BombyxError(
        "RECEIPT_INVALID",
        `The receipt says ${said} for ${field}; what was sent and received says ${value}.`,
        { field },
      );
    }
  }
}
