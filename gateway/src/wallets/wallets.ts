import { randomBytes } from "node:crypto";
import {
  BombyxError,
  type ProvenWallet,
  type WalletChallenge,
  type WalletProof,
  walletChallengeMs,
} from "@bombyx/protocol/wire";
import type { Kysely } from "kysely";
import { hashSecret } from "../accounts/secret.ts";
import type { StoreSchema } from "../store/schema.ts";
import { type ProofTerms, unknownChallenge, verifyTonProof } from "./ton-proof.ts";

/** Open challenges of one account; an older one ends. */
const challengesKept = 4;
const domain = "wallet-challenge";

/** Which wallet belongs to which account, by the wallet's own signature. */
export class Wallets {
  readonly #db: Kysely<StoreSchema>;
  readonly #terms: Pick<ProofTerms, "globalId" | "domains" | "publicKeyOnChain">;
  readonly #now: () => number;

  constructor(
    db: Kysely<StoreSchema>,
    terms: Pick<ProofTerms, "globalId" | "domains" | "publicKeyOnChain">,
    now: () => number,
  ) {
    this.#db = db;
    this.#terms = terms;
    this.#now = now;
  }

  /** What the account's wallet signs next; only its hash is kept. */
  async challenge(account: string): Promise<WalletChallenge> {
    const payload = randomBytes(32).toString("hex");
    const now = this.#now();
    const expiresAt = now + walletChallengeMs;
    await this.#db.transaction().execute(async (db) => {
      await db.deleteFrom("wallet_challenges").where("expires_at", "<=", BigInt(now)).execute();
      const open = await db
        .selectFrom("wallet_challenges")
        .select("hash")
        .where("account", "=", account)
        .orderBy("expires_at", "desc")
        .offset(challengesKept - 1)
        .limit(challengesKept)
        .execute();
      for (const { hash } of open)
        await db.deleteFrom("wallet_challenges").where("hash", "=", hash).execute();
      await db
        .insertInto("wallet_challenges")
        .values({ hash: hashSecret(domain, payload), account, expires_at: BigInt(expiresAt) })
        .execute();
    });
    return { payload, expiresAt };
  }

  /**
   * Binds the wallet that signed to the account, in place of the one before. The challenge is spent with it, so that
   * of two who show the same proof one is refused.
   * @throws BombyxError whatever {@link verifyTonProof} refuses
   */
  async prove(account: string, shown: WalletProof): Promise<ProvenWallet> {
    const now = this.#now();
    const hash = hashSecret(domain, shown.proof.payload);
    await verifyTonProof(shown, {
      ...this.#terms,
      now,
      isChallenge: async () => {
        const open = await this.#db
          .selectFrom("wallet_challenges")
          .select("expires_at")
          .where("hash", "=", hash)
          .where("account", "=", account)
          .executeTakeFirst();
        return open !== undefined && open.expires_at > BigInt(now);
      },
    });
    const row = { address: shown.address, public_key: shown.publicKey, proven_at: BigInt(now) };
    await this.#db.transaction().execute(async (db) => {
      const { numDeletedRows } = await db
        .deleteFrom("wallet_challenges")
        .where("hash", "=", hash)
        .where("account", "=", account)
        .executeTakeFirst();
      if (numDeletedRows !== 1n) throw unknownChallenge();
      await db
        .insertInto("wallets")
        .values({ account, ...row })
        .onConflict((conflict) => conflict.column("account").doUpdateSet(row))
        .execute();
    });
    return { address: shown.address, provenAt: now };
  }

  /** @returns `undefined` when the account has proven none. */
  async of(account: string): Promise<ProvenWallet | undefined> {
    const row = await this.#db
      .selectFrom("wallets")
      .select(["address", "proven_at"])
      .where("account", "=", account)
      .executeTakeFirst();
    return row && { address: row.address, provenAt: Number(row.proven_at) };
  }

  /** Forgets the wallet; what its contracts hold stays its own. @throws BombyxError NOT_FOUND */
  async forget(account: string): Promise<void> {
    const { numDeletedRows } = await this.#db
      .deleteFrom("wallets")
      .where("account", "=", account)
      .executeTakeFirst();
    if (numDeletedRows === 0n) throw new BombyxError("NOT_FOUND", "This account has no wallet.");
  }
}
