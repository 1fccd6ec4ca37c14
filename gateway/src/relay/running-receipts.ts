import { assertSigned } from "@bombyx/protocol/receipt";
import type { SignedReceipt } from "@bombyx/protocol/wire";
import type { Ledger } from "../ledger/ledger.ts";
import type { Attempt } from "./attempt.ts";

/** What a running receipt may wait for the next one, ms. */
const keepAfterMs = 10_000;

interface Remembered {
  signed: SignedReceipt;
  sigPk: Uint8Array;
  /** When the first came that the ledger has not. */
  readonly since: number;
  refuse: (error: unknown) => void;
}

/**
 * The last running receipt of every answer under way. It pays a node that is lost, and most nodes are
 * not: its signature is judged and the ledger told only when that happens, or every ten seconds for
 * the case that this process dies, too. A final receipt makes it worthless.
 */
export class RunningReceipts {
  readonly #ledger: Pick<Ledger, "settle">;
  readonly #now: () => number;
  readonly #last = new Map<Attempt, Remembered>();

  constructor(ledger: Pick<Ledger, "settle">, now: () => number) {
    this.#ledger = ledger;
    this.#now = now;
  }

  /** @param refuse is told when the receipt turns out not to be the node's, or the ledger refuses it. */
  remember(
    attempt: Attempt,
    signed: SignedReceipt,
    sigPk: Uint8Array,
    refuse: (error: unknown) => void,
  ): void {
    const last = this.#last.get(attempt);
    if (!last) {
      this.#last.set(attempt, { signed, sigPk, since: this.#now(), refuse });
      return;
    }
    if (signed.receipt.frames <= last.signed.receipt.frames) return;
    last.signed = signed;
    last.sigPk = sigPk;
    last.refuse = refuse;
  }

  /** The ledger has it before any call that comes after this. */
  keep(attempt: Attempt): void {
    const last = this.#last.get(attempt);
    if (!last) return;
    this.#last.delete(attempt);
    try {
      assertSigned(last.signed, last.sigPk);
      this.#ledger.settle(last.signed, this.#now()).catch(last.refuse);
    } catch (error) {
      last.refuse(error);
    }
  }

  forget(attempt: Attempt): void {
    this.#last.delete(attempt);
  }

  /** Called about every second. */
  check(): void {
    // Oldest first: each is remembered from its first on.
    for (const [attempt, { since }] of this.#last) {
      if (this.#now() - since < keepAfterMs) return;
      this.keep(attempt);
    }
  }
}
