import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { ledgerFile, nodeAccount, openLedger, operatorAccount } from "@bombyx/gateway/ledger";

const zeros = "00".repeat(32);
/** Of each answer: 64 units at 20 nano, a tenth of it the operator's. */
const chargedNano = 1_280n;
const feeNano = 128n;

/**
 * A ledger in which one account has as many entries as `entries` says, two for each answer, made with SQL because
 * answering so many takes minutes; the ledger audits it when it is opened, so it is one that could have been answered.
 */
export async function largeAccount(dataDir: string, account: string, entries: number): Promise<void> {
  const answers = entries / 2;
  const ledger = await openLedger({ dataDir });
  await ledger.deposit({ key: "bench", account, nano: 10n ** 15n, at: 0 });
  await ledger.standing(zeros, 0);
  await ledger.close();
  const database = new DatabaseSync(join(dataDir, ledgerFile), { readBigInts: true });
  const all = BigInt(answers);
  database.exec(`
    PRAGMA synchronous = OFF;
    BEGIN;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${answers})
    INSERT INTO attempts (id, session, request, account, payer, node, attestation_id, idempotency_id, price_id,
      nano_per_unit, coefficient, request_bytes, paid_bytes, cap_units, continuation_cap_units, continuation, state,
      reserved_nano, finish, units, charged_nano, fee_nano, purse, opened_at, ended_at)
    SELECT i, '${randomBytes(24).toString("hex")}' || printf('%016x', i), 0, 'developer:bench', '${account}', '${zeros}', '${zeros}',
      printf('%032x', i), '${"00".repeat(16)}', 20, 1000, 1024, 1024, 64, 64, 0, 'settled', 0, 'done', 64, ${chargedNano},
      ${feeNano}, 'sponsor', i, i * 5000 FROM n;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${answers})
    INSERT INTO entries (key, account, counter_account, nano, at)
    SELECT 'settle:' || i || ':' || part, '${account}', counter, nano, i * 5000 FROM n,
      (SELECT 'node' AS part, '${nodeAccount(zeros)}' AS counter, ${chargedNano - feeNano} AS nano
       UNION ALL SELECT 'fee', '${operatorAccount}', ${feeNano});
    INSERT INTO spending_days (account, day, spent_nano, free_nano, requests)
      SELECT 'developer:bench', ended_at / 86400000, sum(charged_nano), 0, count(*) FROM attempts GROUP BY 2;
    UPDATE acks SET n = ${answers}, units = ${answers * 64}, cumulative_nano = ${all * (chargedNano - feeNano)};
    UPDATE balances SET nano = nano - ${all * chargedNano} WHERE account = '${account}';
    INSERT INTO balances VALUES ('${nodeAccount(zeros)}', ${all * (chargedNano - feeNano)}, 0);
    INSERT INTO balances VALUES ('${operatorAccount}', ${all * feeNano}, 0);
    COMMIT;
  `);
  database.close();
}
