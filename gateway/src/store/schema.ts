import type { Migration } from "./sqlite.ts";

/** Tables of accounts, nodes and bundles. Integers are read as bigint; instants are ms since the epoch. */
export interface StoreSchema {
  api_keys: {
    id: string;
    /** First characters of the key: shown to people, and the way to the row. */
    prefix: string;
    hash: string;
    developer: string;
    label: string;
    bot_id: bigint | null;
    created_at: bigint;
    revoked_at: bigint | null;
  };
  bots: { bot_id: bigint; developer: string; registered_at: bigint };
  person_tokens: { hash: string; bot_id: bigint; user_id: bigint; expires_at: bigint };
  pairing_codes: { hash: string; owner: string; expires_at: bigint };
  nodes: { node: string; link_pk: string; payout: string; owner: string; paired_at: bigint };
  bundles: {
    attestation_id: string;
    node: string;
    sig_pk: string;
    bytes: Uint8Array;
    accepted_at: bigint;
    valid_until: bigint;
  };
}

export const storeMigrations: readonly Migration<StoreSchema>[] = [
  (db) => [
    db.schema
      .createTable("api_keys")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("prefix", "text", (column) => column.notNull())
      .addColumn("hash", "text", (column) => column.notNull())
      .addColumn("developer", "text", (column) => column.notNull())
      .addColumn("label", "text", (column) => column.notNull())
      .addColumn("bot_id", "bigint")
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("revoked_at", "bigint"),
    db.schema.createIndex("api_keys_by_prefix").on("api_keys").column("prefix"),
    db.schema
      .createTable("bots")
      .addColumn("bot_id", "bigint", (column) => column.primaryKey())
      .addColumn("developer", "text", (column) => column.notNull())
      .addColumn("registered_at", "bigint", (column) => column.notNull()),
    db.schema
      .createTable("person_tokens")
      .addColumn("hash", "text", (column) => column.primaryKey())
      .addColumn("bot_id", "bigint", (column) => column.notNull())
      .addColumn("user_id", "bigint", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull()),
    db.schema.createIndex("person_tokens_by_end").on("person_tokens").column("expires_at"),
    db.schema
      .createTable("pairing_codes")
      .addColumn("hash", "text", (column) => column.primaryKey())
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull()),
    db.schema
      .createTable("nodes")
      .addColumn("node", "text", (column) => column.primaryKey())
      .addColumn("link_pk", "text", (column) => column.notNull())
      .addColumn("payout", "text", (column) => column.notNull())
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("paired_at", "bigint", (column) => column.notNull()),
    db.schema.createIndex("nodes_of_an_owner").on("nodes").columns(["owner", "paired_at"]),
    db.schema
      .createTable("bundles")
      .addColumn("attestation_id", "text", (column) => column.primaryKey())
      .addColumn("node", "text", (column) => column.notNull())
      .addColumn("sig_pk", "text", (column) => column.notNull())
      .addColumn("bytes", "blob", (column) => column.notNull())
      .addColumn("accepted_at", "bigint", (column) => column.notNull())
      .addColumn("valid_until", "bigint", (column) => column.notNull()),
    db.schema.createIndex("bundles_by_end").on("bundles").column("valid_until"),
  ],
];
