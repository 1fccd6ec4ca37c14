import * as z from "zod";
import { count, hex } from "./encoding.ts";

export const accountEventTypes = [
  "node.paired",
  "node.online",
  "node.attested",
  "node.offline",
  "node.quarantined",
  "node.refused",
  "node.removed",
  // What the account can spend is nearly used up; `message` says what of it.
  "balance.low",
  // Earnings became final: the owner can claim them; `message` says how much.
  "payout.ready",
  // A root with earnings of the owner's was vetoed or disputed: they come with a later one.
  "payout.stopped",
] as const;

/**
 * `GET /v1/events[?after=ID]`: server-sent events of the caller's account. Each is kept for a week and
 * delivered at least once: `id` only grows, and `after` names the last one that was dealt with.
 */
export const accountEventSchema = z.object({
  id: count,
  at: count,
  type: z.enum(accountEventTypes),
  /** Whose it is: a bot's key hears of every person of its bot. */
  account: z.string(),
  machine: z.string().nullable(),
  node: hex.b32.nullable(),
  /** How its owner calls the machine. */
  name: z.string(),
  /** One sentence, where there is a reason. */
  message: z.string().nullable(),
});
export type AccountEvent = z.infer<typeof accountEventSchema>;
