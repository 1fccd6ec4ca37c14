import type { Kysely } from "kysely";
import type { StoreSchema } from "./schema.ts";
import type { Sealer } from "./sealer.ts";

const keyCheck = "key-check";

/** Small things that the bot remembers about itself, sealed. */
export class Settings {
  readonly #db: Kysely<StoreSchema>;
  readonly #sealer: Sealer;

  constructor(db: Kysely<StoreSchema>, sealer: Sealer) {
    this.#db = db;
    this.#sealer = sealer;
  }

  async get(name: string): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom("settings")
      .select("value")
      .where("name", "=", name)
      .executeTakeFirst();
    return row && this.#sealer.open(row.value, ["settings", "value", name]);
  }

  async set(name: string, text: string): Promise<void> {
    const value = this.#sealer.seal(text, ["settings", "value", name]);
    await this.#db
      .insertInto("settings")
      .values({ name, value })
      .onConflict((conflict) => conflict.column("name").doUpdateSet({ value }))
      .execute();
  }

  /** @throws Error when the store was written with another key. */
  async checkKey(): Promise<void> {
    try {
      if ((await this.get(keyCheck)) === undefined) await this.set(keyCheck, "1");
    } catch (cause) {
      throw new Error(
        "The bot's store was written with another key: give that one (BOT_STORE_KEY, or store.key in BOT_DATA_DIR), or remove bot.sqlite and begin anew.",
        { cause },
      );
    }
  }
}
