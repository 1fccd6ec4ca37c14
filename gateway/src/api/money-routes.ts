import {
  type AccountReceipts,
  type AccountStatement,
  BombyxError,
  creditOfferRequestSchema,
  creditProductsSchema,
  creditRefundRequestSchema,
  creditSaleRequestSchema,
  moneyPages,
  type Spending,
  type StarPayment,
  starLimits,
} from "@bombyx/protocol/wire";
import * as z from "zod";
import type { Principal } from "../accounts/accounts.ts";
import { type AccountMoneyParts, accountMoney } from "../credit/account-money.ts";
import type { CreditShelf } from "../credit/credit-products.ts";
import { type EvidenceParts, receiptLines, receiptProof } from "../evidence/receipt-proof.ts";
import { dayMs } from "../ledger/credit.ts";
import type { Ledger, StarPaymentRecord } from "../ledger/index.ts";
import { creditAccount, sponsorAccount } from "../ledger/index.ts";
import { firstDayOf } from "../ledger/statement-reads.ts";
import { parse, readJson, sendJson } from "./bodies.ts";
import type { Callers } from "./callers.ts";
import type { Router } from "./router.ts";

const pageQuery = z.strictObject({
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional(),
  limit: z.coerce.number().int().min(1).max(moneyPages.linesMost).default(moneyPages.lines),
});
const receiptParams = z.object({ id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });

