import * as z from "zod";
import { count, hex, nano } from "./encoding.ts";

/**
 * What a model costs. Multipliers are in 1/10000, one per class of tokens; `nanoPerUnit` is nanoTON.
 * `id` is a hash of the rest, so both sides of a request agree on the whole row by naming it.
 */
export const priceSchema = z.strictObject({
  id: hex.b16,
  model: z.string().min(1).max(128),
  nanoPerUnit: nano,
  promptMultiplier: count,
  cachedMultiplier: count,
  completionMultiplier: count,
  reasoningMultiplier: count,
});
export type Price = z.infer<typeof priceSchema>;
