import { randomBytes } from "node:crypto";
import { BombyxError } from "@bombyx/protocol/wire";
import type { Kysely, Selectable } from "kysely";
import type { Store } from "../store/open-store.ts";
import { type Prepared, prepare } from "../store/prepared.ts";
import type { StoreSchema } from "../store/schema.ts";
import type { ApiKeyInfo, IssuedKey } from "./accounts.ts";
import { hashSecret, newSecret, sameHash } from "./secret.ts";

/** `bx_` and eight characters: 48 of the key's 256 bits. */
const prefixCharacters = 11;
const domain = "api-key";
export const apiKeyKind = "bx";

/** Developers' keys and their bots' keys: hashed at rest, shown once, revocable. */
export class ApiKeys {
  readonly #db: Kysely<StoreSchema>;
  readonly #now: () => number;
  /** Asked with every request. */
  readonly #valid: Prepared<{ prefix: string }, Selectable<StoreSchema["api_keys"]>>;

  constructor({ db, database }: Pick<Store, "db" | "database">, now: () => number) {
    this.#db = db;
    this.#now = now;
    this.#valid = prepare<{ prefix: string }>()(database, ($) =>
      db.selectFrom("api_keys").selectAll().where("prefix", "=", $("prefix")).where("revoked_at", "is", null),
    );
  }

  async create(developer: string, label: string, botId?: number): Promise<IssuedKey> {
    const key = newSecret(apiKeyKind);
    const row = {
      id: randomBytes(8).toString("hex"),
      prefix: key.slice(0, prefixCharacters),
      hash: hashSecret(domain, key),
      developer,
      label,
      bot_id: botId === undefined ? null : BigInt(botId),
      created_at: BigInt(this.#now()),
      revoked_at: null,
    };
    await this.#db.insertInto("api_keys").values(row).execute();
    return { ...infoOf(row), key };
  }

  /** The key that `secret` is, unless it was revoked. */
  find(secret: string): ApiKeyInfo | undefined {
    const rows = this.#valid.all({ prefix: secret.slice(0, prefixCharacters) });
    const hash = hashSecret(domain, secret);
    const row = rows.find((candidate) => sameHash(candidate.hash, hash));
    return row && infoOf(row);
  }

  async list(developer?: string): Promise<readonly ApiKeyInfo[]> {
    let query = this.#db.selectFrom("api_keys").selectAll().orderBy("created_at").orderBy("id");
    if (developer !== undefined) query = query.where("developer", "=", developer);
    return (await query.execute()).map(infoOf);
  }

  async revoke(id: string): Promise<void> {
    const { numUpdatedRows } = await this.#db
      .updateTable("api_keys")
      .set((row) => ({ revoked_at: row.fn.coalesce("revoked_at", row.val(BigInt(this.#now()))) }))
      .where("id", "=", id)
      .executeTakeFirst();
    if (numUpdatedRows === 0n) {
      throw new BombyxError("NOT_FOUND", `There is no API key with the id ${id}.`, { field: "id" });
    }
  }
}

const infoOf = (row: Selectable<StoreSchema["api_keys"]>): ApiKeyInfo => ({
  id: row.id,
  prefix: row.prefix,
  developer: row.developer,
  label: row.label,
  ...(row.bot_id !== null && { botId: Number(row.bot_id) }),
  createdAt: Number(row.created_at),
  ...(row.revoked_at !== null && { revokedAt: Number(row.revoked_at) }),
});
