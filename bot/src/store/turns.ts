import { randomUUID } from "node:crypto";
import type { Kysely, Selectable } from "kysely";
import type { StoreSchema } from "./schema.ts";
import { SealBrokenError, type Sealer } from "./sealer.ts";

/** Where a conversation is held: a chat, or one topic of it (0: no topic). */
export interface Place {
  readonly chatId: number;
  readonly threadId: number;
}

/** A question and, when there is one, its answer. */
export interface Turn extends Place {
  readonly id: string;
  /** Who asked, and whose account pays. */
  readonly userId: number;
  /** Message of the question. */
  readonly questionId: number;
  readonly language: string;
  readonly state: "open" | "answered" | "failed";
  readonly question: string;
  readonly answer?: string;
  readonly placeholderId?: number;
}

/** Conversations, sealed, and gone when their time is over. */
export class Turns {
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

  /** The open turn of this question: the one that an interrupted run left, or a new one. */
  async open(asked: Omit<Turn, "id" | "state" | "answer" | "placeholderId">): Promise<Turn> {
    const found = await this.#db
      .selectFrom("turns")
      .selectAll()
      .where("chat_id", "=", asked.chatId)
      .where("question_id", "=", asked.questionId)
      .executeTakeFirst();
    const earlier = found && this.#read(found);
    if (earlier) return earlier;
    const id = randomUUID();
    await this.#db
      .insertInto("turns")
      .values({
        id,
        chat_id: asked.chatId,
        thread_id: asked.threadId,
        user_id: asked.userId,
        question_id: asked.questionId,
        language: asked.language,
        state: "open",
        question: this.#sealer.seal(asked.question, cell("question", asked.chatId, id)),
        answer: null,
        placeholder_id: null,
        expires_at: this.#now() + this.#keepMs,
      })
      .execute();
    return { ...asked, id, state: "open" };
  }

  async find(id: string): Promise<Turn | undefined> {
    const row = await this.#db.selectFrom("turns").selectAll().where("id", "=", id).executeTakeFirst();
    return row && this.#read(row);
  }

  /** The newest turn of a place, whatever became of it. */
  async last(place: Place): Promise<Turn | undefined> {
    const row = await this.#of(place).orderBy("seq", "desc").limit(1).executeTakeFirst();
    return row && this.#read(row);
  }

  /** Answered turns before this one, newest first, at most `limit`. */
  async before(turn: Turn, limit: number): Promise<Turn[]> {
    const rows = await this.#of(turn)
      .where("state", "=", "answered")
      .where("seq", "<", (query) => query.selectFrom("turns").select("seq").where("id", "=", turn.id))
      .orderBy("seq", "desc")
      .limit(limit)
      .execute();
    return rows.flatMap((row) => this.#read(row) ?? []);
  }

  async reopen(id: string): Promise<void> {
    await this.#db
      .updateTable("turns")
      .set({ state: "open", placeholder_id: null })
      .where("id", "=", id)
      .execute();
  }

  async placed(id: string, placeholderId: number | null): Promise<void> {
    await this.#db.updateTable("turns").set({ placeholder_id: placeholderId }).where("id", "=", id).execute();
  }

  /** @param answer undefined when there is none: the turn stays out of the history and can be retried. */
  async close(turn: Turn, answer: string | undefined): Promise<void> {
    await this.#db
      .updateTable("turns")
      .set({
        state: answer === undefined ? "failed" : "answered",
        answer: answer === undefined ? null : this.#sealer.seal(answer, cell("answer", turn.chatId, turn.id)),
        expires_at: this.#now() + this.#keepMs,
      })
      .where("id", "=", turn.id)
      .execute();
  }

  /**
   * Erases a conversation, or what one person asked in it and the answers to that.
   * @returns how many turns that was.
   */
  async erase(place: Place, userId?: number): Promise<number> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("turns")
      .where("chat_id", "=", place.chatId)
      .where("thread_id", "=", place.threadId)
      .$if(userId !== undefined, (query) => query.where("user_id", "=", userId ?? 0))
      .executeTakeFirst();
    return Number(numDeletedRows);
  }

  #of({ chatId, threadId }: Place) {
    return this.#db
      .selectFrom("turns")
      .selectAll()
      .where("chat_id", "=", chatId)
      .where("thread_id", "=", threadId);
  }

  #read(row: Selectable<StoreSchema["turns"]>): Turn | undefined {
    try {
      return {
        id: row.id,
        chatId: row.chat_id,
        threadId: row.thread_id,
        userId: row.user_id,
        questionId: row.question_id,
        language: row.language,
        state: row.state,
        question: this.#sealer.open(row.question, cell("question", row.chat_id, row.id)),
        ...(row.answer !== null && {
          answer: this.#sealer.open(row.answer, cell("answer", row.chat_id, row.id)),
        }),
        ...(row.placeholder_id !== null && { placeholderId: row.placeholder_id }),
      };
    } catch (error) {
      // A row that somebody put there is no memory of ours.
      if (error instanceof SealBrokenError) return undefined;
      throw error;
    }
  }
}

const cell = (column: "question" | "answer", chatId: number, id: string) =>
  ["turns", column, chatId, id] as const;
