import type { NetworkMinute } from "@bombyx/protocol/wire";
import type { Kysely } from "kysely";
import type { AckState, Ledger } from "../ledger/ledger.ts";
import type { StoreSchema } from "../store/schema.ts";
import { dayOf, minuteOf, nothing, Tally, type Totals } from "./tally.ts";

export interface FiguresOptions {
  readonly db: Kysely<StoreSchema>;
  readonly ledger: Pick<Ledger, "acknowledged">;
  /** Nodes that are linked now. */
  readonly linkedNodes: () => number;
  readonly now: () => number;
}

const historyMs = 24 * 3_600_000;
/** Nodes whose day is kept with one tick. */
const daysPerTick = 250;

/** What nodes and the network served, by day and by minute; sums come from the ledger. */
export class Figures {
  readonly #options: FiguresOptions;
  readonly #tally = new Tally();
  readonly #history: NetworkMinute[];
  /** Days that began and are not kept yet. */
  readonly #days = new Map<string, { readonly day: number; readonly base: Totals }>();

  private constructor(options: FiguresOptions, history: NetworkMinute[]) {
    this.#options = options;
    this.#history = history;
  }

  static async open(options: FiguresOptions): Promise<Figures> {
    const { db, now } = options;
    const minutes = await db
      .selectFrom("network_minutes")
      .selectAll()
      .where("at", ">=", BigInt(now() - historyMs))
      .orderBy("at")
      .execute();
    const figures = new Figures(
      options,
      minutes.map((row) => ({
        at: Number(row.at),
        requests: Number(row.requests),
        units: Number(row.units),
        nodes: Number(row.nodes),
      })),
    );
    const days = await db
      .selectFrom("node_days")
      .selectAll()
      .where("day", "=", BigInt(dayOf(now())))
      .execute();
    for (const row of days) {
      figures.#tally.restore(row.node, Number(row.day), {
        requests: Number(row.requests),
        units: Number(row.units),
        earnedNano: row.earned_nano,
      });
    }
    return figures;
  }

  /** The ledger's word on a node, as it goes out to the node. */
  acknowledged(node: string, { n, units, cumulativeNano }: AckState): Totals {
    const totals = { requests: n, units, earnedNano: cumulativeNano };
    const { now } = this.#options;
    const at = now();
    const began = this.#tally.observe(node, totals, at);
    if (began) this.#days.set(node, { day: dayOf(at), base: began });
    return totals;
  }

  /** Everything that a node served and earned for its present owner. */
  async totals(node: string): Promise<Totals> {
    const all = this.acknowledged(node, await this.#options.ledger.acknowledged(node));
    const before = await this.#before(node, all);
    return {
      requests: all.requests - before.requests,
      units: all.units - before.units,
      earnedNano: all.earnedNano - before.earnedNano,
    };
  }

  /** What it served for owners before; with the first look after it changed hands that is all it did, `now`. */
  async #before(node: string, now: Totals): Promise<Totals> {
    const { db } = this.#options;
    const kept = await db.selectFrom("node_bases").selectAll().where("node", "=", node).executeTakeFirst();
    if (!kept) return nothing;
    const { requests, units, earned_nano: earnedNano } = kept;
    if (requests !== null && units !== null && earnedNano !== null) {
      return { requests: Number(requests), units: Number(units), earnedNano };
    }
    const at = this.#options.now();
    this.#tally.rebase(node, now, at);
    this.#days.set(node, { day: dayOf(at), base: now });
    await db
      .updateTable("node_bases")
      .set({ requests: BigInt(now.requests), units: BigInt(now.units), earned_nano: now.earnedNano })
      .where("node", "=", node)
      .where("requests", "is", null)
      .execute();
    return now;
  }

  /** Served since 00:00 UTC. */
  today(node: string): Totals {
    return this.#tally.today(node, this.#options.now());
  }

  /** Requests of each of the last 60 minutes, the running one last. */
  minutesOf(node: string): number[] {
    return this.#tally.minutesOf(node, this.#options.now());
  }

  /** The running minute of the network. */
  minute(): NetworkMinute {
    const { linkedNodes, now } = this.#options;
    return { ...this.#tally.minute(now()), nodes: linkedNodes() };
  }

  /** Whole minutes of the last 24 h, oldest first. */
  history(): readonly NetworkMinute[] {
    return this.#history;
  }

  /** Keeps the running minute, too. */
  async close(): Promise<void> {
    while (this.#days.size > 0) await this.#keepDays();
    await this.tick(this.#options.now() + 60_000);
  }

  /** To be called every few seconds: keeps the minutes that ended before `at`. */
  async tick(at: number = this.#options.now()): Promise<void> {
    await this.#keepDays();
    const { db, linkedNodes } = this.#options;
    const nodes = linkedNodes();
    const oldest = minuteOf(at) - historyMs;
    const ended = this.#tally.ended(at).map((minute) => ({ ...minute, nodes }));
    if (ended.length === 0) return;
    for (const minute of ended) this.#add(minute);
    while (this.#history[0] && this.#history[0].at < oldest) this.#history.shift();
    const rows = ended.map((minute) => ({
      at: BigInt(minute.at),
      requests: BigInt(minute.requests),
      units: BigInt(minute.units),
      nodes: BigInt(nodes),
    }));
    await db
      .insertInto("network_minutes")
      .values(rows)
      .onConflict((conflict) =>
        // Two processes in one minute, one after the other: what both saw adds up.
        conflict.column("at").doUpdateSet((row) => ({
          requests: row("network_minutes.requests", "+", row.ref("excluded.requests")),
          units: row("network_minutes.units", "+", row.ref("excluded.units")),
        })),
      )
      .execute();
    await db.deleteFrom("network_minutes").where("at", "<", BigInt(oldest)).execute();
  }

  /** An earlier process may have begun the same minute. */
  #add(minute: NetworkMinute): void {
    const last = this.#history.at(-1);
    if (last?.at !== minute.at) {
      this.#history.push(minute);
      return;
    }
    const { at, nodes, requests, units } = minute;
    const sum = { at, nodes, requests: last.requests + requests, units: last.units + units };
    this.#history[this.#history.length - 1] = sum;
  }

  /**
   * With a new day, or after a restart, a whole fleet's begin at once: they are kept some at a time, in one statement,
   * because each commit holds the event loop.
   */
  async #keepDays(): Promise<void> {
    const days = [...this.#days].slice(0, daysPerTick);
    if (days.length === 0) return;
    const rows = days.map(([node, { day, base }]) => ({
      node,
      day: BigInt(day),
      requests: BigInt(base.requests),
      units: BigInt(base.units),
      earned_nano: base.earnedNano,
    }));
    await this.#options.db
      .insertInto("node_days")
      .values(rows)
      .onConflict((conflict) =>
        conflict.column("node").doUpdateSet((row) => ({
          day: row.ref("excluded.day"),
          requests: row.ref("excluded.requests"),
          units: row.ref("excluded.units"),
          earned_nano: row.ref("excluded.earned_nano"),
        })),
      )
      .execute();
    // Unless one began again meanwhile.
    for (const [node, kept] of days) if (this.#days.get(node) === kept) this.#days.delete(node);
  }
}
