import type { DatabaseSync } from "node:sqlite";
import type { Selectable } from "kysely";
import { prepare } from "../store/prepared.ts";
import { kyselyOver } from "../store/sqlite.ts";
import type { ChannelsTable, LedgerSchema } from "./schema.ts";

export type ChannelRow = Selectable<ChannelsTable>;
export type ChannelStatements = ReturnType<typeof channelStatements>;

export function channelStatements(database: DatabaseSync) {
  const db = kyselyOver<LedgerSchema>(database);
  return {
    channel: prepare<{ account: string }>()(database, ($) =>
      db.selectFrom("channels").selectAll().where("account", "=", $("account")),
    ),
    saveChannel: prepare<ChannelRow>()(database, ($) =>
      db
        .insertInto("channels")
        .values({
          account: $("account"),
          deposited_nano: $("deposited_nano"),
          withdrawn_nano: $("withdrawn_nano"),
          redeemed_nano: $("redeemed_nano"),
          voucher_nano: $("voucher_nano"),
          voucher_key: $("voucher_key"),
          voucher_signature: $("voucher_signature"),
          unsigned_limit_nano: $("unsigned_limit_nano"),
          paused_until: $("paused_until"),
        })
        .onConflict((conflict) =>
          conflict.column("account").doUpdateSet((row) => ({
            deposited_nano: row.ref("excluded.deposited_nano"),
            withdrawn_nano: row.ref("excluded.withdrawn_nano"),
            redeemed_nano: row.ref("excluded.redeemed_nano"),
            voucher_nano: row.ref("excluded.voucher_nano"),
            voucher_key: row.ref("excluded.voucher_key"),
            voucher_signature: row.ref("excluded.voucher_signature"),
            unsigned_limit_nano: row.ref("excluded.unsigned_limit_nano"),
            paused_until: row.ref("excluded.paused_until"),
          })),
        ),
    ),
    entry: prepare<{ key: string }>()(database, ($) =>
      db.selectFrom("entries").selectAll().where("key", "=", $("key")),
    ),
    insertEntry: prepare<{
      key: string;
      account: string;
      counterAccount: string;
      nano: bigint;
      at: bigint;
    }>()(database, ($) =>
      db.insertInto("entries").values({
        key: $("key"),
        account: $("account"),
        counter_account: $("counterAccount"),
        nano: $("nano"),
        at: $("at"),
      }),
    ),
  };
}
