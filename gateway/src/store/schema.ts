import { type Generated, sql } from "kysely";
import { type ChannelTables, channelMigration } from "../channels/channel-schema.ts";
import { type CreditProductTables, creditProductsMigration } from "../credit/credit-products.ts";
import { type EvidenceTables, evidenceMigration } from "../evidence/evidence-schema.ts";
import { type FleetTables, fleetMigration } from "../fleet/fleet-schema.ts";
import type { Migration } from "./sqlite.ts";

/** Tables of accounts, nodes and bundles. Integers are read as bigint; instants are ms since the epoch. */
export interface StoreSchema extends ChannelTables, CreditProductTables, EvidenceTables, FleetTables {
  api_keys: {
    id: string;
    /** First characters of the key: shown to people, and the way to the row. */
    prefix: string;
    hash: string;
    developer: string;
    label: string;
    bot_id: bigint | null;
    created_at: bigint;
    revoked_at: bigint | null;
  };
  bots: { bot_id: bigint; developer: string; registered_at: bigint };
  person_tokens: { hash: string; bot_id: bigint; user_id: bigint; expires_at: bigint };
  /** Codes that ended or were spent stay for a day, so that whoever uses one is told which. */
  pairing_codes: {
    hash: string;
    owner: string;
    expires_at: bigint;
    /** The registered machine that it pairs; null makes a machine of its own. */
    machine: string | null;
    spent_at: bigint | null;
  };
  nodes: {
    node: string;
    link_pk: string;
    payout: string;
    owner: string;
    paired_at: bigint;
    /** Last linked or unlinked. */
    seen_at: bigint | null;
    /** Its owner removed it: it is refused until it is paired again. */
    removed_at: bigint | null;
  };
  /** What owners say of their hardware; at most one node each. */
  machines: {
    id: string;
    owner: string;
    name: string | null;
    gpu: string | null;
    vram_mib: bigint | null;
    hours_per_day: bigint | null;
    registered_at: bigint;
    node: string | null;
  };
  /** What a node had served when `day` (UTC, days since the epoch) began. */
  node_days: { node: string; day: bigint; requests: bigint; units: bigint; earned_nano: bigint };
  network_minutes: { at: bigint; requests: bigint; units: bigint; nodes: bigint };
  events: {
    id: Generated<bigint>;
    at: bigint;
    type: string;
    account: string;
    machine: string | null;
    node: string | null;
    name: string;
    message: string | null;
  };
  /** The wallet that an account proved to hold; `public_key` is hex. */
  wallets: { account: string; address: string; public_key: string; proven_at: bigint };
  /** What an account's wallet is to sign, as a hash. */
  wallet_challenges: { hash: string; account: string; expires_at: bigint };
  /** The last transaction of a contract or wallet that was dealt with. */
  chain_cursors: { address: string; lt: bigint; hash: string };
  /** Messages from outside that the operator's wallets signed; kept before they are sent. */
  wallet_orders: {
    wallet: string;
    id: string;
    seqno: bigint;
    boc: Uint8Array;
    hash: string;
    valid_until: bigint;
    state: "sent" | "done" | "lapsed";
  };
  epochs: EpochsTable;
  /** What keeps an account's line in the clients' tree from being guessed. */
  client_salts: { account: string; salt: string };
  /** Deposits into the vault, by the logical time of their transaction; `account` once the ledger has them. */
  sponsor_deposits: { lt: bigint; sponsor: string; nano: bigint; at: bigint; account: string | null };
  /** What the vault paid to owners, by the logical time of its transaction; `account` is the NodeAccount's hash. */
  payouts: { lt: bigint; account: string; nano: bigint; at: bigint };
  /** What a node had earned, cumulative, when it was last looked at on that day (UTC, days since the epoch). */
  earning_days: { node: string; day: bigint; earned_nano: bigint };
  bundles: {
    attestation_id: string;
    node: string;
    sig_pk: string;
    bytes: Uint8Array;
    accepted_at: bigint;
    valid_until: bigint;
  };
}

