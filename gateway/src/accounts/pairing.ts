import { randomBytes } from "node:crypto";
import { BombyxError } from "@bombyx/protocol/wire";
import type { Kysely, Transaction } from "kysely";
import type { StoreSchema } from "../store/schema.ts";
import type { NodeIdentity, NodeRecord, PairedNode, PairingCode } from "./accounts.ts";
import type { RateLimiter } from "./rate-limit.ts";
import { hashSecret } from "./secret.ts";

const domain = "pairing";
/** Crockford's base 32: no letter that looks like a digit. Twelve of them are 60 bits. */
const alphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const codeCharacters = 12;
const codeMs = 15 * 60_000;
/** How long it is remembered that a code ended or was spent. */
const rememberedMs = 24 * 3_600_000;
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

  async createCode(
    owner: string,
    { machine, validForMs = codeMs }: { machine?: string | undefined; validForMs?: number | undefined } = {},
    db: Kysely<StoreSchema> = this.#db,
  ): Promise<PairingCode> {
    const now = this.#now();
    const characters = [...randomBytes(codeCharacters)].map((byte) => alphabet[byte % alphabet.length]);
    const code = characters.join("");
    const expiresAt = now + validForMs;
    await db
      .deleteFrom("pairing_codes")
      .where("expires_at", "<=", BigInt(now - rememberedMs))
      .execute();
    if (machine !== undefined) {
      await db
        .updateTable("pairing_codes")
        .set({ expires_at: BigInt(now) })
        .where("machine", "=", machine)
        .where("expires_at", ">", BigInt(now))
        .execute();
    }
    await db
      .insertInto("pairing_codes")
      .values({
        hash: hashSecret(domain, code),
        owner,
        expires_at: BigInt(expiresAt),
        machine: machine ?? null,
        spent_at: null,
      })
      .execute();
    return { code: code.replace(/.{4}(?=.)/g, "$&-"), owner, expiresAt };
  }

  async pair(request: NodeIdentity & { code: string; from: string }): Promise<PairedNode> {
    const { code, from } = request;
    try {
      this.#tries.take(from);
      this.#allTries.take(everybody);
    } catch (error) {
      // Others' guesses keep no node out that is paired already and still carries its old code.
      const known = await this.find(request.node);
      if (known !== undefined && known.removedAt === undefined) return { ...known, fresh: false };
      throw error;
    }
    const paired = await this.#db.transaction().execute((db) => this.#pair(db, request, asTyped(code)));
    // Only tries that failed count: an owner may pair a whole rack, and a node come back with its old command.
    this.#tries.giveBack(from);
    this.#allTries.giveBack(everybody);
    return paired;
  }

  async #pair(
    db: Transaction<StoreSchema>,
    { node, linkPk, payout }: NodeIdentity,
    typed: string,
  ): Promise<PairedNode> {
    const now = BigInt(this.#now());
    const known = await findNode(db, node);
    const bound = known !== undefined && known.removedAt === undefined ? known : undefined;
    const hash = hashSecret(domain, typed);
    const code = await db.selectFrom("pairing_codes").selectAll().where("hash", "=", hash).executeTakeFirst();
    if (code === undefined || code.spent_at !== null || code.expires_at <= now) {
      if (bound) return { ...bound, fresh: false };
      if (known) throw removed();
      throw refused(code);
    }
    if (bound && (code.machine === null || code.machine === bound.machine)) return { ...bound, fresh: false };
    if (bound && bound.owner !== code.owner) {
      throw new BombyxError(
        "ALREADY_USED",
        "This node is paired with another account: remove it there, or start with another --state folder to be a new node.",
        { field: "pairingCode" },
      );
    }
    await db.updateTable("pairing_codes").set({ spent_at: now }).where("hash", "=", hash).execute();
    const former = code.machine === null ? undefined : await nodeOf(db, code.machine);
    if (former !== undefined) {
      await db.updateTable("nodes").set({ removed_at: now }).where("node", "=", former).execute();
    }
    const { owner } = code;
    const row = { link_pk: linkPk, payout, owner, paired_at: now, seen_at: null, removed_at: null };
    await db
      .insertInto("nodes")
      .values({ node, ...row })
      .onConflict((conflict) => conflict.column("node").doUpdateSet(row))
      .execute();
    if (known && known.owner !== owner) {
      // What it served until now is its former owner's business.
      const base = { requests: null, units: null, earned_nano: null };
      await db
        .insertInto("node_bases")
        .values({ node, ...base })
        .onConflict((conflict) => conflict.column("node").doUpdateSet(base))
        .execute();
    }
    await db.updateTable("machines").set({ node: null }).where("node", "=", node).execute();
    if (code.machine !== null) {
      await db.updateTable("machines").set({ node }).where("id", "=", code.machine).execute();
    } else {
      await db
        .insertInto("machines")
        .values({
          id: newMachineId(),
          owner,
          name: null,
          gpu: null,
          vram_mib: null,
          hours_per_day: null,
          registered_at: now,
          node,
        })
        .execute();
    }
    const record = await findNode(db, node);
    if (!record) throw new Error("a node that was just paired is not there");
    return { ...record, fresh: true, ...(former !== undefined && { replaced: former }) };
  }

  find(node: string): Promise<NodeRecord | undefined> {
    return findNode(this.#db, node);
  }

  async nodesOf(owner: string): Promise<readonly NodeRecord[]> {
    const rows = await nodesWithMachines(this.#db)
      .where("nodes.owner", "=", owner)
      .where("nodes.removed_at", "is", null)
      .orderBy("nodes.paired_at")
      .orderBy("nodes.node")
      .execute();
    return rows.map(recordOf);
  }

  async saw(nodes: ReadonlyMap<string, number>): Promise<void> {
    if (nodes.size === 0) return;
    await this.#db.transaction().execute(async (db) => {
      for (const [node, at] of nodes) {
        await db
          .updateTable("nodes")
          .set({ seen_at: BigInt(at) })
          .where("node", "=", node)
          .execute();
      }
    });
  }
}

