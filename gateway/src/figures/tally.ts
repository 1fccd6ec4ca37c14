/** What a node served, as the ledger has it. */
export interface Totals {
  readonly requests: number;
  readonly units: number;
  readonly earnedNano: bigint;
}

export const nothing: Totals = { requests: 0, units: 0, earnedNano: 0n };

export interface Minute {
  /** Its begin, ms. */
  readonly at: number;
  readonly requests: number;
  readonly units: number;
}

const minuteMs = 60_000;
const dayMs = 24 * 3_600_000;
/** Minutes that are kept of each node. */
export const nodeMinutes = 60;

export const minuteOf = (at: number): number => at - (at % minuteMs);
export const dayOf = (at: number): number => Math.floor(at / dayMs);

interface NodeTally {
  last: Totals;
  day: number;
  /** Totals when `day` began. */
  base: Totals;
  readonly minutes: Map<number, number>;
}

/**
 * Days and minutes, made of totals that only grow. Totals come from the ledger, so nothing is counted
 * twice however often it is told, and what was missed is in the next.
 */
export class Tally {
  readonly #nodes = new Map<string, NodeTally>();
  readonly #bases = new Map<string, { day: number; base: Totals }>();
  #closed: Minute[] = [];
  #minute: { at: number; requests: number; units: number } = { at: 0, requests: 0, units: 0 };

  /** An earlier process saw a node's `day` begin with `base`. */
  restore(node: string, day: number, base: Totals): void {
    this.#bases.set(node, { day, base });
  }

  /**
   * The ledger says `totals` of a node at `at`; the first time, they are the past.
   * @returns the totals with which the node's day began, when it began with this.
   */
  observe(node: string, totals: Totals, at: number): Totals | undefined {
    const day = dayOf(at);
    const tally = this.#nodes.get(node);
    if (!tally) {
      const kept = this.#bases.get(node);
      this.#bases.delete(node);
      const base = kept?.day === day ? kept.base : totals;
      this.#nodes.set(node, { last: totals, day, base, minutes: new Map() });
      return kept?.day === day ? undefined : totals;
    }
    let began: Totals | undefined;
    if (tally.day !== day) {
      tally.day = day;
      tally.base = tally.last;
      began = tally.base;
    }
    const requests = totals.requests - tally.last.requests;
    if (requests > 0) {
      const minute = minuteOf(at);
      tally.minutes.set(minute, (tally.minutes.get(minute) ?? 0) + requests);
      this.#roll(minute);
      this.#minute.requests += requests;
      this.#minute.units += totals.units - tally.last.units;
      tally.last = totals;
      for (const old of tally.minutes.keys()) {
        if (old > minute - nodeMinutes * minuteMs) break;
        tally.minutes.delete(old);
      }
    }
    return began;
  }

  /** The node begins anew with `totals`: what it served before is another owner's. */
  rebase(node: string, totals: Totals, at: number): void {
    this.#bases.delete(node);
    this.#nodes.set(node, { last: totals, day: dayOf(at), base: totals, minutes: new Map() });
  }

  /** Served since 00:00 UTC. */
  today(node: string, at: number): Totals {
    const tally = this.#nodes.get(node);
    if (!tally || tally.day !== dayOf(at)) return nothing;
    const { last, base } = tally;
    return {
      requests: last.requests - base.requests,
      units: last.units - base.units,
      earnedNano: last.earnedNano - base.earnedNano,
    };
  }

  /** Requests of each of the last 60 minutes, the running one last. */
  minutesOf(node: string, at: number): number[] {
    const minutes = this.#nodes.get(node)?.minutes;
    const first = minuteOf(at) - (nodeMinutes - 1) * minuteMs;
    return Array.from({ length: nodeMinutes }, (_, n) => minutes?.get(first + n * minuteMs) ?? 0);
  }

  /** The minute that runs at `at`. */
  minute(at: number): Minute {
    this.#roll(minuteOf(at));
    return { ...this.#minute };
  }

  /** Minutes that ended since this was last asked. */
  ended(at: number): Minute[] {
    this.#roll(minuteOf(at));
    const closed = this.#closed;
    this.#closed = [];
    return closed;
  }

  #roll(at: number): void {
    if (this.#minute.at >= at) return;
    if (this.#minute.at > 0) this.#closed.push(this.#minute);
    this.#minute = { at, requests: 0, units: 0 };
  }
}
