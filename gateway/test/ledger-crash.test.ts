import { type ChildProcess, fork } from "node:child_process";
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type Ledger, nodeAccount, openLedger, operatorAccount } from "../src/ledger/index.ts";
import { id32, receiptFor } from "./attempts.ts";
import { type Acknowledged, fireAttempt, neverSettles } from "./ledger-under-fire.ts";

const rounds = 4;
const deposited = 10n ** 15n;
let dataDir: string;
let child: ChildProcess | undefined;

beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), "bombyx-crash-"));
});

afterEach(() => {
  child?.kill("SIGKILL");
  rmSync(dataDir, { recursive: true });
});

/** Runs the process until it has told `most` things, kills it, and returns all that it told. */
async function runAndKill(round: number, most: number): Promise<Acknowledged[]> {
  const acknowledged: Acknowledged[] = [];
  const running = fork(join(import.meta.dirname, "ledger-under-fire.ts"), [dataDir, `${round}`], {
    execArgv: ["-C", "bombyx-source"],
  });
  child = running;
  running.on("message", (message) => {
    acknowledged.push(message as Acknowledged);
    if (acknowledged.length === most) running.kill("SIGKILL");
  });
  const [code, signal] = await once(running, "close");
  expect({ code, signal }).toEqual({ code: null, signal: "SIGKILL" });
  return acknowledged;
}

/** What nodes and operator have together. */
async function earned(ledger: Ledger): Promise<bigint> {
  const accounts = [operatorAccount];
  for (let round = 0; round < rounds; round++) accounts.push(nodeAccount(id32(`node of ${round}`)));
  const balances = await Promise.all(accounts.map((account) => ledger.balance(account)));
  return balances.reduce((sum, { availableNano }) => sum + availableNano, 0n);
}

it("loses nothing that it acknowledged, charges nothing twice and leaves nothing hanging, killed anywhere", async () => {
  const before = await openLedger({ dataDir });
  await before.deposit({ key: "allowance", account: "sponsor:acme", nano: deposited, at: 0 });
  await before.close();

  let unsettled = 0;
  for (let round = 0; round < rounds; round++) {
    const acknowledged = await runAndKill(round, randomInt(40, 500));
    const now = Date.now();
    const ledger = await openLedger({ dataDir, takeOverAt: now });
    try {
      expect((await ledger.audit()).sumNano).toBe(0n);
      const stateOf = async (name: string) => (await ledger.attemptOf(fireAttempt(name)))?.state;
      await Promise.all(
        acknowledged.map(async ({ did, name }) => {
          // The process died with it: what was open is lost, what was settled stays settled.
          const expected = did === "settle" ? /^settled$/ : /^(lost|settled)$/;
          expect(await stateOf(name), `${did} ${name}`).toMatch(expected);
        }),
      );
      // Nodes send their receipts again, those settled already and those that the crash swallowed; some never come.
      const names = [...new Set(acknowledged.map(({ name }) => name))];
      const states = await Promise.all(names.map(stateOf));
      const comes = (name: string, n: number) => states[n] !== "lost" || !neverSettles(name);
      const back = names.filter(comes);
      unsettled += names.length - back.length;
      const swallowed = names.filter((name, n) => comes(name, n) && states[n] === "lost");
      const paidBefore = await earned(ledger);
      await Promise.all(back.map((name) => ledger.settle(receiptFor(fireAttempt(name)), now)));
      const paid = swallowed.reduce((sum, name) => sum + 640n * fireAttempt(name).nanoPerUnit, 0n);
      expect((await earned(ledger)) - paidBefore).toBe(paid);
      // What no receipt came for ends at the deadline.
      await ledger.sweep(now + 1, now + 60_000);
      const { sumNano, openReservations } = await ledger.audit();
      expect({ sumNano, openReservations }).toEqual({ sumNano: 0n, openReservations: 0 });
    } finally {
      await ledger.close();
    }
  }

  const ledger = await openLedger({ dataDir });
  const { availableNano, reservedNano } = await ledger.balance("sponsor:acme");
  expect(reservedNano).toBe(0n);
  expect(await earned(ledger)).toBe(deposited - availableNano);
  await ledger.close();
  expect(unsettled).toBeGreaterThan(0);
}, 120_000);
