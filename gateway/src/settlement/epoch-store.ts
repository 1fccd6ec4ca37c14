import { randomBytes } from "node:crypto";
import { type EpochRootJson, epochRootSchema } from "@bombyx/protocol/wire";
import type { Kysely, Selectable } from "kysely";
import type { EpochsTable, StoreSchema } from "../store/schema.ts";

export type EpochState = EpochsTable["state"];

/** One number of the vault's, and what became of it. */
export interface EpochRecord {
  readonly epoch: number;
  readonly state: EpochState;
  readonly root: EpochRootJson;
  readonly snapshotAt: number;
  /** Since when the chain has it pending, by the chain's clock. */
  readonly sinceAt: number | null;
  readonly note: string | null;
}

/** Epochs and the clients' salts, kept; every promise resolves when it is on the disk. */
export class EpochStore {
  readonly #db: Kysely<StoreSchema>;

  constructor(db: Kysely<StoreSchema>) {
    this.#db = db;
  }

  /** The highest number that was ever used. */
  async last(): Promise<EpochRecord | undefined> {
    const row = await this.#db
      .selectFrom("epochs")
      .selectAll()
      .orderBy("epoch", "desc")
      .limit(1)
      .executeTakeFirst();
    return row && recordOf(row);
  }

  /** The last one that became final. */
  async lastFinal(): Promise<EpochRecord | undefined> {
    const row = await this.#db
      .selectFrom("epochs")
      .selectAll()
      .where("state", "=", "final")
      .orderBy("epoch", "desc")
      .limit(1)
      .executeTakeFirst();
    return row && recordOf(row);
  }

  async add({ epoch, root, snapshotAt }: Pick<EpochRecord, "epoch" | "root" | "snapshotAt">): Promise<void> {
    await this.#db
      .insertInto("epochs")
      .values({
        epoch: BigInt(epoch),
        state: "built",
        root: JSON.stringify(root),
        snapshot_at: BigInt(snapshotAt),
        since_at: null,
        note: null,
      })
      .execute();
  }

  async move(
    epoch: number,
    state: EpochState,
    detail: { sinceAt?: number; note?: string } = {},
  ): Promise<void> {
    await this.#db
      .updateTable("epochs")
      .set({
        state,
        ...(detail.sinceAt !== undefined && { since_at: BigInt(detail.sinceAt) }),
        ...(detail.note !== undefined && { note: detail.note }),
      })
      .where("epoch", "=", BigInt(epoch))
      .execute();
  }

  /** Each account's salt; made when it is asked for first, and then for ever the same. */
  async salts(accounts: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#db.selectFrom("client_salts").selectAll().execute();
    const salts = new Map(rows.map(({ account, salt }) => [account, salt]));
    const fresh = accounts
      .filter((account) => !salts.has(account))
      .map((account) => ({ account, salt: randomBytes(32).toString("hex") }));
    for (let from = 0; from < fresh.length; from += insertRows) {
      await this.#db
        .insertInto("client_salts")
        .values(fresh.slice(from, from + insertRows))
        .execute();
    }
    for (const { account, salt } of fresh) salts.set(account, salt);
    return salts;
  }

  /** Payout address of every node, by id. */
  async payouts(): Promise<ReadonlyMap<string, string>> {
    const rows = await this.#db.selectFrom("nodes").select(["node", "payout"]).execute();
    return new Map(rows.map(({ node, payout }) => [node, payout]));
  }
}

/** Rows that one statement writes. */
const insertRows = 500;

const recordOf = (row: Selectable<EpochsTable>): EpochRecord => ({
  epoch: Number(row.epoch),
  state: row.state,
  root: epochRootSchema.parse(JSON.parse(row.root)),
  snapshotAt: Number(row.snapshot_at),
  sinceAt: row.since_at === null ? null : Number(row.since_at),
  note: row.note,
});
