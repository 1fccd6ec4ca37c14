import { AccountClient, CreditSeller, type GatewayAccess } from "@bombyx/sdk/account";
import type { Till } from "./till.ts";

/** Telegram waits ten seconds for a pre-checkout; what the gateway does not answer by then is a no. */
const withinMs = 7_000;

/** The gateway, by the bot's own key. */
export function sdkTill(access: GatewayAccess): Till {
  const seller = new CreditSeller(access);
  const own = new AccountClient(access);
  const soon = () => ({ signal: AbortSignal.timeout(withinMs) });
  return {
    offer: async ({ nano, ...offer }) => {
      await seller.offer({ ...offer, nano: `${nano}` }, soon());
    },
    sell: ({ nano, ...sale }) => seller.sell({ ...sale, nano: `${nano}` }, soon()),
    refund: (refund) => seller.refund(refund, soon()),
    show: (products) => seller.products(products, soon()),
    money: (user) => new AccountClient({ ...access, telegramUser: `${user}` }).money(soon()),
    events: (after, signal) => own.events({ after, signal }),
  };
}