export interface EpochsTable {
  epoch: bigint;
  /** `built`: its tree stands, nobody outside knows of it but nodes; `committing`: the chain may have it. */
  state: "built" | "committing" | "pending" | "final" | "gone";
  /** EpochRootJson. */
  root: string;
  /** When the ledger was read. */
  snapshot_at: bigint;
  /** Since when the chain has it pending, by the chain's clock. */
  since_at: bigint | null;
  /** Why it is gone: vetoed, disputed, or refused by the vault. */
  note: string | null;
}

export const storeMigrations: readonly Migration<StoreSchema>[] = [
  (db) => [
    db.schema
      .createTable("api_keys")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("prefix", "text", (column) => column.notNull())
      .addColumn("hash", "text", (column) => column.notNull())
      .addColumn("developer", "text", (column) => column.notNull())
      .addColumn("label", "text", (column) => column.notNull())
      .addColumn("bot_id", "bigint")
      .addColumn("created_at", "bigint", (column) => column.notNull())
      .addColumn("revoked_at", "bigint"),
    db.schema.createIndex("api_keys_by_prefix").on("api_keys").column("prefix"),
    db.schema
      .createTable("bots")
      .addColumn("bot_id", "bigint", (column) => column.primaryKey())
      .addColumn("developer", "text", (column) => column.notNull())
      .addColumn("registered_at", "bigint", (column) => column.notNull()),
    db.schema
      .createTable("person_tokens")
      .addColumn("hash", "text", (column) => column.primaryKey())
      .addColumn("bot_id", "bigint", (column) => column.notNull())
      .addColumn("user_id", "bigint", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull()),
    db.schema.createIndex("person_tokens_by_end").on("person_tokens").column("expires_at"),
    db.schema
      .createTable("pairing_codes")
      .addColumn("hash", "text", (column) => column.primaryKey())
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull()),
    db.schema
      .createTable("nodes")
      .addColumn("node", "text", (column) => column.primaryKey())
      .addColumn("link_pk", "text", (column) => column.notNull())
      .addColumn("payout", "text", (column) => column.notNull())
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("paired_at", "bigint", (column) => column.notNull()),
    db.schema.createIndex("nodes_of_an_owner").on("nodes").columns(["owner", "paired_at"]),
    db.schema
      .createTable("bundles")
      .addColumn("attestation_id", "text", (column) => column.primaryKey())
      .addColumn("node", "text", (column) => column.notNull())
      .addColumn("sig_pk", "text", (column) => column.notNull())
      .addColumn("bytes", "blob", (column) => column.notNull())
      .addColumn("accepted_at", "bigint", (column) => column.notNull())
      .addColumn("valid_until", "bigint", (column) => column.notNull()),
    db.schema.createIndex("bundles_by_end").on("bundles").column("valid_until"),
  ],
  (db) => [
    db.schema.alterTable("pairing_codes").addColumn("machine", "text"),
    db.schema.alterTable("pairing_codes").addColumn("spent_at", "bigint"),
    db.schema.createIndex("pairing_codes_of_a_machine").on("pairing_codes").column("machine"),
    db.schema.alterTable("nodes").addColumn("seen_at", "bigint"),
    db.schema.alterTable("nodes").addColumn("removed_at", "bigint"),
    db.schema
      .createTable("machines")
      .addColumn("id", "text", (column) => column.primaryKey())
      .addColumn("owner", "text", (column) => column.notNull())
      .addColumn("name", "text")
      .addColumn("gpu", "text")
      .addColumn("vram_mib", "bigint")
      .addColumn("hours_per_day", "bigint")
      .addColumn("registered_at", "bigint", (column) => column.notNull())
      .addColumn("node", "text", (column) => column.unique()),
    db.schema.createIndex("machines_of_an_owner").on("machines").columns(["owner", "registered_at"]),
    sql`INSERT INTO machines (id, owner, registered_at, node)
        SELECT substr(node, 1, 16), owner, paired_at, node FROM nodes`,
    db.schema
      .createTable("node_days")
      .addColumn("node", "text", (column) => column.primaryKey())
      .addColumn("day", "bigint", (column) => column.notNull())
      .addColumn("requests", "bigint", (column) => column.notNull())
      .addColumn("units", "bigint", (column) => column.notNull())
      .addColumn("earned_nano", "bigint", (column) => column.notNull()),
    db.schema
      .createTable("network_minutes")
      .addColumn("at", "bigint", (column) => column.primaryKey())
      .addColumn("requests", "bigint", (column) => column.notNull())
      .addColumn("units", "bigint", (column) => column.notNull())
      .addColumn("nodes", "bigint", (column) => column.notNull()),
    db.schema
      .createTable("events")
      .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
      .addColumn("at", "bigint", (column) => column.notNull())
      .addColumn("type", "text", (column) => column.notNull())
      .addColumn("account", "text", (column) => column.notNull())
      .addColumn("machine", "text")
      .addColumn("node", "text")
      .addColumn("name", "text", (column) => column.notNull())
      .addColumn("message", "text"),
    db.schema.createIndex("events_of_an_account").on("events").columns(["account", "id"]),
    db.schema.createIndex("events_by_age").on("events").column("at"),
  ],
  (db) => [
    db.schema
      .createTable("wallets")
      .addColumn("account", "text", (column) => column.primaryKey())
      .addColumn("address", "text", (column) => column.notNull())
      .addColumn("public_key", "text", (column) => column.notNull())
      .addColumn("proven_at", "bigint", (column) => column.notNull()),
    db.schema
      .createTable("wallet_challenges")
      .addColumn("hash", "text", (column) => column.primaryKey())
      .addColumn("account", "text", (column) => column.notNull())
      .addColumn("expires_at", "bigint", (column) => column.notNull()),
    db.schema.createIndex("wallet_challenges_of_an_account").on("wallet_challenges").column("account"),
  ],
  // Settlement on chain.
  (db) => [
    db.schema
      .createTable("chain_cursors")
      .addColumn("address", "text", (column) => column.primaryKey())
      .addColumn("lt", "bigint", (column) => column.notNull())
      .addColumn("hash", "text", (column) => column.notNull()),
    db.schema
      .createTable("wallet_orders")
      .addColumn("wallet", "text", (column) => column.notNull())
      .addColumn("id", "text", (column) => column.notNull())
      .addColumn("seqno", "bigint", (column) => column.notNull())
      .addColumn("boc", "blob", (column) => column.notNull())
      .addColumn("hash", "text", (column) => column.notNull())
      .addColumn("valid_until", "bigint", (column) => column.notNull())
      .addColumn("state", "text", (column) => column.notNull())
      .addPrimaryKeyConstraint("order_of_a_wallet", ["wallet", "id"]),
    sql`CREATE UNIQUE INDEX one_order_under_way ON wallet_orders (wallet) WHERE state = 'sent'`,
    db.schema
      .createTable("epochs")
      .addColumn("epoch", "bigint", (column) => column.primaryKey())
      .addColumn("state", "text", (column) => column.notNull())
      .addColumn("root", "text", (column) => column.notNull())
      .addColumn("snapshot_at", "bigint", (column) => column.notNull())
      .addColumn("since_at", "bigint")
      .addColumn("note", "text"),
    db.schema
      .createTable("client_salts")
      .addColumn("account", "text", (column) => column.primaryKey())
      .addColumn("salt", "text", (column) => column.notNull()),
    db.schema
      .createTable("sponsor_deposits")
      .addColumn("lt", "bigint", (column) => column.primaryKey())
      .addColumn("sponsor", "text", (column) => column.notNull())
      .addColumn("nano", "bigint", (column) => column.notNull())
      .addColumn("at", "bigint", (column) => column.notNull())
      .addColumn("account", "text"),
    db.schema
      .createTable("payouts")
      .addColumn("lt", "bigint", (column) => column.primaryKey())
      .addColumn("account", "text", (column) => column.notNull())
      .addColumn("nano", "bigint", (column) => column.notNull())
      .addColumn("at", "bigint", (column) => column.notNull()),
    db.schema.createIndex("payouts_of_an_account").on("payouts").columns(["account", "at"]),
    db.schema
      .createTable("earning_days")
      .addColumn("node", "text", (column) => column.notNull())
      .addColumn("day", "bigint", (column) => column.notNull())
      .addColumn("earned_nano", "bigint", (column) => column.notNull())
      .addPrimaryKeyConstraint("day_of_a_node", ["node", "day"]),
  ],
  evidenceMigration,
  channelMigration,
  creditProductsMigration,
  fleetMigration,
];
