import { type CreditProducts, creditProductsSchema } from "@bombyx/protocol/wire";
import type { Kysely } from "kysely";
import type { StoreSchema } from "../store/schema.ts";
import type { Migration } from "../store/sqlite.ts";

export interface CreditProductTables {
  /** What each bot sells for Stars, as JSON of `creditProductsSchema`. */
  credit_products: { bot_id: bigint; products: string; at: bigint };
}

export const creditProductsMigration: Migration<StoreSchema> = (db) => [
  db.schema
    .createTable("credit_products")
    .addColumn("bot_id", "bigint", (column) => column.primaryKey())
    .addColumn("products", "text", (column) => column.notNull())
    .addColumn("at", "bigint", (column) => column.notNull()),
];

/** Bots' price lists for Mini Apps: words and links; money moves only when Telegram says that somebody paid. */
export class CreditShelf {
  readonly #db: Kysely<StoreSchema>;
  readonly #now: () => number;

  constructor(db: Kysely<StoreSchema>, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  async put(botId: number, products: CreditProducts): Promise<void> {
    const row = { products: JSON.stringify(products), at: BigInt(this.#now()) };
    await this.#db
      .insertInto("credit_products")
      .values({ bot_id: BigInt(botId), ...row })
      .onConflict((conflict) => conflict.column("bot_id").doUpdateSet(row))
      .execute();
  }

  /** Those that cost at most `availableNano`. */
  async of(botId: number, availableNano: bigint): Promise<CreditProducts> {
    const row = await this.#db
      .selectFrom("credit_products")
      .select("products")
      .where("bot_id", "=", BigInt(botId))
      .executeTakeFirst();
    const { products } = row ? creditProductsSchema.parse(JSON.parse(row.products)) : { products: [] };
    return { products: products.filter(({ nano }) => BigInt(nano) <= availableNano) };
  }
}
