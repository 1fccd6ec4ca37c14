import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Ledger, ledgerFile, openLedger } from "@bombyx/gateway/ledger";
import * as z from "zod";

const rowSchema = z.object({
  session: z.string(),
  request: z.bigint(),
  account: z.string(),
  payer: z.string(),
  node: z.string(),
  idempotency_id: z.string(),
  state: z.enum(["open", "lost", "settled", "released"]),
  finish: z.enum(["done", "running", "cancelled"]).nullable(),
  units: z.bigint(),
  charged_nano: z.bigint(),
  fee_nano: z.bigint(),
  entries_nano: z.bigint(),
});
/** An attempt as it stands in the gateway's file; `entries_nano` is what its entries moved. */
export type AttemptRow = z.infer<typeof rowSchema>;

/** The gateway's books, read beside it from outside its process. */
export interface LedgerFile extends AsyncDisposable {
  /** Every attempt, or one account's, oldest first. */
  attempts(account?: string): AttemptRow[];
  audit: Ledger["audit"];
}

export async function openLedgerFile(dataDir: string): Promise<LedgerFile> {
  const ledger = await openLedger({ dataDir });
  const database = new DatabaseSync(join(dataDir, ledgerFile), { readOnly: true, readBigInts: true });
  const all = database.prepare(
    `SELECT attempts.*, (
       SELECT COALESCE(SUM(nano), 0) FROM entries
       WHERE key IN ('settle:' || attempts.id || ':node', 'settle:' || attempts.id || ':fee')
     ) AS entries_nano
     FROM attempts ORDER BY id`,
  );
  return {
    attempts: (account) => {
      const rows = z.array(rowSchema).parse(all.all());
      return account === undefined ? rows : rows.filter((row) => row.account === account);
    },
    audit: () => ledger.audit(),
    [Symbol.asyncDispose]: async () => {
      database.close();
      await ledger.close();
    },
  };
}

export const sumOf = <T>(items: readonly T[], value: (item: T) => bigint): bigint =>
  items.reduce((sum, item) => sum + value(item), 0n);
