import type { AccountEvent } from "@bombyx/protocol/wire";
import type { Kysely, Selectable } from "kysely";
import type { Log } from "../log.ts";
import type { StoreSchema } from "../store/schema.ts";

const keptMs = 7 * 24 * 3_600_000;
/** Rows that one page reads. */
const pageRows = 200;
/** Rows that one statement writes. */
const insertRows = 500;
const gatherMs = 50;

type NewEvent = Omit<AccountEvent, "id">;

/** Whose events: one account, or every person of one bot. */
export type Audience = { readonly account: string } | { readonly botId: number };

/** What happened to an account's machines: kept for a week, told to whoever listens now. */
export class EventLog {
  readonly #db: Kysely<StoreSchema>;
  readonly #now: () => number;
  readonly #log: Pick<Log, "error">;
  readonly #listeners = new Map<(event: AccountEvent) => void, Audience>();
  #waiting: NewEvent[] = [];
  #timer: NodeJS.Timeout | undefined;
  /** One after the other, so that listeners hear events in the order of their ids. */
  #last: Promise<void> = Promise.resolve();

  constructor(db: Kysely<StoreSchema>, now: () => number, log: Pick<Log, "error">) {
    this.#db = db;
    this.#now = now;
    this.#log = log;
  }

  /** Keeps the event, then tells it; what comes within a moment is one commit, because a whole fleet may come back at once. */
  add(event: Omit<AccountEvent, "id" | "at">): void {
    this.#waiting.push({ ...event, at: this.#now() });
    this.#timer ??= setTimeout(() => this.#flush(), gatherMs);
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#last = this.#last
      .then(() => this.#keep(waiting))
      .catch((error: unknown) => this.#log.error({ err: error }, "events were not kept"));
  }

  async #keep(waiting: readonly NewEvent[]): Promise<void> {
    for (let from = 0; from < waiting.length; from += insertRows) {
      const batch = waiting.slice(from, from + insertRows);
      const rows = batch.map((event) => ({ ...event, at: BigInt(event.at) }));
      const ids = await this.#db.insertInto("events").values(rows).returning("id").execute();
      for (const [at, event] of batch.entries()) {
        const kept: AccountEvent = { id: Number(ids[at]?.id), ...event };
        for (const [listener, audience] of this.#listeners) if (isFor(kept, audience)) listener(kept);
      }
    }
  }

  /** Events with an id above `after`, oldest first, at most 200. */
  async after(after: number, audience: Audience): Promise<readonly AccountEvent[]> {
    const from = this.#db.selectFrom("events").selectAll().where("id", ">", BigInt(after));
    const whose =
      "account" in audience
        ? from.where("account", "=", audience.account)
        : // A range, not LIKE: the index is by account.
          from
            .where("account", ">=", `person:${audience.botId}:`)
            .where("account", "<", `person:${audience.botId};`);
    const rows = await whose.orderBy("id").limit(pageRows).execute();
    return rows.map(eventOf);
  }

  /** Whether an event of this type is kept of the account. */
  async has(account: string, type: AccountEvent["type"]): Promise<boolean> {
    const row = await this.#db
      .selectFrom("events")
      .select("id")
      .where("account", "=", account)
      .where("type", "=", type)
      .limit(1)
      .executeTakeFirst();
    return row !== undefined;
  }

  /** @returns stops it. */
  listen(audience: Audience, listener: (event: AccountEvent) => void): () => void {
    this.#listeners.set(listener, audience);
    return () => void this.#listeners.delete(listener);
  }

  /** Forgets what is older than a week. @returns how many. */
  async prune(): Promise<number> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("events")
      .where("at", "<", BigInt(this.#now() - keptMs))
      .executeTakeFirst();
    return Number(numDeletedRows);
  }

  /** Resolves when everything that was added is kept. */
  async settled(): Promise<void> {
    this.#flush();
    await this.#last;
  }
}

const isFor = ({ account }: AccountEvent, audience: Audience): boolean =>
  "account" in audience ? account === audience.account : account.startsWith(`person:${audience.botId}:`);

const eventOf = (row: Selectable<StoreSchema["events"]>): AccountEvent => ({
  id: Number(row.id),
  at: Number(row.at),
  type: row.type as AccountEvent["type"],
  account: row.account,
  machine: row.machine,
  node: row.node,
  name: row.name,
  message: row.message,
});
