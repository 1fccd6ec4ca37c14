import { appendFile } from "node:fs/promises";
import { ChannelPayment } from "../payment/channel-payment.ts";
import { fileStore } from "../payment/file-store.ts";
import { VoucherSigner } from "../payment/voucher-signer.ts";

/**
 * Pays by the channel whose key is in `file`; what was checked is kept beside it, line by line, so that a lost
 * file's total can be summed up again.
 * @throws BombyxError NOT_FOUND, BAD_REQUEST (no channel's file), SECOND_SIGNER.
 */
export async function channelPayment(
  file: string,
  stderr: { write(text: string): unknown },
): Promise<ChannelPayment> {
  const journal = `${file}.receipts.jsonl`;
  return new ChannelPayment(await VoucherSigner.open(fileStore(file)), {
    journal: (receipt) => appendFile(journal, `${JSON.stringify(receipt)}\n`, { mode: 0o600 }),
    onError: (error) =>
      stderr.write(`bombyx: paying: ${error instanceof Error ? error.message : String(error)}\n`),
  });
}
