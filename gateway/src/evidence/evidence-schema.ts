import type { StoreSchema } from "../store/schema.ts";
import type { Migration } from "../store/sqlite.ts";

/** What outlives bundles and price lists, so that a receipt can be judged long after it was settled. */
export interface EvidenceTables {
  attestations: {
    attestation_id: string;
    /** The exact statement bytes. */
    statement: Uint8Array;
    link_pk: string;
    payout: string;
    signature: string;
    accepted_at: bigint;
  };
  price_rows: { id: string; row: string };
}

export const evidenceMigration: Migration<StoreSchema> = (db) => [
  db.schema
    .createTable("attestations")
    .addColumn("attestation_id", "text", (column) => column.primaryKey())
    .addColumn("statement", "blob", (column) => column.notNull())
    .addColumn("link_pk", "text", (column) => column.notNull())
    .addColumn("payout", "text", (column) => column.notNull())
    .addColumn("signature", "text", (column) => column.notNull())
    .addColumn("accepted_at", "bigint", (column) => column.notNull()),
  db.schema.createIndex("attestations_by_age").on("attestations").column("accepted_at"),
  db.schema
    .createTable("price_rows")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("row", "text", (column) => column.notNull()),
];
