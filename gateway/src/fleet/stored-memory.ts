import { type Seen, type TrustMemory, trustMemory } from "@bombyx/protocol/attestation";
import type { Kysely } from "kysely";
import type { StoreSchema } from "../store/schema.ts";

/** What this gateway has seen Intel and the release keys sign, over all its starts. */
export interface StoredMemory {
  readonly memory: TrustMemory;
  /** Resolves when everything that was remembered would be there after a restart. */
  kept(): Promise<void>;
}

const row = 1n;

/** @throws ZodError when the store holds something else. */
export async function storedMemory(db: Kysely<StoreSchema>): Promise<StoredMemory> {
  const stored = await db.selectFrom("trust_memory").select("seen").where("id", "=", row).executeTakeFirst();
  let last: Promise<unknown> = Promise.resolve();
  const keep = (seen: Seen) => {
    const values = { id: row, seen: JSON.stringify(seen) };
    // In order, each behind the one before, whether or not that one could be written.
    last = last
      .catch(() => undefined)
      .then(() =>
        db
          .insertInto("trust_memory")
          .values(values)
          .onConflict((conflict) => conflict.column("id").doUpdateSet({ seen: values.seen }))
          .execute(),
      );
    last.catch(() => undefined);
  };
  const initial: unknown = stored && JSON.parse(stored.seen);
  return {
    memory: trustMemory(initial, keep),
    kept: async () => {
      await last;
    },
  };
}
