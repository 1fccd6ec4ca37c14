import { nextReceiptsHash } from "@bombyx/protocol/receipt";
import type { ReceiptLine, ReceiptProof } from "@bombyx/protocol/wire";
import type { Ledger } from "../ledger/ledger.ts";
import type { ChargedReceipt, ReceiptEvidence } from "../ledger/statement-reads.ts";
import type { AckSigner } from "../relay/acks.ts";
import type { AttestationArchive } from "./attestation-archive.ts";
import type { PriceArchive } from "./price-archive.ts";

export interface EvidenceParts {
  readonly ledger: Pick<Ledger, "acknowledged">;
  readonly attestations: AttestationArchive;
  readonly prices: PriceArchive;
  readonly acks: AckSigner;
}

/** A page of receipts, each with the model that its price names. */
export async function receiptLines(
  receipts: readonly ChargedReceipt[],
  prices: PriceArchive,
): Promise<ReceiptLine[]> {
  const rows = await prices.byIds(receipts.map(({ priceId }) => priceId));
  return receipts.map(({ id, at, node, finish, units, chargedNano, purse, priceId }) => ({
    id,
    at,
    model: rows.get(priceId)?.model ?? null,
    node,
    finish,
    units,
    chargedNano: `${chargedNano}`,
    paidBy: purse,
  }));
}

/** Everything that judges one charge without asking anybody (PROTOCOL §8, SETTLEMENT "Acks"). */
export async function receiptProof(evidence: ReceiptEvidence, parts: EvidenceParts): Promise<ReceiptProof> {
  const { id, at, account, payer, purse, node, chargedNano, feeNano, signed, priceId } = evidence;
  const price = (await parts.prices.byIds([priceId])).get(priceId);
  return {
    v: 1,
    id,
    at,
    account,
    payer,
    paidBy: purse,
    node,
    chargedNano: `${chargedNano}`,
    nodeNano: `${chargedNano - feeNano}`,
    feeNano: `${feeNano}`,
    signed,
    attestation: await parts.attestations.of(evidence.attestationId),
    price: price === undefined ? null : { ...price, nanoPerUnit: `${price.nanoPerUnit}` },
    ack: await ackOf(evidence, parts),
  };
}

/** The acknowledgement that this receipt made, signed again: it says what it said then. */
async function ackOf(
  { ack, node, signed }: ReceiptEvidence,
  { ledger, acks }: EvidenceParts,
): Promise<ReceiptProof["ack"]> {
  const { index, sinceAt, units } = await ledger.acknowledged(node);
  if (ack === null || index === null) return null;
  const { n, cumulativeNano, previousHash } = ack;
  const receiptsHash = nextReceiptsHash(previousHash, signed.receipt);
  const standing = { n, units, cumulativeNano, receiptsHash, index, sinceAt };
  return { ...acks.signed(node, standing), previousHash, ackPk: acks.publicKey };
}
