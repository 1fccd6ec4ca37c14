import { BombyxError } from "@bombyx/sdk";
import { type Api, GrammyError } from "grammy";
import type { TransactionPartnerUser } from "grammy/types";
import type { StarSale } from "../config.ts";
import type { Log } from "../log.ts";
import { formatText } from "../markdown/entities.ts";
import { readMarkdown } from "../markdown/read-markdown.ts";
import type { Store } from "../store/open-store.ts";
import type { Payment } from "../store/payments.ts";
import type { Language, Translate } from "../texts/texts.ts";
import { inStars, payloadOf, priceOf, readPayload, starAmounts } from "./star-price.ts";
import type { Till } from "./till.ts";

export interface CashierOptions {
  readonly api: Api;
  readonly till: Till;
  readonly store: Store;
  readonly sale: StarSale;
  readonly texts: Readonly<Record<Language, Translate>>;
  readonly log: Log;
}

export interface PaidStars {
  readonly chargeId: string;
  readonly userId: number;
  readonly stars: number;
  readonly payload: string;
  readonly language: Language;
}

/** A page of Telegram's list of Star transactions. */
const transactionsPage = 100;
const cursor = "star-transactions";

/**
 * Stars in, credit out, each payment once: Telegram tells of it at least once, the gateway knows it by its charge, and
 * between the two it is on the disk. What one of them does not take now is taken up by {@link settle}.
 */
export class Cashier {
  readonly #options: CashierOptions;

  constructor(options: CashierOptions) {
    this.#options = options;
  }

  get sale(): StarSale {
    return this.#options.sale;
  }

  /** Whether a payment may be made now. @throws BombyxError as the gateway refuses it; nothing is charged then. */
  async offer(query: { id: string; userId: number; stars: number; payload: string }): Promise<void> {
    const { till, sale } = this.#options;
    const price = readPayload(query.payload);
    const current = price && priceOf(price.stars, sale.nanoPerStar).nano === price.nano;
    if (price === undefined || !current || price.stars !== query.stars) {
      throw new BombyxError("PRICE_UNKNOWN", "The price of this invoice is no longer asked.");
    }
    await till.offer({ user: query.userId, id: query.id, ...price });
  }

  /** Telegram has the Stars. */
  async paid(payment: PaidStars): Promise<void> {
    const { store } = this.#options;
    await store.payments.add({ ...payment, state: "paid" });
    const kept = await store.payments.find(payment.chargeId);
    if (kept !== undefined) await this.#finish(kept, true);
  }

  /** Telegram gave the Stars back, whoever asked for it; also of a payment that was never heard of. */
  async wasRefunded(payment: PaidStars): Promise<void> {
    const { store } = this.#options;
    await store.payments.add({ ...payment, state: "refunding" });
    await store.payments.move(payment.chargeId, ["paid", "credited"], "refunding");
    const kept = await store.payments.find(payment.chargeId);
    if (kept?.state === "refunding") await this.#takeBack(kept);
  }

  /** The operator gives a payment back. @returns how it stands then; undefined for one that is not known. */
  async refund(chargeId: string): Promise<Payment | undefined> {
    const { store } = this.#options;
    await store.payments.move(chargeId, ["paid", "credited"], "refunding");
    const payment = await store.payments.find(chargeId);
    if (payment?.state === "refunding") await this.#giveBack(payment);
    return await store.payments.find(chargeId);
  }

  /** What an earlier run, a gateway that was away or an update that never came has left: called at start and now and then. */
  async settle(): Promise<void> {
    const { store, log } = this.#options;
    try {
      await this.#readTransactions();
    } catch (error) {
      log.warn({ err: error }, "Telegram does not list the Star payments");
    }
    for (const payment of await store.payments.unfinished()) await this.#finish(payment, false);
  }

  /** Tells the gateway what the Mini App may sell. The links are good for everybody and for ever. */
  async publish(): Promise<void> {
    const { api, till, store, sale, texts, log } = this.#options;
    try {
      const prices = starAmounts.map((stars) => priceOf(stars, sale.nanoPerStar));
      const known = new Map<string, string>(JSON.parse((await store.settings.get("star-links")) ?? "[]"));
      for (const price of prices) {
        const payload = payloadOf(price);
        if (known.has(payload)) continue;
        const { title, description, label } = invoiceWords(texts.en, price.stars);
        const amount = [{ label, amount: price.stars }];
        known.set(payload, await api.createInvoiceLink(title, description, payload, "", "XTR", amount));
      }
      await store.settings.set("star-links", JSON.stringify([...known]));
      const products = prices.map((price) => ({
        stars: price.stars,
        nano: `${price.nano}`,
        link: known.get(payloadOf(price)) ?? "",
      }));
      await till.show({ products });
    } catch (error) {
      log.warn({ err: error }, "the Mini App has nothing to sell until the next start");
    }
  }