/** An account's money: what it can spend, what it spent, the receipts of it; and credit that a bot sells for Stars. */
export function moneyRoutes(
  router: Router,
  parts: AccountMoneyParts & EvidenceParts & { callers: Callers; ledger: Ledger; shelf: CreditShelf },
): void {
  const { callers, ledger, purses, prices, shelf, now } = parts;

  router.on("GET", "/v1/account/money", async ({ request, response }) => {
    sendJson(response, 200, await accountMoney(await callers.identify(request), parts));
  });

  router.on("GET", "/v1/account/statement", async ({ request, response, url }) => {
    const principal = await callers.identify(request);
    const { before, limit } = parse(pageQuery, Object.fromEntries(url.searchParams));
    const payer = moneyOf(principal);
    const page = await ledger.statement(payer, { ...(before !== undefined && { before }), limit });
    const lines = page.map(({ nano, attempt, ...line }) => ({ ...line, nano: `${nano}`, receipt: attempt }));
    const body: AccountStatement = { payer, lines, next: next(lines, limit) };
    sendJson(response, 200, body);
  });

  router.on("GET", "/v1/account/spending", async ({ request, response }) => {
    const { account } = await callers.identify(request);
    const at = now();
    const first = firstDayOf(at, moneyPages.days);
    const kept = new Map((await ledger.spending(account, first)).map((day) => [day.day, day]));
    const days = Array.from({ length: moneyPages.days }, (_, ahead) => {
      const day = kept.get(first + ahead);
      return {
        day: (first + ahead) * dayMs,
        spentNano: `${day?.spentNano ?? 0n}`,
        freeNano: `${day?.freeNano ?? 0n}`,
        requests: day?.requests ?? 0,
      };
    });
    const body: Spending = { at, days };
    sendJson(response, 200, body);
  });

  router.on("GET", "/v1/account/receipts", async ({ request, response, url }) => {
    const { account } = await callers.identify(request);
    const { before, limit } = parse(pageQuery, Object.fromEntries(url.searchParams));
    const page = await ledger.receipts(account, { ...(before !== undefined && { before }), limit });
    const body: AccountReceipts = { receipts: await receiptLines(page, prices), next: next(page, limit) };
    sendJson(response, 200, body);
  });

  router.on("GET", "/v1/account/receipts/{id}", async ({ request, response, params }) => {
    const principal = await callers.identify(request);
    const { id } = parse(receiptParams, params);
    const evidence = await ledger.receiptEvidence(id);
    // Whoever asked may see it, and whoever paid; to others it is as if there were none.
    const { account } = principal;
    const shown =
      evidence?.account === account || (isDeveloper(principal) && evidence?.payer === moneyOf(principal));
    if (evidence === undefined || !shown) {
      throw new BombyxError("NOT_FOUND", "This account has no receipt of this id.", { field: "id" });
    }
    sendJson(response, 200, await receiptProof(evidence, parts));
  });

  router.on("PUT", "/v1/credits/products", async ({ request, response }) => {
    const { botId } = await seller(request);
    const products = await readJson(request, creditProductsSchema);
    await shelf.put(botId, products);
    sendJson(response, 200, products);
  });

  router.on("GET", "/v1/credits/products", async ({ request, response }) => {
    const { person, payer } = await callers.identify(request);
    if (person === undefined) {
      throw new BombyxError("FORBIDDEN", "Credit is sold to people: ask with a person's token.");
    }
    const { availableNano } = await ledger.balance(payer);
    sendJson(response, 200, await shelf.of(person.botId, availableNano));
  });

  router.on("POST", "/v1/credits/offers", async ({ request, response }) => {
    const bot = await seller(request);
    const { user, id, nano } = await readJson(request, creditOfferRequestSchema);
    const at = now();
    const { expiresAt } = await ledger.offerCredit({
      sponsor: bot.sponsor,
      credit: creditAccount(bot.botId, user),
      id,
      nano: BigInt(nano),
      expiresAt: at + starLimits.offerMs,
      at,
    });
    sendJson(response, 200, { id, nano, expiresAt });
  });

  router.on("POST", "/v1/credits", async ({ request, response }) => {
    const bot = await seller(request);
    const { user, chargeId, stars, nano } = await readJson(request, creditSaleRequestSchema);
    const sold = await ledger.sellCredit({
      sponsor: bot.sponsor,
      credit: creditAccount(bot.botId, user),
      charge: chargeOf(bot.botId, chargeId),
      stars,
      nano: BigInt(nano),
      at: now(),
    });
    sendJson(response, 200, paymentJson(sold, user, chargeId));
  });

  router.on("POST", "/v1/credits/refunds", async ({ request, response }) => {
    const bot = await seller(request);
    const { user, chargeId } = await readJson(request, creditRefundRequestSchema);
    const refunded = await ledger.refundCredit({
      sponsor: bot.sponsor,
      credit: creditAccount(bot.botId, user),
      charge: chargeOf(bot.botId, chargeId),
      at: now(),
    });
    sendJson(response, 200, paymentJson(refunded, user, chargeId));
  });

  /** Whose credit it is that the caller sells. A bot says who paid it, so it sells only for its own developer. */
  async function seller(request: Parameters<Callers["identify"]>[0]) {
    const { kind, botId, developer } = await callers.identify(request);
    if (kind !== "key" || botId === undefined) {
      throw new BombyxError(
        "FORBIDDEN",
        "Only a bot's own key sells credit: make one with its bot id, and leave Bombyx-User out.",
      );
    }
    return { botId, sponsor: sponsorAccount(developer) };
  }

  /** The ledger account whose movements are the caller's. */
  function moneyOf(principal: Principal): string {
    return purses.of(principal)?.credit ?? principal.payer;
  }
}

const isDeveloper = ({ kind, botId }: Principal) => kind === "key" && botId === undefined;

/** A page that is not full is the last. */
const next = (rows: readonly { readonly id: number }[], limit: number): number | null =>
  rows.length < limit ? null : (rows.at(-1)?.id ?? null);

/** One name over all bots: another bot's payments cannot be touched. */
const chargeOf = (botId: number, chargeId: string): string => `${botId}:${encodeURIComponent(chargeId)}`;

const paymentJson = (payment: StarPaymentRecord, user: number, chargeId: string): StarPayment => ({
  chargeId,
  user,
  stars: payment.stars,
  nano: `${payment.nano}`,
  state: payment.refundedAt === null ? "credited" : "refunded",
  at: payment.at,
  refundedAt: payment.refundedAt,
  takenBackNano: `${payment.takenBackNano}`,
  starsNano: `${payment.creditNano}`,
});
