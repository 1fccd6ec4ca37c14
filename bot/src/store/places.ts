import type { Kysely } from "kysely";
import type { StoreSchema } from "./schema.ts";
import type { Place } from "./turns.ts";

/** What was chosen for a chat or a topic. */
export class Places {
  readonly #db: Kysely<StoreSchema>;

  constructor(db: Kysely<StoreSchema>) {
    this.#db = db;
  }

  async model({ chatId, threadId }: Place): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom("places")
      .select("model")
      .where("chat_id", "=", chatId)
      .where("thread_id", "=", threadId)
      .executeTakeFirst();
    return row?.model;
  }

  async chooseModel({ chatId, threadId }: Place, model: string): Promise<void> {
    await this.#db
      .insertInto("places")
      .values({ chat_id: chatId, thread_id: threadId, model })
      .onConflict((conflict) => conflict.columns(["chat_id", "thread_id"]).doUpdateSet({ model }))
      .execute();
  }
}
