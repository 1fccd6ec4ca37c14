import { assertSigned, unitsToNano } from "@bombyx/protocol/receipt";
import { BombyxError, fromHex, type SignedReceipt } from "@bombyx/protocol/wire";
import type { ExpectedCharge } from "./signer-state.ts";

/**
 * What a receipt charges for a request of one's own: signed by the very node that it was sealed to, for this request at
 * this price, within what was allowed. Whether the units follow from the sealed counts is checked where the
 * answer is (`judgeReceipt`); of an answer that was cut off, the ceiling is what bounds it.
 * @throws BombyxError RECEIPT_INVALID naming the field.
 */
export function chargeOf(expected: ExpectedCharge, signed: SignedReceipt): bigint {
  const { receipt } = signed;
  assertSigned(signed, fromHex(expected.sigPk));
  const agreed = ["session", "request", "attestationId", "idempotencyId", "priceId", "coefficient"] as const;
  for (const field of [...agreed, "ceilingUnits", "requestHash"] as const) {
    if (receipt[field] !== expected[field]) {
      throw new BombyxError(
        "RECEIPT_INVALID",
        `The receipt says ${receipt[field]} for ${field}; what was sent says ${expected[field]}.`,
        { field },
      );
    }
  }
  if (receipt.units > receipt.ceilingUnits || receipt.units > receipt.capUnits) {
    throw new BombyxError(
      "RECEIPT_INVALID",
      `The receipt bills ${receipt.units} units, ${Math.min(receipt.ceilingUnits, receipt.capUnits)} were allowed.`,
      { field: "units" },
    );
  }
  return unitsToNano(receipt.units, { nanoPerUnit: BigInt(expected.nanoPerUnit) });
}
