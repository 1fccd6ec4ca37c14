import type { KeyObject } from "node:crypto";
import { BombyxError } from "@bombyx/protocol/wire";
import type { Kysely } from "kysely";
import { sponsorAccount } from "../ledger/money.ts";
import type { StoreSchema } from "../store/schema.ts";
import type { IssuedToken, Principal } from "./accounts.ts";
import { userOfInitData } from "./init-data.ts";
import { personAccount } from "./names.ts";
import { hashSecret, newSecret } from "./secret.ts";

const domain = "person-token";
export const personTokenKind = "bt";
const tokenMs = 15 * 60_000;

/** Registered bots and the people who talk to them. */
export class Persons {
  readonly #db: Kysely<StoreSchema>;
  readonly #initDataKeys: readonly KeyObject[];
  readonly #now: () => number;

  constructor(db: Kysely<StoreSchema>, initDataKeys: readonly KeyObject[], now: () => number) {
    this.#db = db;
    this.#initDataKeys = initDataKeys;
    this.#now = now;
  }

  async registerBot(developer: string, botId: number): Promise<void> {
    const inserted = await this.#db
      .insertInto("bots")
      .values({ bot_id: BigInt(botId), developer, registered_at: BigInt(this.#now()) })
      .onConflict((conflict) => conflict.column("bot_id").doNothing())
      .executeTakeFirst();
    if (inserted.numInsertedOrUpdatedRows === 0n && (await this.developerOf(botId)) !== developer) {
      throw new BombyxError("FORBIDDEN", `Bot ${botId} is registered by another developer.`, {
        field: "botId",
      });
    }
  }

  /** @throws BombyxError BOT_NOT_REGISTERED. */
  async developerOf(botId: number): Promise<string> {
    const row = await this.#db
      .selectFrom("bots")
      .select("developer")
      .where("bot_id", "=", BigInt(botId))
      .executeTakeFirst();
    if (row === undefined) {
      throw new BombyxError("BOT_NOT_REGISTERED", `Bot ${botId} is not registered with this gateway.`, {
        field: "botId",
      });
    }
    return row.developer;
  }

  async issueToken(botId: number, initData: string): Promise<IssuedToken> {
    await this.developerOf(botId);
    const now = this.#now();
    const userId = userOfInitData(initData, { botId, keys: this.#initDataKeys, now });
    const token = newSecret(personTokenKind);
    const expiresAt = now + tokenMs;
    await this.#db.deleteFrom("person_tokens").where("expires_at", "<=", BigInt(now)).execute();
    await this.#db
      .insertInto("person_tokens")
      .values({
        hash: hashSecret(domain, token),
        bot_id: BigInt(botId),
        user_id: BigInt(userId),
        expires_at: BigInt(expiresAt),
      })
      .execute();
    return { token, expiresAt, account: personAccount(botId, userId) };
  }

  /** Whose token this is, while it lasts. The way to the row is the token's hash: its timing tells nothing of use. */
  async findToken(token: string): Promise<Principal | undefined> {
    const row = await this.#db
      .selectFrom("person_tokens")
      .select(["bot_id", "user_id", "expires_at"])
      .where("hash", "=", hashSecret(domain, token))
      .where("expires_at", ">", BigInt(this.#now()))
      .executeTakeFirst();
    if (!row) return undefined;
    const person = await this.person(Number(row.bot_id), Number(row.user_id), "person");
    return { ...person, expiresAt: Number(row.expires_at) };
  }

  /** One account for a person, whichever door they came through. */
  async person(botId: number, userId: number, kind: "person" | "bot"): Promise<Principal> {
    const developer = await this.developerOf(botId);
    const payer = sponsorAccount(developer);
    return { account: personAccount(botId, userId), payer, developer, kind, person: { botId, userId } };
  }
}
