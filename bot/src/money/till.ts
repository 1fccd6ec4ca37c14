import type { AccountEvent, AccountMoney, CreditProducts, StarPayment } from "@bombyx/sdk/account";

/** The gateway's side of a sale. Every call may be repeated; each throws the sdk's BombyxError. */
export interface Till {
  /** Holds the credit while a payment is made. */
  offer(offer: { user: number; id: string; stars: number; nano: bigint }): Promise<void>;
  /** Moves the credit to the person, once per charge. */
  sell(sale: { user: number; chargeId: string; stars: number; nano: bigint }): Promise<StarPayment>;
  refund(refund: { user: number; chargeId: string }): Promise<StarPayment>;
  /** What the Mini App sells. */
  show(products: CreditProducts): Promise<void>;
  money(user: number): Promise<AccountMoney>;
  /** What happens to this bot's people after event `after`; ends now and then. */
  events(after: number, signal: AbortSignal): AsyncIterable<AccountEvent>;
}
