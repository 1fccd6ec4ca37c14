import { fromUtf8, type ReceiptDetail, type SignedReceipt } from "@bombyx/protocol/wire";
import type { Session } from "../session/session.ts";
import type { ReceiptFile } from "./receipt-file.ts";

/** What a client has of one of its own answers; the bundle was read whole when its node was verified. */
export function receiptFile(
  { proof, price }: Session,
  signed: SignedReceipt,
  detail: ReceiptDetail,
): ReceiptFile {
  const { statement, link } = JSON.parse(fromUtf8(proof.bundle)) as NonNullable<ReceiptFile["attestation"]>;
  return {
    v: 1,
    signed,
    attestation: { statement, link },
    price: { ...price, nanoPerUnit: price.nanoPerUnit.toString() },
    detail,
    chargedNano: (BigInt(signed.receipt.units) * price.nanoPerUnit).toString(),
  };
}
