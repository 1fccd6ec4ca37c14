import {
  type CreditOfferRequest,
  type CreditProducts,
  type CreditRefundRequest,
  type CreditSaleRequest,
  creditOfferSchema,
  creditProductsSchema,
  type StarPayment,
  starPaymentSchema,
} from "@bombyx/protocol/wire";
import type { GatewayAccess } from "../gateway/access.ts";
import { GatewayHttp } from "../gateway/gateway-http.ts";

interface CallOptions {
  readonly signal?: AbortSignal;
}

/**
 * What a bot sells for Telegram Stars: credit for one person, moved out of its developer's own deposit. It takes the
 * bot's key, and every call may be repeated: the gateway knows the payment by its charge id.
 *
 * ```ts
 * const seller = new CreditSeller({ gateway, apiKey: botKey });
 * await seller.offer({ user, id: query.id, stars: 50, nano: "250000000" }); // pre_checkout_query: answer ok
 * await seller.sell({ user, chargeId, stars: 50, nano: "250000000" });     // successful_payment
 * ```
 *
 * Every method throws BombyxError: FORBIDDEN (not a bot's key), ALREADY_USED (that name was another payment),
 * GATEWAY_UNREACHABLE.
 */
export class CreditSeller {
  readonly #http: GatewayHttp;

  /** @throws BombyxError BAD_REQUEST when `gateway` is not an https URL, or an http one of this machine. */
  constructor({ gateway, apiKey, allowHttp, fetch }: GatewayAccess) {
    this.#http = new GatewayHttp({ url: gateway, apiKey, allowHttp, fetch });
  }

  /**
   * Holds the credit for as long as a payment takes.
   * @throws BombyxError CREDIT_UNAVAILABLE (the deposit has less left), RATE_LIMITED (the person pays too much at once).
   */
  async offer(offer: CreditOfferRequest, options: CallOptions = {}): Promise<{ expiresAt: number }> {
    return await this.#http.post(creditOfferSchema, "v1/credits/offers", offer, options);
  }

  /** @throws BombyxError CREDIT_UNAVAILABLE: nothing was moved, so the Stars go back. */
  async sell(sale: CreditSaleRequest, options: CallOptions = {}): Promise<StarPayment> {
    return await this.#http.post(starPaymentSchema, "v1/credits", sale, options);
  }

  /** The Stars went back: takes what is left of the credit. May come before its payment, which then moves nothing. */
  async refund(refund: CreditRefundRequest, options: CallOptions = {}): Promise<StarPayment> {
    return await this.#http.post(starPaymentSchema, "v1/credits/refunds", refund, options);
  }

  /** What the bot's Mini App may sell: each with an invoice link that the bot made. */
  async products(products: CreditProducts, options: CallOptions = {}): Promise<void> {
    await this.#http.post(creditProductsSchema, "v1/credits/products", products, {
      ...options,
      method: "PUT",
    });
  }
}
