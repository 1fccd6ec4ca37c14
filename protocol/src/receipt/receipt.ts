import { sign, verifySignature } from "../session/signing.ts";
import { blake2b256, equalBytes, sodium } from "../session/sodium.ts";
import { concat, fromHex, toHex, u64be, utf8 } from "../wire/encoding.ts";
import { BombyxError } from "../wire/error.ts";
import type { Price } from "../wire/price.ts";
import { type Receipt, type SignedReceipt, signedReceiptSchema } from "../wire/receipt.ts";
import type { ReceiptDetail } from "../wire/sealed-content.ts";
import { canonicalBytes, domainBytes } from "./canonical.ts";
import { billedUnits, type TokenCounts } from "./units.ts";

const domain = "bombyx/receipt/v1\0";

/** Identity that settles at most once. */
export const receiptId = ({ attestationId, session, request }: Receipt): string =>
  `${attestationId}/${session}/${request}`;

/** Hash that commits to the sealed detail. */
export const detailHash = (detail: ReceiptDetail): Uint8Array =>
  blake2b256(fromHex(detail.salt), canonicalBytes(detail));

/** Hash in a running receipt: the counts alone, salted from the session so that both ends derive it. */
export function runningDetailHash(sessionKey: Uint8Array, request: number, counts: TokenCounts): Uint8Array {
  const salt = sodium.crypto_generichash(32, concat(utf8("bombyx/1 running\0"), u64be(request)), sessionKey);
  const { promptTokens, cachedTokens, completionTokens, reasoningTokens, continuation } = counts;
  return blake2b256(
    salt,
    canonicalBytes({ promptTokens, cachedTokens, completionTokens, reasoningTokens, continuation }),
  );
}

/** Signs with the node's `sig` key (64-byte Ed25519 secret). */
export function signReceipt(receipt: Receipt, sigSecretKey: Uint8Array): SignedReceipt {
  const signature = sign(domainBytes(domain, receipt), sigSecretKey);
  return { receipt, signature: toHex(signature) };
}

/**
 * Parses a receipt and checks the node's signature.
 * @throws BombyxError RECEIPT_INVALID, saying which of the two failed.
 */
export function verifyReceipt(value: unknown, sigPk: Uint8Array): Receipt {
  const parsed = signedReceiptSchema.safeParse(value);
  if (!parsed.success) {
    throw new BombyxError("RECEIPT_INVALID", "The receipt has not the shape of a Bombyx receipt.", {
      cause: parsed.error,
    });
  }
  assertSigned(parsed.data, sigPk);
  return parsed.data.receipt;
}

/**
 * Checks the node's signature of a receipt that has been parsed.
 * @throws BombyxError RECEIPT_INVALID.
 */
export function assertSigned({ receipt, signature }: SignedReceipt, sigPk: Uint8Array): void {
  if (!verifySignature(fromHex(signature), domainBytes(domain, receipt), sigPk)) {
    throw new BombyxError("RECEIPT_INVALID", "The receipt is not signed by the node that answered.");
  }
}

/** @throws BombyxError RECEIPT_INVALID when the counts contradict each other. */
function unitsOf(detail: ReceiptDetail, coefficient: number, price: Price): number {
  try {
    return billedUnits(detail, coefficient, price);
  } catch (cause) {
    throw new BombyxError("RECEIPT_INVALID", "The sealed detail's counts contradict each other.", { cause });
  }
}

/**
 * The client's own audit: the sealed detail is the one committed to, and the units follow from it.
 * @throws BombyxError RECEIPT_INVALID; the signed receipt is then evidence against the node.
 */
export function auditReceipt(receipt: Receipt, detail: ReceiptDetail, price: Price): void {
  if (!equalBytes(detailHash(detail), fromHex(receipt.detailHash))) {
    throw new BombyxError("RECEIPT_INVALID", "The sealed detail is not the one that the receipt commits to.");
  }
  if (receipt.priceId !== price.id) {
    throw new BombyxError("RECEIPT_INVALID", "The receipt is priced by another row than the one agreed on.");
  }
  const units = Math.min(unitsOf(detail, receipt.coefficient, price), receipt.capUnits, receipt.ceilingUnits);
  if (units !== receipt.units) {
    throw new BombyxError(
      "RECEIPT_INVALID",
      `The node billed ${receipt.units} units; its own counts make ${units}.`,
    );
  }
}
