import { setTimeout as after } from "node:timers/promises";
import * as z from "zod";

const accountSchema = z.object({ balanceNano: z.string(), reservedNano: z.string() });
const mostMs = 30_000;
const everyMs = 100;

/**
 * Resolves when the gateway has seen on the chain what was deposited for this key's developer.
 * @throws Error when that takes longer than half a minute
 */
export async function credited(gateway: string, apiKey: string, signal?: AbortSignal): Promise<void> {
  for (let waited = 0; waited < mostMs; waited += everyMs) {
    const response = await fetch(`${gateway}/v1/account`, {
      headers: { authorization: `Bearer ${apiKey}` },
      ...(signal && { signal }),
    });
    const { balanceNano, reservedNano } = accountSchema.parse(await response.json());
    if (BigInt(balanceNano) + BigInt(reservedNano) > 0n) return;
    await after(everyMs);
  }
  throw new Error(
    "The gateway does not see the deposit that was made for this devnet's developer: see its log.",
  );
}
