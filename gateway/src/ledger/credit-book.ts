import { BombyxError, starLimits } from "@bombyx/protocol/wire";
import type { Balances } from "./balances.ts";
import {
  type CreditOffer,
  type CreditRefund,
  type CreditSale,
  type Drawn,
  dayMs,
  dayOf,
  type Funds,
  type PersonPurses,
  type StarPaymentRecord,
} from "./credit.ts";
import type { CreditStatements } from "./credit-statements.ts";
import type { AckState, Attempt } from "./ledger.ts";
import { assertNano } from "./money.ts";
import type { AttemptRow } from "./statements.ts";

/** Offers that one sweep ends in one transaction. */
const sweepMost = 10_000n;

/** The ledger's decisions on what is promised to people, on an open transaction; contracts are those of `CreditLedger`. */
export class CreditBook {
  readonly #statements: CreditStatements;
  readonly #balances: Balances;

  constructor(statements: CreditStatements, balances: Balances) {
    this.#statements = statements;
    this.#balances = balances;
  }

  /**
   * Holds `nano` where the attempt's account may: in one purse, the first that has room for all of it.
   * @throws BombyxError ALLOWANCE_EXHAUSTED, SPONSOR_EMPTY (a person's allowance has room, the deposit has not).
   */
  draw({ payer, person, at }: Attempt, nano: bigint): Drawn {
    if (person === undefined) {
      const purse = payer.startsWith("channel:") ? "channel" : "sponsor";
      if (this.#balances.hold(payer, nano)) return own(payer, purse);
      throw new BombyxError(
        "ALLOWANCE_EXHAUSTED",
        `This request can cost up to ${nano} nanoTON, ${payer} has ${this.#available(payer)} left: top it up, or ask for fewer tokens.`,
      );
    }
    const user = BigInt(person.user);
    const day = BigInt(dayOf(at));
    const leftNano = person.allowanceNano - this.#usedOf(user, day);
    const free = nano <= leftNano;
    if (free && this.#balances.hold(payer, nano)) {
      this.#statements.addAllowance.run({ user, day, nano });
      return { payer, purse: "allowance", allowanceUser: user, allowanceDay: day };
    }
    if (this.#balances.hold(person.credit, nano)) return own(person.credit, "stars");
    if (free) {
      throw new BombyxError(
        "SPONSOR_EMPTY",
        `This request can cost up to ${nano} nanoTON, and what this bot's developer has paid in does not cover it: try again when it was topped up, or buy credit.`,
      );
    }
    const retryAfterMs = (dayOf(at) + 1) * dayMs - at;
    throw new BombyxError(
      "ALLOWANCE_EXHAUSTED",
      `This request can cost up to ${nano} nanoTON; of today's allowance ${leftNano < 0n ? 0n : leftNano} is left, of bought credit ${this.#available(person.credit)}: ask for fewer tokens, buy credit, or come back after 00:00 UTC.`,
      { retryAfterMs },
    );
  }

  /** An attempt of `draw` has ended, and holds nothing any more: what it did not cost counts no more. */
  ended(attempt: AttemptRow, chargedNano: bigint, at: number): void {
    const { allowance_user: user, allowance_day: day, reserved_nano } = attempt;
    const nano = reserved_nano - chargedNano;
    if (user !== null && day !== null && nano > 0n) {
      this.#statements.giveAllowanceBack.run({ user, day, nano });
    }
    if (attempt.purse === "stars") this.#takeReleased(attempt, nano, at);
  }

  /** An attempt was paid for: it is part of its account's day, and names the acknowledgement that it made. */
  paid({ id, account, purse }: AttemptRow, chargedNano: bigint, ack: AckState, before: string, at: number) {
    const free = purse === "allowance" ? chargedNano : 0n;
    const day = BigInt(dayOf(at));
    this.#statements.addSpending.run({ account, day, spent: chargedNano - free, free });
    this.#statements.setAck.run({ attempt: id, n: BigInt(ack.n), nano: ack.cumulativeNano, before });
  }

  offer({ sponsor, credit, id, nano, expiresAt, at }: CreditOffer): { expiresAt: number } {
    assertSale(nano);
    const known = this.#statements.offer.get({ credit, id });
    if (known !== undefined) {
      const lasts = known.state === "open" && known.expires_at > BigInt(at);
      if (lasts && known.nano === nano && known.sponsor === sponsor) {
        return { expiresAt: Number(known.expires_at) };
      }
      throw new BombyxError(
        "ALREADY_USED",
        `Offer ${id} was ${known.nano} nanoTON and ${lasts ? "stands" : "has ended"}: take another id.`,
        { field: "id" },
      );
    }
    const open = this.#statements.openOffers.all({ credit });
    for (const ended of open.filter(({ expires_at }) => expires_at <= BigInt(at))) this.#expire(ended);
    const standing = open.filter(({ expires_at }) => expires_at > BigInt(at));
    if (standing.length >= starLimits.offersOfPerson) {
      throw new BombyxError(
        "RATE_LIMITED",
        `A person has at most ${starLimits.offersOfPerson} payments under way: finish one, or wait until it ends.`,
        { retryAfterMs: Math.max(1, Number(standing[0]?.expires_at ?? 0n) - at) },
      );
    }
    if (!this.#balances.hold(sponsor, nano)) throw this.#unavailable(sponsor, nano);
    this.#statements.insertOffer.run({ credit, id, sponsor, nano, expiresAt: BigInt(expiresAt) });
    return { expiresAt };
  }

  sell({ sponsor, credit, charge, stars, nano, at }: CreditSale): StarPaymentRecord {
    assertSale(nano);
    const known = this.#statements.payment.get({ charge });
    if (known !== undefined) {
      const filled = known.nano !== null;
      const same = known.nano === nano && known.stars === BigInt(stars);
      if (known.credit !== credit || known.sponsor !== sponsor || (filled && !same)) throw usedCharge(charge);
      // Its refund was heard of first: it is complete now, and moves nothing.
      if (!filled) this.#statements.fillPayment.run({ charge, stars: BigInt(stars), nano });
      return this.#payment(charge);
    }
    const offered = this.#statements.openOffers
      .all({ credit })
      .find((offer) => offer.nano === nano && offer.sponsor === sponsor);
    if (offered !== undefined) {
      this.#balances.unhold(sponsor, nano);
      this.#statements.endOffer.run({ credit, id: offered.id, state: "sold" });
    }
    if (this.#available(sponsor) < nano) throw this.#unavailable(sponsor, nano);
    this.#statements.insertPayment.run({
      charge,
      credit,
      sponsor,
      stars: BigInt(stars),
      nano,
      at: BigInt(at),
      refundedAt: null,
    });
    this.#move(`stars:${charge}`, sponsor, credit, nano, at);
    return this.#payment(charge);
  }

  refund({ sponsor, credit, charge, at }: CreditRefund): StarPaymentRecord {
    const known = this.#statements.payment.get({ charge });
    if (known === undefined) {
      const heard = { charge, credit, sponsor, stars: null, nano: null };
      this.#statements.insertPayment.run({ ...heard, at: BigInt(at), refundedAt: BigInt(at) });
      return this.#payment(charge);
    }
    if (known.credit !== credit || known.sponsor !== sponsor) throw usedCharge(charge);
    if (known.refunded_at === null) {
      const left = this.#available(credit);
      const bought = known.nano ?? 0n;
      const taken = least(left, bought);
      // What running requests hold is taken when they let go of it, or a refund in time would leave it to the person.
      const pending = least(bought - taken, this.#balances.of(credit).reservedNano);
      this.#move(`unstars:${charge}`, credit, sponsor, taken, at);
      this.#statements.refundPayment.run({ charge, at: BigInt(at), taken, pending });
    }
    return this.#payment(charge);
  }

  expireOffers(at: number): number {
    const ended = this.#statements.offersBefore.all({ at: BigInt(at), most: sweepMost });
    for (const offer of ended) this.#expire(offer);
    return ended.length;
  }

  funds({ payer, person, at }: { payer: string; person?: PersonPurses; at: number }): Funds {
    const { nano, reservedNano } = this.#balances.of(payer);
    const credit = person && this.#balances.of(person.credit);
    return {
      availableNano: nano - reservedNano,
      reservedNano,
      creditNano: credit === undefined ? 0n : credit.nano - credit.reservedNano,
      creditReservedNano: credit?.reservedNano ?? 0n,
      allowanceUsedNano: person === undefined ? 0n : this.#usedOf(BigInt(person.user), BigInt(dayOf(at))),
    };
  }

  /** Credit whose Stars went back while requests held it. */
  #takeReleased({ id, payer }: AttemptRow, releasedNano: bigint, at: number): void {
    let left = releasedNano;
    for (const { charge, sponsor, pending_nano } of this.#statements.pendingRefunds.all({ credit: payer })) {
      const nano = least(left, pending_nano);
      left -= nano;
      this.#move(`unstars:${charge}:${id}`, payer, sponsor, nano, at);
      const pending = least(pending_nano - nano, this.#balances.of(payer).reservedNano);
      this.#statements.takePending.run({ charge, nano, pending });
    }
  }

  #usedOf(user: bigint, day: bigint): bigint {
    return this.#statements.allowance.get({ user, day })?.nano ?? 0n;
  }

  #available(account: string): bigint {
    const { nano, reservedNano } = this.#balances.of(account);
    return nano - reservedNano;
  }

  #expire({
    sponsor,
    credit,
    id,
    nano,
  }: {
    sponsor: string;
    credit: string;
    id: string;
    nano: bigint;
  }): void {
    this.#balances.unhold(sponsor, nano);
    this.#statements.endOffer.run({ credit, id, state: "expired" });
  }

  #unavailable(sponsor: string, nano: bigint): BombyxError {
    return new BombyxError(
      "CREDIT_UNAVAILABLE",
      `${nano} nanoTON of credit cannot be sold: ${sponsor} has ${this.#available(sponsor)} left of what was paid in. Pay in more, or sell less.`,
      { field: "nano" },
    );
  }

  #payment(charge: string): StarPaymentRecord {
    const row = this.#statements.payment.get({ charge });
    if (row === undefined) throw new Error(`payment ${charge} is gone`);
    return {
      charge,
      stars: Number(row.stars ?? 0n),
      nano: row.nano ?? 0n,
      at: Number(row.at),
      refundedAt: row.refunded_at === null ? null : Number(row.refunded_at),
      takenBackNano: row.taken_nano,
      creditNano: this.#balances.of(row.credit).nano,
    };
  }

  #move(key: string, account: string, counter: string, nano: bigint, at: number): void {
    if (nano === 0n) return;
    this.#statements.insertEntry.run({ key, account, counter, nano, at: BigInt(at) });
    this.#balances.move(account, counter, nano);
  }
}

const least = (a: bigint, b: bigint): bigint => (a < b ? a : b);

const own = (payer: string, purse: Drawn["purse"]): Drawn => ({
  payer,
  purse,
  allowanceUser: null,
  allowanceDay: null,
});

function assertSale(nano: bigint): void {
  assertNano(nano, "nano");
  if (nano === 0n)
    throw new BombyxError("BAD_REQUEST", "nano is 0; credit is sold above 0.", { field: "nano" });
}

const usedCharge = (charge: string) =>
  new BombyxError(
    "ALREADY_USED",
    `Payment ${charge} is known with another person, amount or developer: a charge is one payment.`,
    { field: "chargeId" },
  );
