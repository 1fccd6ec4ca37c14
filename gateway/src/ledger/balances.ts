import { assertNano, worldAccount } from "./money.ts";
import type { Statements } from "./statements.ts";

export interface Balance {
  readonly nano: bigint;
  /** Held by running attempts; part of `nano`. */
  readonly reservedNano: bigint;
}

/**
 * The balances of one batch: read once, changed in memory, written once at its commit, because every
 * request of a developer changes the same few rows. A refused call's changes are dropped alone.
 */
export class Balances {
  readonly #statements: Statements;
  /** As in the file. */
  readonly #stored = new Map<string, Balance>();
  /** After the calls that succeeded, and of the call that runs. */
  readonly #batch = new Map<string, Balance>();
  readonly #call = new Map<string, Balance>();

  constructor(statements: Statements) {
    this.#statements = statements;
  }

  of(account: string): Balance {
    return this.#call.get(account) ?? this.#batch.get(account) ?? this.#read(account);
  }

  /** @returns false, and holds nothing, when less than `nano` is available. */
  hold(account: string, nano: bigint): boolean {
    const { nano: all, reservedNano } = this.of(account);
    if (all - reservedNano < nano) return false;
    this.#change(account, 0n, nano);
    return true;
  }

  unhold(account: string, nano: bigint): void {
    this.#change(account, 0n, -nano);
  }

  move(account: string, counterAccount: string, nano: bigint): void {
    this.#change(account, -nano, 0n);
    this.#change(counterAccount, nano, 0n);
  }

  /** The call that runs succeeded. */
  keepCall(): void {
    for (const [account, balance] of this.#call) this.#batch.set(account, balance);
    this.#call.clear();
  }

  dropCall(): void {
    this.#call.clear();
  }

  /**
   * Writes what changed.
   * @throws Error when the batch would change the sum over all accounts (zero since the audit at start).
   */
  write(): void {
    let change = 0n;
    for (const [account, { nano, reservedNano }] of this.#batch) {
      change += nano - this.#read(account).nano;
      this.#statements.saveBalance.run({ account, nano, reservedNano });
    }
    if (change !== 0n) throw new Error(`a batch would change the sum over all accounts by ${change} nanoTON`);
    this.forget();
  }

  /** Another process may write between two batches: nothing is remembered longer. */
  forget(): void {
    this.#stored.clear();
    this.#batch.clear();
    this.#call.clear();
  }

  #read(account: string): Balance {
    let balance = this.#stored.get(account);
    if (balance === undefined) {
      const row = this.#statements.balance.get({ account });
      balance = { nano: row?.nano ?? 0n, reservedNano: row?.reserved_nano ?? 0n };
      this.#stored.set(account, balance);
    }
    return balance;
  }

  #change(account: string, byNano: bigint, byReservedNano: bigint): void {
    const before = this.of(account);
    const after = { nano: before.nano + byNano, reservedNano: before.reservedNano + byReservedNano };
    const overspent = account !== worldAccount && after.nano < after.reservedNano;
    if (overspent || after.reservedNano < 0n) {
      throw new Error(`${account} would have ${after.nano} nanoTON and hold ${after.reservedNano}`);
    }
    assertNano(after.nano < 0n ? -after.nano : after.nano, account);
    this.#call.set(account, after);
  }
}
