import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openLedger } from "@bombyx/gateway/ledger";
import { atMost, type Goal } from "../relay/goals.ts";
import { largeAccount } from "./large-account.ts";

const entries = 1_000_000;
const account = "sponsor:bench";
const rounds = 200;
const page = { limit: 50 } as const;
const longestMs = 50;

export interface StatementReport {
  readonly figures: Record<string, number>;
  readonly goals: readonly Goal[];
  readonly missing: readonly string[];
}

/** What an account with a million entries waits for its statement, first page to last, beside the ledger's own work. */
export async function benchStatement({ say }: { say: (line: string) => void }): Promise<StatementReport> {
  const dataDir = await mkdtemp(join(tmpdir(), "bombyx-statement-"));
  try {
    say(`${entries} entries of one account`);
    await largeAccount(dataDir, account, entries);
    const ledger = await openLedger({ dataDir });
    const figures: Record<string, number> = {};
    const goals: Goal[] = [];
    const middle = entries / 2;
    const reads = {
      "first page": () => ledger.statement(account, page),
      "page in the middle": () => ledger.statement(account, { ...page, before: middle }),
      "last page": () => ledger.statement(account, { ...page, before: 60 }),
      "page of 200": () => ledger.statement(account, { limit: 200, before: middle }),
      "receipts, in the middle": () => ledger.receipts("developer:bench", { ...page, before: middle / 2 }),
      "30 days of spending": () => ledger.spending("developer:bench", 0),
    };
    for (const [name, read] of Object.entries(reads)) {
      say(name);
      const timings: number[] = [];
      for (let round = 0; round < rounds; round++) {
        const startedAt = performance.now();
        const rows = await read();
        timings.push(performance.now() - startedAt);
        if (rows.length === 0) throw new Error(`${name}: nothing was read`);
      }
      const first = timings[0] ?? Number.NaN;
      timings.sort((a, b) => a - b);
      figures[`${name} first ms`] = first;
      figures[`${name} p50 ms`] = timings[Math.floor(rounds / 2)] ?? Number.NaN;
      const p95 = timings[Math.floor(rounds * 0.95)] ?? Number.NaN;
      figures[`${name} p95 ms`] = p95;
      goals.push(atMost(`${name}, of ${entries} entries, p95`, p95, longestMs, "ms"));
    }
    await ledger.close();
    return { figures, goals, missing: [] };
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}