export const newMachineId = (): string => randomBytes(8).toString("hex");

/** What a node is told that its owner removed. */
export const removed = (): BombyxError =>
  new BombyxError(
    "NODE_REMOVED",
    "The owner removed this machine from the account. Register it again and start with the new pairing code.",
  );

function refused(code: { spent_at: bigint | null } | undefined): BombyxError {
  const field = { field: "pairingCode" };
  if (code === undefined) {
    return new BombyxError(
      "PAIRING_INVALID",
      "The gateway knows no such pairing code: compare it with the one that is shown, or ask for a new one.",
      field,
    );
  }
  if (code.spent_at !== null) {
    return new BombyxError(
      "PAIRING_SPENT",
      "This pairing code has paired another node already: each code is for one node, ask for a new one.",
      field,
    );
  }
  return new BombyxError(
    "PAIRING_EXPIRED",
    "This pairing code has ended (it lasts 15 minutes, and a newer one ends it): ask for a new one.",
    field,
  );
}

async function nodeOf(db: Kysely<StoreSchema>, machine: string): Promise<string | undefined> {
  const row = await db.selectFrom("machines").select("node").where("id", "=", machine).executeTakeFirst();
  return row?.node ?? undefined;
}

const nodesWithMachines = (db: Kysely<StoreSchema>) =>
  db
    .selectFrom("nodes")
    .leftJoin("machines", "machines.node", "nodes.node")
    .select([
      "nodes.node",
      "nodes.link_pk",
      "nodes.payout",
      "nodes.owner",
      "nodes.paired_at",
      "nodes.removed_at",
      "machines.id as machine",
      "machines.name as name",
    ]);

async function findNode(db: Kysely<StoreSchema>, node: string): Promise<NodeRecord | undefined> {
  const row = await nodesWithMachines(db).where("nodes.node", "=", node).executeTakeFirst();
  return row && recordOf(row);
}

/** A code as people type it: any case, with or without hyphens, O for 0, I or L for 1. */
const asTyped = (code: string): string =>
  code
    .toUpperCase()
    .replace(/[^0-9A-Z]/g, "")
    .replace(/O/g, "0")
    .replace(/[IL]/g, "1");

const recordOf = (row: {
  node: string;
  link_pk: string;
  payout: string;
  owner: string;
  paired_at: bigint;
  removed_at: bigint | null;
  machine: string | null;
  name: string | null;
}): NodeRecord => ({
  node: row.node,
  linkPk: row.link_pk,
  payout: row.payout,
  owner: row.owner,
  pairedAt: Number(row.paired_at),
  ...(row.machine !== null && { machine: row.machine }),
  ...(row.name !== null && { name: row.name }),
  ...(row.removed_at !== null && { removedAt: Number(row.removed_at) }),
});
