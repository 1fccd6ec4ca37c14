import type { ChannelState } from "@bombyx/protocol/wire";
import type { StoreSchema } from "../store/schema.ts";
import type { Migration } from "../store/sqlite.ts";

export interface ChannelTables {
  /** Channels that accounts pay by, and how far the chain was read; their money is in the ledger. */
  channels: {
    /** Raw. */
    address: string;
    owner: string;
    salt: string;
    account: string;
    registered_at: bigint;
    /** Key by which the account proved that it has the channel; 1 when the chain had that key. */
    proven_key: string;
    proven: bigint;
    state: ChannelState;
    voucher_key: string | null;
    previous_key: string | null;
    previous_until: bigint;
    closes_at: bigint | null;
    /** The last transaction that is in the figures, and the figures. */
    lt: bigint | null;
    hash: string | null;
    balance_nano: bigint;
    redeemed_nano: bigint;
    deposit_nano: bigint;
  };
}

export const channelMigration: Migration<StoreSchema> = (db) => [
  db.schema
    .createTable("channels")
    .addColumn("address", "text", (column) => column.primaryKey())
    .addColumn("owner", "text", (column) => column.notNull())
    .addColumn("salt", "text", (column) => column.notNull())
    .addColumn("account", "text", (column) => column.notNull())
    .addColumn("registered_at", "bigint", (column) => column.notNull())
    .addColumn("proven_key", "text", (column) => column.notNull())
    .addColumn("proven", "bigint", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("voucher_key", "text")
    .addColumn("previous_key", "text")
    .addColumn("previous_until", "bigint", (column) => column.notNull())
    .addColumn("closes_at", "bigint")
    .addColumn("lt", "bigint")
    .addColumn("hash", "text")
    .addColumn("balance_nano", "bigint", (column) => column.notNull())
    .addColumn("redeemed_nano", "bigint", (column) => column.notNull())
    .addColumn("deposit_nano", "bigint", (column) => column.notNull()),
];
