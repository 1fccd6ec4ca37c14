import { BombyxError, walletProofSchema } from "@bombyx/protocol/wire";
import type { Accounts, Principal } from "../accounts/accounts.ts";
import type { Wallets } from "../wallets/wallets.ts";
import { readJson, sendJson } from "./bodies.ts";
import type { Callers } from "./callers.ts";
import type { Router } from "./router.ts";

/** Of a request, beside the request itself: a challenge is a row, a proof a signature to check. */
const proofCost = 20;

/** The wallet of an account: a challenge, the proof that answers it, and forgetting it. */
export function walletRoutes(
  router: Router,
  { callers, accounts, wallets }: { callers: Callers; accounts: Accounts; wallets: Wallets | undefined },
): void {
  const settled = (): Wallets => {
    if (wallets) return wallets;
    throw new BombyxError("NOT_FOUND", "This gateway settles nothing on chain, so it knows no wallets.");
  };

  router.on("POST", "/v1/wallet/challenge", async ({ request, response }) => {
    const account = holderOf(await callers.identify(request));
    accounts.admit(account, proofCost);
    sendJson(response, 201, await settled().challenge(account));
  });

  router.on("GET", "/v1/wallet", async ({ request, response }) => {
    const { account } = await callers.identify(request);
    sendJson(response, 200, { wallet: (await settled().of(account)) ?? null });
  });

  router.on("PUT", "/v1/wallet", async ({ request, response }) => {
    const account = holderOf(await callers.identify(request));
    accounts.admit(account, proofCost);
    sendJson(response, 200, {
      wallet: await settled().prove(account, await readJson(request, walletProofSchema)),
    });
  });

  router.on("DELETE", "/v1/wallet", async ({ request, response }) => {
    const account = holderOf(await callers.identify(request));
    await settled().forget(account);
    sendJson(response, 200, { wallet: null });
  });
}

/** A bot's key lies on the bot's server: it must not name the wallet that a person is known by. */
function holderOf({ account, kind, botId }: Principal): string {
  if (kind === "person" || (kind === "key" && botId === undefined)) return account;
  throw new BombyxError(
    "FORBIDDEN",
    "A wallet is connected in the Mini App, or with a developer's own API key; not with a bot's.",
  );
}
