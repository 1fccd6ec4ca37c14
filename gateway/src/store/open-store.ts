import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { Kysely } from "kysely";
import { type StoreSchema, storeMigrations } from "./schema.ts";
import { kyselyOver, openSqlite } from "./sqlite.ts";
import type { Bundles } from "./store.ts";

export interface Store {
  readonly db: Kysely<StoreSchema>;
  /** The same connection, for prepared reads. */
  readonly database: DatabaseSync;
  readonly bundles: Bundles;
  close(): Promise<void>;
}

/** Name of the file in the data directory that holds accounts, nodes and bundles. */
export const storeFile = "gateway.sqlite";

/** @throws Error when the file cannot be opened, or is of a newer schema. */
export function openStore({ dataDir }: { dataDir: string }): Store {
  const database = openSqlite(join(dataDir, storeFile), storeMigrations);
  const db = kyselyOver<StoreSchema>(database);
  return { db, database, bundles: bundlesIn(db), close: () => db.destroy() };
}

function bundlesIn(db: Kysely<StoreSchema>): Bundles {
  return {
    async put({ attestationId, node, sigPk, bytes, acceptedAt, validUntil }) {
      await db
        .insertInto("bundles")
        .values({
          attestation_id: attestationId,
          node,
          sig_pk: sigPk,
          bytes,
          accepted_at: BigInt(acceptedAt),
          valid_until: BigInt(validUntil),
        })
        .onConflict((conflict) => conflict.column("attestation_id").doNothing())
        .execute();
    },
    async get(attestationId) {
      const row = await db
        .selectFrom("bundles")
        .selectAll()
        .where("attestation_id", "=", attestationId)
        .executeTakeFirst();
      return (
        row && {
          attestationId,
          node: row.node,
          sigPk: row.sig_pk,
          bytes: row.bytes,
          acceptedAt: Number(row.accepted_at),
          validUntil: Number(row.valid_until),
        }
      );
    },
    async prune(before) {
      const { numDeletedRows } = await db
        .deleteFrom("bundles")
        .where("valid_until", "<", BigInt(before))
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}
