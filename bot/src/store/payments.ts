import type { Kysely, Selectable } from "kysely";
import type { Language } from "../texts/texts.ts";
import type { StoreSchema } from "./schema.ts";

export type PaymentState = StoreSchema["payments"]["state"];

/** One payment in Stars. */
export interface Payment {
  readonly chargeId: string;
  readonly userId: number;
  readonly stars: number;
  readonly payload: string;
  readonly language: Language;
  readonly state: PaymentState;
  readonly at: number;
}

/**
 * Payments by their charge id, for as long as the bot is kept: `paid` (Telegram has the Stars), `credited` (the gateway
 * has moved the credit), `refunding`, `refunded`. A state never goes back.
 */
export class Payments {
  readonly #db: Kysely<StoreSchema>;
  readonly #now: () => number;

  constructor(db: Kysely<StoreSchema>, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** Keeps a payment that is not known yet. */
  async add(payment: Omit<Payment, "at">): Promise<void> {
    const { chargeId, userId, stars, payload, language, state } = payment;
    await this.#db
      .insertInto("payments")
      .values({ charge_id: chargeId, user_id: userId, stars, payload, language, state, at: this.#now() })
      .onConflict((conflict) => conflict.column("charge_id").doNothing())
      .execute();
  }

  /** @returns whether it was in one of the states `from`, and is in `to` now. */
  async move(chargeId: string, from: readonly PaymentState[], to: PaymentState): Promise<boolean> {
    const row = await this.#db
      .updateTable("payments")
      .set({ state: to })
      .where("charge_id", "=", chargeId)
      .where("state", "in", from)
      .returning("charge_id")
      .executeTakeFirst();
    return row !== undefined;
  }

  async find(chargeId: string): Promise<Payment | undefined> {
    const row = await this.#db
      .selectFrom("payments")
      .selectAll()
      .where("charge_id", "=", chargeId)
      .executeTakeFirst();
    return row && paymentOf(row);
  }

  /** Newest first. */
  async of(userId: number, most: number): Promise<Payment[]> {
    const rows = await this.#db
      .selectFrom("payments")
      .selectAll()
      .where("user_id", "=", userId)
      .orderBy("at", "desc")
      .limit(most)
      .execute();
    return rows.map(paymentOf);
  }

  /** A short name for a button. */
  async numberOf(chargeId: string): Promise<number | undefined> {
    const row = await this.#db
      .selectFrom("payments")
      .select("seq")
      .where("charge_id", "=", chargeId)
      .executeTakeFirst();
    return row?.seq;
  }

  async byNumber(seq: number): Promise<Payment | undefined> {
    const row = await this.#db.selectFrom("payments").selectAll().where("seq", "=", seq).executeTakeFirst();
    return row && paymentOf(row);
  }

  /** What is not at its end yet, oldest first. */
  async unfinished(): Promise<Payment[]> {
    const rows = await this.#db
      .selectFrom("payments")
      .selectAll()
      .where("state", "in", ["paid", "refunding"])
      .orderBy("at")
      .execute();
    return rows.map(paymentOf);
  }
}

const paymentOf = (row: Selectable<StoreSchema["payments"]>): Payment => ({
  chargeId: row.charge_id,
  userId: row.user_id,
  stars: row.stars,
  payload: row.payload,
  language: row.language === "ru" ? "ru" : "en",
  state: row.state,
  at: row.at,
});
