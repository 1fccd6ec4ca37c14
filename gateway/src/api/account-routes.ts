import { BombyxError, ownerLimits, tokenRequestSchema } from "@bombyx/protocol/wire";
import * as z from "zod";
import type { Accounts, Principal } from "../accounts/accounts.ts";
import { readJson, sendJson } from "./bodies.ts";
import type { Callers } from "./callers.ts";
import type { Router } from "./router.ts";

const keyRequest = z.strictObject({
  label: z.string().min(1).max(64).optional(),
  botId: z.int().positive().optional(),
});

/**
 * A bot's key lies on the bot's server: whoever gets hold of it must not make keys that outlive it, nor
 * pair nodes in its developer's name.
 */
function assertDeveloperKey({ kind, botId }: Principal): void {
  if (kind === "key" && botId === undefined) return;
  throw new BombyxError(
    "FORBIDDEN",
    "Only a developer's own API key does this: neither a bot's nor a token.",
  );
}

/** Of a request, beside the request itself: every code is a row that is kept for a day. */
const pairingCodeCost = 20;

/** Tokens, balance, API keys and pairing codes. */
export function accountRoutes(
  router: Router,
  {
    callers,
    accounts,
    spendable,
  }: {
    callers: Callers;
    accounts: Accounts;
    /** What the account's next request may cost, and what running ones hold; a person does not see the sponsor's. */
    spendable: (principal: Principal) => Promise<{ availableNano: bigint; reservedNano: bigint }>;
  },
): void {
  router.on("POST", "/v1/tokens", async ({ request, response }) => {
    callers.admitStranger(request);
    const { token, expiresAt } = await accounts.issueToken(await readJson(request, tokenRequestSchema));
    sendJson(response, 200, { token, expiresAt });
  });

  router.on("GET", "/v1/account", async ({ request, response }) => {
    const principal = await callers.identify(request);
    const { account, payer } = principal;
    const { availableNano, reservedNano } = await spendable(principal);
    sendJson(response, 200, {
      account,
      payer,
      balanceNano: availableNano.toString(),
      reservedNano: reservedNano.toString(),
    });
  });

  router.on("POST", "/v1/keys", async ({ request, response }) => {
    const principal = await callers.identify(request);
    assertDeveloperKey(principal);
    const { label, botId } = await readJson(request, keyRequest);
    const { key, id } = await accounts.createApiKey({
      developer: principal.developer,
      ...(label !== undefined && { label }),
      ...(botId !== undefined && { botId }),
    });
    sendJson(response, 201, { id, key });
  });

  router.on("POST", "/v1/pairing-codes", async ({ request, response }) => {
    const principal = await callers.identify(request);
    // A person's own token, or a developer's key; not a bot's, for itself or in anybody's name.
    if (principal.kind !== "person") assertDeveloperKey(principal);
    const { account } = principal;
    accounts.admit(account, pairingCodeCost);
    if ((await accounts.machinesOf(account)).length >= ownerLimits.machines) {
      throw new BombyxError(
        "MACHINE_LIMIT",
        `An account has at most ${ownerLimits.machines} machines: remove one that is gone, or ask the operator.`,
      );
    }
    const { code, expiresAt } = await accounts.createPairingCode({ owner: account });
    sendJson(response, 201, { code, expiresAt });
  });
}
