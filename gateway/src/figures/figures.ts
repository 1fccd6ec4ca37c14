import type { NetworkMinute } from "@bombyx/protocol/wire";
import type { Kysely } from "kysely";
import type { AckState, Ledger } from "../ledger/ledger.ts";
import type { StoreSchema } from "../store/schema.ts";
import { dayOf, minuteOf, Tally, type Totals } from "./tally.ts";

export interface FiguresOptions {
  readonly db: Kysely<StoreSchema>;
  readonly ledger: Pick<Ledger, "acknowledged">;
  /** Nodes that are linked now. */
  readonly linkedNodes: () => number;
  readonly now: () => number;
}

const historyMs = 24 * 3_600_000;

/** What nodes and the network served, by day and by minute; sums come from the ledger. */
export class Figures {
  readonly #options: FiguresOptions;
  readonly #tally = new Tally();
  readonly #history: NetworkMinute[];
  /** Days that began and are not kept yet. */
  #days = new Map<string, { readonly day: number; readonly base: Totals }>();

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

  /** Everything that a node served and earned. */
  async totals(node: string): Promise<Totals> {
    return this.acknowledged(node, await this.#options.ledger.acknowledged(node));
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

  /** In one commit, because with a new day, or after a restart, a whole fleet's begin at once. */
  async #keepDays(): Promise<void> {
    const days = this.#days;
    if (days.size === 0) return;
    this.#days = new Map();
    await this.#options.db.transaction().execute(async (db) => {
      for (const [node, { day, base }] of days) {
        const row = {
          day: BigInt(day),
          requests: BigInt(base.requests),
          units: BigInt(base.units),
          earned_nano: base.earnedNano,
        };
        await db
          .insertInto("node_days")
          .values({ node, ...row })
          .onConflict((conflict) => conflict.column("node").doUpdateSet(row))
          .execute();
      }
    });
  }
}
