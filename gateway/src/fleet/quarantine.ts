import type { Kysely } from "kysely";
import type { StoreSchema } from "../store/schema.ts";

export interface Quarantined {
  readonly node: string;
  readonly linkPk: string;
  readonly reason: string;
  readonly at: number;
}

/** Link keys that serve no more. Kept, so that neither a restart nor a new pairing lets one in; only the operator does. */
export class Quarantine {
  readonly #db: Kysely<StoreSchema>;
  readonly #now: () => number;
  /** Being written. */
  readonly #fresh = new Map<string, string>();

  constructor(db: Kysely<StoreSchema>, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** Holds from now on; resolves when it would after a restart, too. */
  async add({ node, linkPk, reason }: Omit<Quarantined, "at">): Promise<void> {
    this.#fresh.set(linkPk, reason);
    await this.#db
      .insertInto("quarantined_keys")
      .values({ link_pk: linkPk, node, reason, at: BigInt(this.#now()) })
      .onConflict((conflict) => conflict.column("link_pk").doNothing())
      .execute();
    this.#fresh.delete(linkPk);
  }

  /** Why this key is kept out; undefined when it is not. */
  async reason(linkPk: string): Promise<string | undefined> {
    const row = await this.#db
      .selectFrom("quarantined_keys")
      .select("reason")
      .where("link_pk", "=", linkPk)
      .executeTakeFirst();
    return row?.reason ?? this.#fresh.get(linkPk);
  }

  /** Oldest first. */
  async all(): Promise<readonly Quarantined[]> {
    const rows = await this.#db.selectFrom("quarantined_keys").selectAll().orderBy("at").execute();
    return rows.map((row) => ({
      node: row.node,
      linkPk: row.link_pk,
      reason: row.reason,
      at: Number(row.at),
    }));
  }

  /** Lets a node's link key in again. @returns whether it was kept out. */
  async lift(node: string): Promise<boolean> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("quarantined_keys")
      .where("node", "=", node)
      .executeTakeFirst();
    return numDeletedRows > 0n;
  }
}
