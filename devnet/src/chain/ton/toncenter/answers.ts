import { Address, Cell, loadTransaction, type Message, type Transaction } from "@ton/core";
import type { StoredTransaction } from "../store.ts";

const noHash = Buffer.alloc(32).toString("base64");

/** The cell that a BoC holds. */
export function rootOf(boc: Uint8Array): Cell {
  const [cell] = Cell.fromBoc(Buffer.from(boc));
  if (cell === undefined) throw new Error("a BoC of the chain's file is empty");
  return cell;
}

export const transactionIn = (stored: StoredTransaction): Transaction =>
  loadTransaction(rootOf(stored.boc).beginParse());

export const transactionId = (id?: { readonly lt: number | bigint; readonly hash: string }) => ({
  "@type": "internal.transactionId",
  lt: String(id?.lt ?? 0),
  hash: id ? Buffer.from(id.hash, "hex").toString("base64") : noHash,
});

/** A transaction in toncenter's words. */
export function transactionAnswer(stored: StoredTransaction) {
  const transaction = transactionIn(stored);
  const { description, totalFees } = transaction;
  const storageFee =
    description.type === "generic" ? (description.storagePhase?.storageFeesCollected ?? 0n) : 0n;
  return {
    "@type": "raw.transaction",
    address: { "@type": "accountAddress", account_address: Address.parseRaw(stored.account).toString() },
    utime: stored.utime,
    data: Buffer.from(stored.boc).toString("base64"),
    transaction_id: transactionId(stored),
    fee: String(totalFees.coins),
    storage_fee: String(storageFee),
    other_fee: String(totalFees.coins - storageFee),
    ...(transaction.inMessage && { in_msg: messageAnswer(transaction.inMessage) }),
    out_msgs: transaction.outMessages.values().map(messageAnswer),
  };
}

function messageAnswer({ info, body, init }: Message) {
  const inner = info.type === "internal" ? info : undefined;
  return {
    "@type": "raw.message",
    source: info.type === "external-in" ? "" : info.src.toString(),
    destination: info.type === "external-out" ? "" : info.dest.toString(),
    value: String(inner?.value.coins ?? 0n),
    fwd_fee: String(inner?.forwardFee ?? 0n),
    ihr_fee: String(inner?.ihrFee ?? 0n),
    created_lt: String(info.type === "external-in" ? 0n : info.createdLt),
    body_hash: body.hash().toString("base64"),
    msg_data: {
      "@type": "msg.dataRaw",
      body: body.toBoc().toString("base64"),
      init_state: init?.code ? init.code.toBoc().toString("base64") : "",
    },
  };
}
