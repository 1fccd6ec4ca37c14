import { BombyxError } from "@bombyx/sdk";
import type { AccountEvent, AccountMoney, CreditProducts, StarPayment } from "@bombyx/sdk/account";
import type { Till } from "../src/money/till.ts";

type Sale = { user: number; chargeId: string; stars: number; nano: bigint };

/** A gateway's books for one bot, as the real ones behave: by charge, once, within the deposit. */
export class ScriptedTill implements Till {
  deposit = 10n ** 12n;
  away = false;
  readonly offers: { user: number; id: string; stars: number; nano: bigint }[] = [];
  readonly sales = new Map<string, Sale & { refunded: boolean }>();
  readonly asked: string[] = [];
  readonly #shown = Promise.withResolvers<CreditProducts>();
  #events = Promise.withResolvers<void>();
  readonly #told: AccountEvent[] = [];

  /** What the Mini App sells, once the bot has said it. */
  get shown(): Promise<CreditProducts> {
    return this.#shown.promise;
  }

  credit(user: number): bigint {
    return [...this.sales.values()].reduce(
      (sum, sale) => (sale.user === user && !sale.refunded ? sum + sale.nano : sum),
      0n,
    );
  }

  async offer(offer: { user: number; id: string; stars: number; nano: bigint }): Promise<void> {
    this.#assertHere("offer");
    if (offer.nano > this.deposit) throw new BombyxError("CREDIT_UNAVAILABLE", "too much");
    this.offers.push(offer);
  }

  async sell(sale: Sale): Promise<StarPayment> {
    this.#assertHere("sell");
    const known = this.sales.get(sale.chargeId);
    if (known === undefined) {
      if (sale.nano > this.deposit) throw new BombyxError("CREDIT_UNAVAILABLE", "too much");
      this.deposit -= sale.nano;
      this.sales.set(sale.chargeId, { ...sale, refunded: false });
    }
    return this.#payment(sale.chargeId, sale.user);
  }

  async refund({ user, chargeId }: { user: number; chargeId: string }): Promise<StarPayment> {
    this.#assertHere("refund");
    const known = this.sales.get(chargeId) ?? { user, chargeId, stars: 0, nano: 0n, refunded: true };
    if (!known.refunded) this.deposit += known.nano;
    this.sales.set(chargeId, { ...known, refunded: true });
    return this.#payment(chargeId, user);
  }

  async show(products: CreditProducts): Promise<void> {
    this.#shown.resolve(products);
  }

  async money(user: number): Promise<AccountMoney> {
    this.#assertHere("money");
    return {
      account: `person:1:${user}`,
      payer: `credit:1:${user}`,
      balanceNano: null,
      reservedNano: null,
      allowance: { limitNano: "1000", usedNano: "250", leftNano: "750", resetsAt: 0 },
      starsNano: `${this.credit(user)}`,
      starsReservedNano: "0",
      channel: null,
      gramPayments: false,
    };
  }

  async *events(after: number, signal: AbortSignal): AsyncGenerator<AccountEvent> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
    for (let at = 0; !signal.aborted; ) {
      for (; at < this.#told.length; at++) {
        const event = this.#told[at];
        if (event !== undefined && event.id > after) yield event;
      }
      await Promise.race([this.#events.promise, aborted]);
    }
  }

  tell(event: AccountEvent): void {
    this.#told.push(event);
    this.#events.resolve();
    this.#events = Promise.withResolvers();
  }

  #assertHere(call: string): void {
    this.asked.push(call);
    if (this.away) throw new BombyxError("GATEWAY_UNREACHABLE", "away");
  }

  #payment(chargeId: string, user: number): StarPayment {
    const sale = this.sales.get(chargeId);
    return {
      chargeId,
      user,
      stars: sale?.stars ?? 0,
      nano: `${sale?.nano ?? 0n}`,
      state: sale?.refunded ? "refunded" : "credited",
      at: 0,
      refundedAt: sale?.refunded ? 1 : null,
      takenBackNano: "0",
      starsNano: `${this.credit(user)}`,
    };
  }
}
