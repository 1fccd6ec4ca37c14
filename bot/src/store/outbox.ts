import { randomUUID } from "node:crypto";
import type { InlineKeyboardButton } from "grammy/types";
import { type Insertable, type Kysely, type Selectable, sql } from "kysely";
import type { Block } from "../markdown/block.ts";
import type { Format } from "../markdown/message-format.ts";
import type { StoreSchema } from "./schema.ts";
import { SealBrokenError, type Sealer } from "./sealer.ts";
import type { Place } from "./turns.ts";

/** A message that is to arrive, whatever happens before it does. */
export interface Outgoing extends Place {
  readonly format: Format;
  readonly blocks: readonly Block[];
  readonly buttons?: InlineKeyboardButton[][];
  readonly replyTo?: number;
  /** Who asked, and may take it back. */
  readonly askerId?: number;
  /** The message that becomes this one; without it, a new one is sent. */
  readonly edit?: number;
}

export interface OutboxRow {
  readonly id: string;
  readonly message: Outgoing;
  readonly attempts: number;
  readonly dueAt: number;
}

/** Finished answers until Telegram has taken them, in order per chat, sealed. */
export class Outbox {
  readonly #db: Kysely<StoreSchema>;
  readonly #sealer: Sealer;
  readonly #now: () => number;
  readonly #keepMs: number;

  constructor(db: Kysely<StoreSchema>, sealer: Sealer, now: () => number, keepMs: number) {
    this.#db = db;
    this.#sealer = sealer;
    this.#now = now;
    this.#keepMs = keepMs;
  }

  async add(messages: readonly Outgoing[]): Promise<void> {
    if (messages.length === 0) return;
    const { rank } = await this.#db
      .selectFrom("outbox")
      .select(({ fn }) => fn.coalesce(fn.max("rank"), sql<number>`0`).as("rank"))
      .executeTakeFirstOrThrow();
    const rows = messages.map((message, i) => this.#row(message, rank + 1 + i));
    await this.#db.insertInto("outbox").values(rows).execute();
  }

  /** The oldest message of a chat. */
  async head(chatId: number): Promise<OutboxRow | undefined> {
    for (;;) {
      const row = await this.#db
        .selectFrom("outbox")
        .selectAll()
        .where("chat_id", "=", chatId)
        .orderBy("rank")
        .orderBy("seq")
        .limit(1)
        .executeTakeFirst();
      if (row === undefined) return undefined;
      const { id, attempts, due_at: dueAt, thread_id: threadId } = row;
      try {
        return { id, attempts, dueAt, message: { ...this.#open(row), chatId, threadId } };
      } catch (error) {
        if (!(error instanceof SealBrokenError)) throw error;
        await this.remove(id);
      }
    }
  }

  /** Chats that have something to get. */
  async chats(): Promise<number[]> {
    const rows = await this.#db.selectFrom("outbox").select("chat_id").distinct().execute();
    return rows.map((row) => row.chat_id);
  }

  async remove(id: string): Promise<void> {
    await this.#db.deleteFrom("outbox").where("id", "=", id).execute();
  }

  async removeChat(chatId: number): Promise<void> {
    await this.#db.deleteFrom("outbox").where("chat_id", "=", chatId).execute();
  }

  /** What a chat or topic has not got yet, it does not get; of one person's questions only, when they are named. */
  async erase({ chatId, threadId }: Place, askerId?: number): Promise<void> {
    const rows = await this.#db
      .selectFrom("outbox")
      .select(["id", "body", "chat_id"])
      .where("chat_id", "=", chatId)
      .where("thread_id", "=", threadId)
      .execute();
    for (const row of rows) {
      if (askerId === undefined || this.#askerOf(row) === askerId) await this.remove(row.id);
    }
  }

  async defer(id: string, dueAt: number): Promise<void> {
    await this.#db
      .updateTable("outbox")
      .set((row) => ({ due_at: dueAt, attempts: row("attempts", "+", 1) }))
      .where("id", "=", id)
      .execute();
  }

  /** Puts other messages in the place of one, for example the same in a simpler format. */
  async replace(id: string, messages: readonly Outgoing[]): Promise<void> {
    await this.#db.transaction().execute(async (transaction) => {
      const old = await transaction
        .deleteFrom("outbox")
        .where("id", "=", id)
        .returning("rank")
        .executeTakeFirst();
      if (old === undefined || messages.length === 0) return;
      const rows = messages.map((message) => this.#row(message, old.rank));
      await transaction.insertInto("outbox").values(rows).execute();
    });
  }

  #open(
    row: Pick<Selectable<StoreSchema["outbox"]>, "id" | "body" | "chat_id">,
  ): Omit<Outgoing, keyof Place> {
    return JSON.parse(this.#sealer.open(row.body, cell(row.chat_id, row.id)));
  }

  /** @returns undefined for a row that somebody else put there */
  #askerOf(row: Pick<Selectable<StoreSchema["outbox"]>, "id" | "body" | "chat_id">): number | undefined {
    try {
      return this.#open(row).askerId;
    } catch (error) {
      if (error instanceof SealBrokenError) return undefined;
      throw error;
    }
  }

  #row({ chatId, threadId, ...body }: Outgoing, rank: number): Insertable<StoreSchema["outbox"]> {
    const id = randomUUID();
    const now = this.#now();
    return {
      id,
      rank,
      chat_id: chatId,
      thread_id: threadId,
      body: this.#sealer.seal(JSON.stringify(body), cell(chatId, id)),
      attempts: 0,
      due_at: now,
      expires_at: now + this.#keepMs,
    };
  }
}

const cell = (chatId: number, id: string) => ["outbox", "body", chatId, id] as const;
