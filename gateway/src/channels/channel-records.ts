import type { ChannelState } from "@bombyx/protocol/wire";
import type { Kysely, Selectable } from "kysely";
import type { Place } from "../chain/ton-endpoints.ts";
import type { StoreSchema } from "../store/schema.ts";
import type { ChannelHistory } from "./channel-history.ts";

/** A channel that an account pays by, as the chain was last seen. */
export interface ChannelRecord {
  readonly address: string;
  readonly owner: string;
  readonly salt: string;
  account: string;
  registeredAt: number;
  provenKey: string;
  /** The chain had the proven key: the account is the channel's. */
  proven: boolean;
  state: ChannelState;
  voucherKey: string | null;
  previousKey: { readonly key: string; readonly untilAt: number } | null;
  closesAt: number | null;
  /** Up to which transaction `history` goes. */
  cursor: Place | null;
  history: ChannelHistory;
}

/** Channels in memory, because every request asks who pays it, and in the store behind it. */
export class ChannelRecords {
  readonly #db: Kysely<StoreSchema>;
  readonly #records = new Map<string, ChannelRecord>();

  private constructor(db: Kysely<StoreSchema>) {
    this.#db = db;
  }

  static async open(db: Kysely<StoreSchema>): Promise<ChannelRecords> {
    const records = new ChannelRecords(db);
    const rows = await db.selectFrom("channels").selectAll().orderBy("registered_at").execute();
    for (const row of rows) records.#records.set(row.address, recordOf(row));
    return records;
  }

  get(address: string): ChannelRecord | undefined {
    return this.#records.get(address);
  }

  all(): ChannelRecord[] {
    return [...this.#records.values()];
  }

  /** Newest first. */
  of(account: string): ChannelRecord[] {
    return this.all()
      .filter((record) => record.account === account)
      .sort((a, b) => b.registeredAt - a.registeredAt);
  }

  /** Resolves when it is on the disk. */
  async keep(record: ChannelRecord): Promise<void> {
    const row = rowOf(record);
    await this.#db
      .insertInto("channels")
      .values(row)
      .onConflict((conflict) => conflict.column("address").doUpdateSet(row))
      .execute();
    this.#records.set(record.address, record);
  }

  async forget(address: string): Promise<void> {
    await this.#db.deleteFrom("channels").where("address", "=", address).execute();
    this.#records.delete(address);
  }
}

type Row = StoreSchema["channels"];

const recordOf = (row: Selectable<Row>): ChannelRecord => ({
  address: row.address,
  owner: row.owner,
  salt: row.salt,
  account: row.account,
  registeredAt: Number(row.registered_at),
  provenKey: row.proven_key,
  proven: row.proven === 1n,
  state: row.state,
  voucherKey: row.voucher_key,
  previousKey:
    row.previous_key === null ? null : { key: row.previous_key, untilAt: Number(row.previous_until) },
  closesAt: row.closes_at === null ? null : Number(row.closes_at),
  cursor: row.lt === null || row.hash === null ? null : { lt: row.lt, hash: row.hash },
  history: {
    balanceNano: row.balance_nano,
    redeemedNano: row.redeemed_nano,
    depositNano: row.deposit_nano,
  },
});

const rowOf = (record: ChannelRecord): Row => ({
  address: record.address,
  owner: record.owner,
  salt: record.salt,
  account: record.account,
  registered_at: BigInt(record.registeredAt),
  proven_key: record.provenKey,
  proven: record.proven ? 1n : 0n,
  state: record.state,
  voucher_key: record.voucherKey,
  previous_key: record.previousKey?.key ?? null,
  previous_until: BigInt(record.previousKey?.untilAt ?? 0),
  closes_at: record.closesAt === null ? null : BigInt(record.closesAt),
  lt: record.cursor?.lt ?? null,
  hash: record.cursor?.hash ?? null,
  balance_nano: record.history.balanceNano,
  redeemed_nano: record.history.redeemedNano,
  deposit_nano: record.history.depositNano,
});
