import { BombyxError, tokenRequestSchema } from "@bombyx/protocol/wire";
import * as z from "zod";
import type { Accounts } from "../accounts/accounts.ts";
import type { Ledger } from "../ledger/ledger.ts";
import { readJson, sendJson } from "./bodies.ts";
import type { Callers } from "./callers.ts";
import type { Router } from "./router.ts";

const keyRequest = z.strictObject({
  label: z.string().min(1).max(64).optional(),
  botId: z.int().positive().optional(),
});

/** Tokens, balance, API keys and pairing codes. */
export function accountRoutes(
  router: Router,
  { callers, accounts, ledger }: { callers: Callers; accounts: Accounts; ledger: Ledger },
): void {
  router.on("POST", "/v1/tokens", async ({ request, response }) => {
    callers.admitStranger(request);
    const { token, expiresAt } = await accounts.issueToken(await readJson(request, tokenRequestSchema));
    sendJson(response, 200, { token, expiresAt });
  });

  router.on("GET", "/v1/account", async ({ request, response }) => {
    const { account, payer } = await callers.identify(request);
    const { availableNano, reservedNano } = await ledger.balance(payer);
    sendJson(response, 200, {
      account,
      payer,
      balanceNano: availableNano.toString(),
      reservedNano: reservedNano.toString(),
    });
  });

  router.on("POST", "/v1/keys", async ({ request, response }) => {
    const { kind, developer } = await callers.identify(request);
    if (kind !== "key") {
      throw new BombyxError("FORBIDDEN", "Only a developer makes API keys: use an API key of your own.");
    }
    const { label, botId } = await readJson(request, keyRequest);
    const { key, id } = await accounts.createApiKey({
      developer,
      ...(label !== undefined && { label }),
      ...(botId !== undefined && { botId }),
    });
    sendJson(response, 201, { id, key });
  });

  router.on("POST", "/v1/pairing-codes", async ({ request, response }) => {
    const { account } = await callers.identify(request);
    const { code, expiresAt } = await accounts.createPairingCode({ owner: account });
    sendJson(response, 201, { code, expiresAt });
  });
}
