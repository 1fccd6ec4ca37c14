import type { Update } from "grammy/types";
import type { Kysely } from "kysely";
import { isPayment } from "../money/is-payment.ts";
import type { StoreSchema } from "./schema.ts";
import { SealBrokenError, type Sealer } from "./sealer.ts";

/** An update that is stored and not handled yet. */
export interface PendingUpdate {
  readonly update: Update;
  /** How often its handling began. */
  readonly attempts: number;
  readonly receivedAt: number;
  /** Not before. */
  readonly dueAt: number;
}

/** Updates on the disk before Telegram is told that they arrived: none is handled twice, none is lost by a crash. */
export class Updates {
  readonly #db: Kysely<StoreSchema>;
  readonly #sealer: Sealer;
  readonly #now: () => number;

  constructor(db: Kysely<StoreSchema>, sealer: Sealer, now: () => number) {
    this.#db = db;
    this.#sealer = sealer;
    this.#now = now;
  }

  /** Stores those not seen before, in one commit. @returns them. */
  async accept(updates: readonly Update[]): Promise<Update[]> {
    if (updates.length === 0) return [];
    const now = this.#now();
    const inserted = await this.#db
      .insertInto("updates")
      .values(
        updates.map((update) => ({
          update_id: update.update_id,
          body: this.#sealer.seal(JSON.stringify(update), place(update.update_id)),
          attempts: 0,
          due_at: now,
          received_at: now,
        })),
      )
      .onConflict((conflict) => conflict.column("update_id").doNothing())
      .returning("update_id")
      .execute();
    const fresh = new Set(inserted.map((row) => row.update_id));
    return updates.filter(({ update_id }) => fresh.has(update_id));
  }

  /** Handling begins. @returns how often it has, this time included; undefined when it was handled or erased. */
  async begin(updateId: number): Promise<number | undefined> {
    const row = await this.#db
      .updateTable("updates")
      .set((row) => ({ attempts: row("attempts", "+", 1) }))
      .where("update_id", "=", updateId)
      .where("body", "is not", null)
      .returning("attempts")
      .executeTakeFirst();
    return row?.attempts;
  }

  /** Erases updates that came before `updateId` and still wait: they are not handled any more. Payments stay. */
  async eraseBefore(updateId: number, isMeant: (update: Update) => boolean): Promise<void> {
    for (const { update } of await this.pending()) {
      if (update.update_id < updateId && !isPayment(update) && isMeant(update))
        await this.done(update.update_id);
    }
  }

  /** Handled: its words are erased, its number is remembered. */
  async done(updateId: number): Promise<void> {
    await this.#db.updateTable("updates").set({ body: null }).where("update_id", "=", updateId).execute();
  }

  /** To be handled again, not before `dueAt`. */
  async defer(updateId: number, dueAt: number): Promise<void> {
    await this.#db.updateTable("updates").set({ due_at: dueAt }).where("update_id", "=", updateId).execute();
  }

  /** What an earlier run of the bot left unhandled, oldest first. */
  async pending(): Promise<PendingUpdate[]> {
    const rows = await this.#db
      .selectFrom("updates")
      .selectAll()
      .where("body", "is not", null)
      .orderBy("update_id")
      .execute();
    const pending: PendingUpdate[] = [];
    for (const { update_id, body, attempts, received_at, due_at } of rows) {
      try {
        const update = JSON.parse(this.#sealer.open(body ?? new Uint8Array(), place(update_id))) as Update;
        pending.push({ update, attempts, receivedAt: received_at, dueAt: due_at });
      } catch (error) {
        if (!(error instanceof SealBrokenError)) throw error;
        // Somebody put it there; nobody can say what it was, and it must not stop every start.
        await this.done(update_id);
      }
    }
    return pending;
  }
}

const place = (updateId: number) => ["updates", "body", updateId] as const;
