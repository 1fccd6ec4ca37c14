import type { StoreSchema } from "../store/schema.ts";
import type { Migration } from "../store/sqlite.ts";

/** What the gateway holds against nodes, and what it has seen Intel and the release keys sign. */
export interface FleetTables {
  /** By link key: whoever pairs it again, with whatever wallet, is the same node host. */
  quarantined_keys: { link_pk: string; node: string; reason: string; at: bigint };
  /** One row: `Seen` as JSON. */
  trust_memory: { id: bigint; seen: string };
  /**
   * What a node had served when its present owner paired it, for those that had another owner before; null until
   * it is looked at for the first time.
   */
  node_bases: { node: string; requests: bigint | null; units: bigint | null; earned_nano: bigint | null };
}

export const fleetMigration: Migration<StoreSchema> = (db) => [
  db.schema
    .createTable("quarantined_keys")
    .addColumn("link_pk", "text", (column) => column.primaryKey())
    .addColumn("node", "text", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("at", "bigint", (column) => column.notNull()),
  db.schema
    .createTable("trust_memory")
    .addColumn("id", "bigint", (column) => column.primaryKey())
    .addColumn("seen", "text", (column) => column.notNull()),
  db.schema
    .createTable("node_bases")
    .addColumn("node", "text", (column) => column.primaryKey())
    .addColumn("requests", "bigint")
    .addColumn("units", "bigint")
    .addColumn("earned_nano", "bigint"),
];
