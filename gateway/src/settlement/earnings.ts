import type { Earnings, NodeEarnings } from "@bombyx/protocol/wire";
import type { Kysely } from "kysely";
import type { Ledger } from "../ledger/ledger.ts";
import type { StoreSchema } from "../store/schema.ts";
import type { EpochTree } from "./epoch-tree.ts";
import { heldNano } from "./held.ts";
import type { NodeAccounts } from "./node-accounts.ts";
import type { VaultLedger } from "./vault-ledger.ts";

const dayMs = 24 * 3_600_000;
const daysShown = 30;
/** Rows that one statement writes. */
const insertRows = 500;

export interface EarningsParts {
  readonly db: Kysely<StoreSchema>;
  readonly ledger: Pick<Ledger, "acknowledged" | "snapshot">;
  readonly accounts: NodeAccounts;
  readonly vault: Pick<VaultLedger, "paidNano" | "payoutsSince">;
  readonly heldMs: number;
  readonly trees: () => { readonly final: EpochTree | undefined; readonly live: EpochTree | undefined };
  readonly now: () => number;
}

/** What an owner's nodes earned, what of it can be claimed, and with which proof. */
export class OwnerEarnings {
  readonly #parts: EarningsParts;

  constructor(parts: EarningsParts) {
    this.#parts = parts;
  }

  async of(owner: string): Promise<Earnings> {
    const { db, vault, accounts, now } = this.#parts;
    const at = now();
    const rows = await db
      .selectFrom("nodes")
      .leftJoin("machines", "machines.node", "nodes.node")
      .select(["nodes.node", "nodes.payout", "machines.id as machine", "machines.name as name"])
      .where("nodes.owner", "=", owner)
      .orderBy("nodes.paired_at")
      .execute();
    const hashes = rows.flatMap(({ node, payout }) => accounts.of(node, payout)?.hash.toString("hex") ?? []);
    const paid = await vault.paidNano(hashes);
    const nodes = await Promise.all(rows.map((row) => this.#node(row, paid, at)));
    const wallet = await db
      .selectFrom("wallets")
      .select(["address", "proven_at"])
      .where("account", "=", owner)
      .executeTakeFirst();
    return {
      at,
      wallet: wallet ? { address: wallet.address, provenAt: Number(wallet.proven_at) } : null,
      nodes,
      days: await this.#days(nodes, hashes, at),
    };
  }

  /** What every node has earned until now is what it had earned on this day; the last word of a day stands. */
  async noteDay(): Promise<void> {
    const { db, ledger, now } = this.#parts;
    const day = BigInt(Math.floor(now() / dayMs));
    const { nodes } = await ledger.snapshot();
    const rows = nodes.map(({ node, cumulativeNano }) => ({ node, day, earned_nano: cumulativeNano }));
    for (let from = 0; from < rows.length; from += insertRows) {
      await db
        .insertInto("earning_days")
        .values(rows.slice(from, from + insertRows))
        .onConflict((conflict) =>
          conflict
            .columns(["node", "day"])
            .doUpdateSet((row) => ({ earned_nano: row.ref("excluded.earned_nano") })),
        )
        .execute();
    }
  }

  async #node(
    row: { node: string; payout: string; machine: string | null; name: string | null },
    paid: ReadonlyMap<string, bigint>,
    at: number,
  ): Promise<NodeEarnings> {
    const { ledger, accounts, heldMs, trees } = this.#parts;
    const standing = await ledger.acknowledged(row.node);
    const account = accounts.of(row.node, row.payout);
    const { index } = standing;
    const { final, live } = trees();
    const finalNano = index === null ? 0n : (final?.earnedNano(index) ?? 0n);
    const liveNano = index === null ? 0n : (live?.earnedNano(index) ?? 0n);
    return {
      node: row.node,
      machine: row.machine,
      name: row.name ?? row.node.slice(0, 8),
      payout: row.payout,
      account: account?.toRawString() ?? null,
      index,
      earnedNano: String(standing.cumulativeNano),
      heldNano: String(heldNano(standing, at, heldMs)),
      pendingNano: String(liveNano > finalNano ? liveNano - finalNano : 0n),
      finalNano: String(finalNano),
      paidNano: String(paid.get(account?.hash.toString("hex") ?? "") ?? 0n),
      proof: index === null ? null : (final?.nodeProof(index) ?? null),
    };
  }

  async #days(
    nodes: readonly NodeEarnings[],
    hashes: readonly string[],
    at: number,
  ): Promise<Earnings["days"]> {
    const { db, vault } = this.#parts;
    const today = Math.floor(at / dayMs);
    const first = today - daysShown + 1;
    const days = new Map<number, { earned: bigint; paid: bigint }>();
    const of = (day: number) => {
      const known = days.get(day) ?? { earned: 0n, paid: 0n };
      days.set(day, known);
      return known;
    };
    const ids = nodes.map(({ node }) => node);
    const kept =
      ids.length === 0
        ? []
        : await db
            .selectFrom("earning_days")
            .selectAll()
            .where("node", "in", ids)
            .where("day", "<", BigInt(today))
            .orderBy("day")
            .execute();
    const before = new Map<string, bigint>();
    for (const { node, day, earned_nano } of kept) {
      if (Number(day) >= first) of(Number(day)).earned += earned_nano - (before.get(node) ?? 0n);
      before.set(node, earned_nano);
    }
    for (const { node, earnedNano } of nodes)
      of(today).earned += BigInt(earnedNano) - (before.get(node) ?? 0n);
    for (const { nano, at: paidAt } of await vault.payoutsSince(hashes, first * dayMs)) {
      of(Math.floor(paidAt / dayMs)).paid += nano;
    }
    return [...days]
      .filter(([, { earned, paid }]) => earned !== 0n || paid !== 0n)
      .sort(([one], [other]) => one - other)
      .map(([day, { earned, paid }]) => ({
        day: day * dayMs,
        earnedNano: String(earned),
        paidNano: String(paid),
      }));
  }
}
