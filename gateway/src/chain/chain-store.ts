import type { Address } from "@ton/core";
import type { Kysely, Selectable } from "kysely";
import type { StoreSchema } from "../store/schema.ts";
import type { OrderBook, SignedOrder } from "./operator-wallet.ts";
import type { Place } from "./ton-endpoints.ts";

/** What the gateway remembers of the chain between two starts: how far accounts were read, what wallets signed. */
export class ChainStore {
  readonly #db: Kysely<StoreSchema>;

  constructor(db: Kysely<StoreSchema>) {
    this.#db = db;
  }

  /** For an `AccountWatcher`; null for an account that was never read. */
  async cursor(address: Address): Promise<Place | null> {
    const row = await this.#db
      .selectFrom("chain_cursors")
      .select(["lt", "hash"])
      .where("address", "=", address.toRawString())
      .executeTakeFirst();
    return row ?? null;
  }

  async keepCursor(address: Address, { lt, hash }: Place): Promise<void> {
    await this.#db
      .insertInto("chain_cursors")
      .values({ address: address.toRawString(), lt, hash })
      .onConflict((conflict) => conflict.column("address").doUpdateSet({ lt, hash }))
      .execute();
  }

  get orders(): OrderBook {
    const db = this.#db;
    return {
      find: async (wallet, id) => {
        const row = await db
          .selectFrom("wallet_orders")
          .selectAll()
          .where("wallet", "=", wallet)
          .where("id", "=", id)
          .executeTakeFirst();
        return row && orderOf(row);
      },
      underWay: async (wallet) => {
        const row = await db
          .selectFrom("wallet_orders")
          .selectAll()
          .where("wallet", "=", wallet)
          .where("state", "=", "sent")
          .executeTakeFirst();
        return row && orderOf(row);
      },
      keep: async (wallet, { id, seqno, boc, hash, validUntilAt, state }) => {
        const rest = { seqno: BigInt(seqno), boc, hash, valid_until: BigInt(validUntilAt), state };
        await db
          .insertInto("wallet_orders")
          .values({ wallet, id, ...rest })
          .onConflict((conflict) => conflict.columns(["wallet", "id"]).doUpdateSet(rest))
          .execute();
      },
    };
  }
}

const orderOf = (row: Selectable<StoreSchema["wallet_orders"]>): SignedOrder => ({
  id: row.id,
  seqno: Number(row.seqno),
  boc: row.boc,
  hash: row.hash,
  validUntilAt: Number(row.valid_until),
  state: row.state,
});
