import { nano, type Price, priceSchema } from "@bombyx/protocol/wire";
import type { Kysely } from "kysely";
import type { StoreSchema } from "../store/schema.ts";

const keptRow = priceSchema.extend({ nanoPerUnit: nano });

/** Every price row that was ever offered here, by its id: an old receipt names one that is no longer asked. */
export class PriceArchive {
  readonly #db: Kysely<StoreSchema>;
  readonly #kept = new Set<string>();

  constructor(db: Kysely<StoreSchema>) {
    this.#db = db;
  }

  async keep(price: Price): Promise<void> {
    if (this.#kept.has(price.id)) return;
    this.#kept.add(price.id);
    const row = JSON.stringify({ ...price, nanoPerUnit: price.nanoPerUnit.toString() });
    await this.#db
      .insertInto("price_rows")
      .values({ id: price.id, row })
      .onConflict((conflict) => conflict.column("id").doNothing())
      .execute();
  }

  async byIds(ids: readonly string[]): Promise<ReadonlyMap<string, Price>> {
    const distinct = [...new Set(ids)];
    if (distinct.length === 0) return new Map();
    const rows = await this.#db.selectFrom("price_rows").selectAll().where("id", "in", distinct).execute();
    return new Map(rows.map(({ id, row }) => [id, keptRow.parse(JSON.parse(row))]));
  }
}