  async #finish(payment: Payment, first: boolean): Promise<void> {
    const { log } = this.#options;
    try {
      if (payment.state === "paid") await this.#credit(payment);
      else if (payment.state === "refunding") await this.#giveBack(payment);
    } catch (error) {
      log.error({ err: error, chargeId: payment.chargeId }, "a payment in Stars waits for the next try");
      if (first) await this.#tell(payment, "payment-waits", {});
    }
  }

  async #credit(payment: Payment): Promise<void> {
    const { till, store, sale } = this.#options;
    const price = readPayload(payment.payload);
    if (price === undefined || price.stars !== payment.stars) return await this.#unsold(payment);
    let sold: Awaited<ReturnType<Till["sell"]>>;
    try {
      sold = await till.sell({ user: payment.userId, chargeId: payment.chargeId, ...price });
    } catch (error) {
      if (error instanceof BombyxError && error.code === "CREDIT_UNAVAILABLE")
        return await this.#unsold(payment);
      throw error;
    }
    const credited = sold.state === "credited" ? "credited" : "refunded";
    if (!(await store.payments.move(payment.chargeId, ["paid"], credited)) || credited === "refunded") return;
    const credit = inStars(BigInt(sold.starsNano), sale.nanoPerStar);
    await this.#tell(payment, "payment-done", { stars: payment.stars, credit });
  }

  /** Nothing can be given for these Stars: they go back at once. */
  async #unsold(payment: Payment): Promise<void> {
    if (!(await this.#options.store.payments.move(payment.chargeId, ["paid"], "refunding"))) return;
    await this.#tell(payment, "payment-impossible", { stars: payment.stars });
    await this.#giveBack({ ...payment, state: "refunding" });
  }

  async #giveBack(payment: Payment): Promise<void> {
    try {
      await this.#options.api.refundStarPayment(payment.userId, payment.chargeId);
    } catch (error) {
      const done = error instanceof GrammyError && error.description.includes("CHARGE_ALREADY_REFUNDED");
      if (!done) throw error;
    }
    await this.#takeBack(payment);
  }

  /** Behind Telegram's refund: were it before, a refund that Telegram refuses would cost the person the credit. */
  async #takeBack(payment: Payment): Promise<void> {
    const { till, store, sale } = this.#options;
    const { userId: user, chargeId } = payment;
    const { starsNano } = await till.refund({ user, chargeId });
    if (!(await store.payments.move(chargeId, ["refunding"], "refunded"))) return;
    const credit = inStars(BigInt(starsNano), sale.nanoPerStar);
    await this.#tell(payment, "payment-refunded", { stars: payment.stars, credit });
  }

  /** Telegram's own list, from where it was read last: an update can be lost, this cannot. */
  async #readTransactions(): Promise<void> {
    const { api, store } = this.#options;
    for (;;) {
      const offset = Number((await store.settings.get(cursor)) ?? 0);
      const { transactions } = await api.getStarTransactions({ offset, limit: transactionsPage });
      for (const { id, amount, source, receiver } of transactions) {
        const partner = source ?? receiver;
        if (partner?.type !== "user" || partner.transaction_type !== "invoice_payment") continue;
        const payment = { chargeId: id, userId: partner.user.id, stars: amount, payload: payloadIn(partner) };
        const known = await store.payments.find(id);
        const language = known?.language ?? (partner.user.language_code === "ru" ? "ru" : "en");
        if (source !== undefined) await store.payments.add({ ...payment, language, state: "paid" });
        else await this.wasRefunded({ ...payment, language });
      }
      if (transactions.length > 0) await store.settings.set(cursor, String(offset + transactions.length));
      if (transactions.length < transactionsPage) return;
    }
  }

  /** Somebody who has blocked the bot is told nothing, and has the money all the same. */
  async #tell({ userId, language }: Payment, text: string, variables: Record<string, string | number>) {
    const { api, texts, log } = this.#options;
    const { text: words, entities } = formatText(readMarkdown(texts[language](text, variables)));
    try {
      await api.sendMessage(userId, words, { ...(entities.length > 0 && { entities }) });
    } catch (error) {
      log.warn({ err: error }, "a person could not be told of a payment");
    }
  }
}

const payloadIn = (partner: TransactionPartnerUser): string => partner.invoice_payload ?? "";

/** What an invoice says. */
export const invoiceWords = (t: Translate, stars: number) => ({
  title: t("invoice-title"),
  description: t("invoice-description"),
  label: t("invoice-label", { stars }),
});
