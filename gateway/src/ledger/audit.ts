import type { CreditStatements } from "./credit-statements.ts";
import { nodeAccount, worldAccount } from "./money.ts";
import type { Statements } from "./statements.ts";

/**
 * Recomputes every balance from the entries, every hold from the running attempts and open
 * offers, every allowance from its attempts and every acknowledged total from what nodes were paid.
 * @throws Error naming the first account that disagrees, or the sum when it is not zero.
 */
export function audit(
  statements: Statements,
  credit: CreditStatements,
): {
  sumNano: bigint;
  openReservations: number;
  entries: number;
} {
  const moved = new Map(statements.movements.all({}).map(({ account, nano }) => [account, nano]));
  const running = statements.running.all({});
  const held = new Map<string, bigint>();
  for (const { payer, reserved_nano } of running) {
    held.set(payer, (held.get(payer) ?? 0n) + reserved_nano);
  }
  for (const { sponsor, nano } of credit.heldByOffers.all({})) {
    held.set(sponsor, (held.get(sponsor) ?? 0n) + nano);
  }
  const balances = new Map(statements.allBalances.all({}).map((row) => [row.account, row]));
  let sumNano = 0n;
  for (const account of new Set([...moved.keys(), ...held.keys(), ...balances.keys()])) {
    const balance = balances.get(account) ?? { nano: 0n, reserved_nano: 0n };
    sumNano += balance.nano;
    agree(`balance of ${account}`, balance.nano, moved.get(account) ?? 0n);
    agree(`reserved by ${account}`, balance.reserved_nano, held.get(account) ?? 0n);
    if (account !== worldAccount && balance.nano < balance.reserved_nano) {
      throw new Error(`${account} has ${balance.nano} nanoTON and holds ${balance.reserved_nano}`);
    }
  }
  for (const { node, cumulative_nano } of statements.allAcks.all({})) {
    agree(`acknowledged to ${node}`, cumulative_nano, moved.get(nodeAccount(node)) ?? 0n);
  }
  const drawn = new Map(
    credit.allowancesOfAttempts
      .all({})
      .map((row) => [`${row.allowance_user} on ${row.allowance_day}`, row.nano]),
  );
  for (const { user, day, nano } of credit.allAllowances.all({})) {
    agree(`allowance of ${user} on ${day}`, nano, drawn.get(`${user} on ${day}`) ?? 0n);
  }
  agree("sum over all accounts", sumNano, 0n);
  const entries = Number(statements.entryCount.get({})?.entries ?? 0n);
  return { sumNano, openReservations: running.length, entries };
}

function agree(what: string, kept: bigint, recomputed: bigint): void {
  if (kept !== recomputed) {
    throw new Error(`${what}: the ledger says ${kept} nanoTON, its entries say ${recomputed}`);
  }
}
