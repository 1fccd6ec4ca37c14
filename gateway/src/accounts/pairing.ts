import { randomBytes } from "node:crypto";
import { BombyxError } from "@bombyx/protocol/wire";
import type { Kysely, Selectable } from "kysely";
import type { StoreSchema } from "../store/schema.ts";
import type { NodeIdentity, NodeRecord, PairingCode } from "./accounts.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { hashSecret } from "./secret.ts";

const domain = "pairing";
/** Crockford's base 32: no letter that looks like a digit. Twelve of them are 60 bits. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const codeCharacters = 12;
const codeMs = 15 * 60_000;
/** The name under which tries of everybody together are counted. */
const everybody = "*";

/** Pairing codes, and the nodes that were bound to their owners by them. */
export class Pairing {
  readonly #db: Kysely<StoreSchema>;
  readonly #tries: RateLimiter;
  readonly #allTries: RateLimiter;
  readonly #now: () => number;

  /** @param tries failed tries by address; `allTries`: of everybody. */
  constructor(
    db: Kysely<StoreSchema>,
    { tries, allTries, now }: { tries: RateLimiter; allTries: RateLimiter; now: () => number },
  ) {
    this.#db = db;
    this.#tries = tries;
    this.#allTries = allTries;
    this.#now = now;
  }

  async createCode(owner: string, validForMs: number = codeMs): Promise<PairingCode> {
    const now = this.#now();
    const characters = [...randomBytes(codeCharacters)].map((byte) => alphabet[byte % alphabet.length]);
    const code = characters.join("");
    const expiresAt = now + validForMs;
    await this.#db.deleteFrom("pairing_codes").where("expires_at", "<=", BigInt(now)).execute();
    await this.#db
      .insertInto("pairing_codes")
      .values({ hash: hashSecret(domain, code), owner, expires_at: BigInt(expiresAt) })
      .execute();
    return { code: code.replace(/.{4}(?=.)/g, "$&-"), owner, expiresAt };
  }

  async pair({
    node,
    linkPk,
    payout,
    code,
    from,
  }: NodeIdentity & { code: string; from: string }): Promise<NodeRecord> {
    const known = await this.find(node);
    if (known !== undefined) return known;
    this.#tries.take(from);
    this.#allTries.take(everybody);
    const pairedAt = this.#now();
    const owner = await this.#db.transaction().execute(async (transaction) => {
      const spent = await transaction
        .deleteFrom("pairing_codes")
        .where("hash", "=", hashSecret(domain, asTyped(code)))
        .where("expires_at", ">", BigInt(pairedAt))
        .returning("owner")
        .executeTakeFirst();
      if (spent === undefined) {
        throw new BombyxError(
          "PAIRING_INVALID",
          "The pairing code is unknown, spent or too old: ask for a new one.",
          { field: "pairingCode" },
        );
      }
      await transaction
        .insertInto("nodes")
        .values({ node, link_pk: linkPk, payout, owner: spent.owner, paired_at: BigInt(pairedAt) })
        .execute();
      return spent.owner;
    });
    // Only tries that failed count: an owner may pair a whole rack.
    this.#tries.giveBack(from);
    this.#allTries.giveBack(everybody);
    return { node, linkPk, payout, owner, pairedAt };
  }

  async find(node: string): Promise<NodeRecord | undefined> {
    const row = await this.#db.selectFrom("nodes").selectAll().where("node", "=", node).executeTakeFirst();
    return row && recordOf(row);
  }

  async nodesOf(owner: string): Promise<readonly NodeRecord[]> {
    const rows = await this.#db
      .selectFrom("nodes")
      .selectAll()
      .where("owner", "=", owner)
      .orderBy("paired_at")
      .orderBy("node")
      .execute();
    return rows.map(recordOf);
  }
}

/** A code as people type it: any case, with or without hyphens, O for 0, I or L for 1. */
const asTyped = (code: string): string =>
  code
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, "")
    .replace(/O/g, "0")
    .replace(/[IL]/g, "1");

const recordOf = (row: Selectable<StoreSchema["nodes"]>): NodeRecord => ({
  node: row.node,
  linkPk: row.link_pk,
  payout: row.payout,
  owner: row.owner,
  pairedAt: Number(row.paired_at),
});
