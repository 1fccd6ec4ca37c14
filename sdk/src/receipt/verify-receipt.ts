import {
  attestationId,
  bootBinding,
  nodeId,
  openCommitment,
  reportData,
  type Statement,
  statementSchema,
} from "@bombyx/protocol/attestation";
import {
  assertSigned,
  auditReceipt,
  nextReceiptsHash,
  priceId,
  ready,
  unitsToNano,
  verifySignature,
} from "@bombyx/protocol/receipt";
import { BombyxError, fromBase64, fromHex, fromUtf8, type Price, toHex } from "@bombyx/protocol/wire";
import { ackHash } from "./ack-hash.ts";
import { type ReceiptFile, receiptFileSchema } from "./receipt-file.ts";

/** What can be checked, in the order in which it is. */
export const receiptChecks = [
  "format",
  "statement",
  "signature",
  "node",
  "price",
  "units",
  "charge",
  "ack",
] as const;
export type ReceiptCheck = (typeof receiptChecks)[number];

/** What a receipt that holds says. */
export interface VerifiedReceipt {
  readonly node: string;
  /** `tdx`: the statement is what a quote commits to; `open`: it is the word of the node's owner alone. */
  readonly tier: "tdx" | "open";
  readonly attestationId: string;
  readonly model: string | undefined;
  readonly finish: "done" | "running" | "cancelled";
  readonly units: number;
  /** Undefined without a price row. */
  readonly costNano: bigint | undefined;
  readonly checked: readonly ReceiptCheck[];
  /** What the file does not hold. */
  readonly notChecked: readonly ReceiptCheck[];
  /** Whose signature the Ack carries, to be compared with the vault on chain. */
  readonly ack: { readonly vault: string; readonly ackPk: string; readonly n: number } | undefined;
}

/** A receipt that does not hold, and what of it. */
export class ReceiptError extends BombyxError {
  override readonly name = "ReceiptError";
  readonly check: ReceiptCheck;

  constructor(check: ReceiptCheck, message: string, cause?: unknown) {
    super("RECEIPT_INVALID", message, cause === undefined ? {} : { cause });
    this.check = check;
  }
}

/**
 * Judges a receipt without a network and without trust in who gave the file. That the statement's quote is genuine, is
 * another question: `bombyx attest verify` answers it from the bundle of this attestation id.
 * @throws ReceiptError at the first check that fails
 */
export async function verifyReceiptFile(value: unknown): Promise<VerifiedReceipt> {
  await ready;
  const parsed = receiptFileSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const where = issue?.path.join(".") || "the file";
    throw new ReceiptError(
      "format",
      `This is no receipt file: ${where}: ${issue?.message ?? "not valid"}.`,
      parsed.error,
    );
  }
  const file = parsed.data;
  const { receipt } = file.signed;
  const checked: ReceiptCheck[] = ["format"];
  const { statement, tier } = await statementOf(file);
  checked.push("statement");
  told("signature", () => assertSigned(file.signed, fromHex(statement.sig_pk)));
  checked.push("signature");
  assertNode(file, statement);
  checked.push("node");

  const price = file.price ? readPrice(file.price) : undefined;
  if (price) {
    if (price.id !== receipt.priceId)
      throw new ReceiptError("price", "The receipt is priced by another row.");
    checked.push("price");
  }
  const { detail } = file;
  if (price && detail) {
    told("units", () => auditReceipt(receipt, detail, price));
    checked.push("units");
  }
  const costNano = price && unitsToNano(receipt.units, price);
  if (costNano !== undefined && file.chargedNano !== undefined) {
    if (costNano.toString() !== file.chargedNano) {
      throw new ReceiptError(
        "charge",
        `${file.chargedNano} nanoTON were charged; ${receipt.units} units cost ${costNano}.`,
      );
    }
    checked.push("charge");
  }
  if (file.ack) {
    await assertAck(file.ack, receipt);
    checked.push("ack");
  }
  return {
    node: statement.node,
    tier,
    attestationId: receipt.attestationId,
    model: price?.model,
    finish: receipt.finish,
    units: receipt.units,
    costNano,
    checked,
    notChecked: receiptChecks.filter((check) => !checked.includes(check)),
    ack: file.ack ? { vault: file.ack.ack.vault, ackPk: file.ack.ackPk, n: file.ack.ack.n } : undefined,
  };
}

/** The statement that the receipt names; its id is a hash of it, so whoever has the one has the other. */
async function statementOf({
  attestation,
  signed,
}: ReceiptFile): Promise<{ statement: Statement; tier: VerifiedReceipt["tier"] }> {
  if (!attestation) {
    throw new ReceiptError(
      "statement",
      "The file holds no attested statement, so nobody knows whose signature this is.",
    );
  }
  const bytes = fromBase64(attestation.statement);
  const wanted = signed.receipt.attestationId;
  // The same statement has another id under a quote than under its owner's word alone.
  const tiers = [
    ["tdx", await reportData(bytes)],
    ["open", await openCommitment(bytes)],
  ] as const;
  const tier = tiers.find(([, commitment]) => toHex(attestationId(commitment)) === wanted)?.[0];
  if (tier === undefined) {
    throw new ReceiptError(
      "statement",
      "The statement is not the one whose attestation id the receipt names.",
    );
  }
  try {
    return { statement: statementSchema.parse(JSON.parse(fromUtf8(bytes))), tier };
  } catch (cause) {
    throw new ReceiptError("statement", "The statement does not parse.", cause);
  }
}

function assertNode({ attestation, signed }: ReceiptFile, statement: Statement): void {
  const wrong = (message: string) => new ReceiptError("node", message);
  if (!attestation) throw wrong("The file holds no link.");
  const { linkPk, payout, signature } = attestation.link;
  if (toHex(nodeId(fromHex(linkPk), payout)) !== statement.node) {
    throw wrong("Link key and payout do not make the node id of the statement.");
  }
  const bound = bootBinding(fromHex(statement.boot_id), fromHex(statement.sig_pk));
  if (!verifySignature(fromHex(signature), bound, fromHex(linkPk))) {
    throw wrong("The node's link key did not sign the key that signed this receipt.");
  }
  if (!statement.manifests.includes(signed.receipt.manifest)) {
    throw wrong("The model of the receipt is none that the statement attests.");
  }
}

function readPrice(row: NonNullable<ReceiptFile["price"]>): Price {
  const { id, ...rest } = { ...row, nanoPerUnit: BigInt(row.nanoPerUnit) };
  if (priceId(rest) !== id)
    throw new ReceiptError("price", "The price row is not the one that its id names.");
  return { id, ...rest };
}

async function assertAck(
  { ack, signature, previousHash, ackPk }: NonNullable<ReceiptFile["ack"]>,
  receipt: ReceiptFile["signed"]["receipt"],
): Promise<void> {
  if (!verifySignature(fromHex(signature), await ackHash(ack), fromHex(ackPk))) {
    throw new ReceiptError("ack", "The Ack is not signed by the key that the file names.");
  }
  if (nextReceiptsHash(previousHash, receipt) !== ack.receiptsHash) {
    throw new ReceiptError("ack", "The Ack acknowledges another receipt.");
  }
}

/** What the protocol refuses, with the check that it belongs to. */
function told(check: ReceiptCheck, verify: () => void): void {
  try {
    verify();
  } catch (cause) {
    throw new ReceiptError(check, cause instanceof Error ? cause.message : String(cause), cause);
  }
}
