import * as z from "zod";
import { count, hex } from "./encoding.ts";
import { priceSchema } from "./price.ts";

/**
 * What everybody may see of a network: machines and sums, never an account. Speeds are what each node
 * measured of itself at its start; the gateway counts billed units, and never learns tokens.
 */
export const networkNodeSchema = z.object({
  node: hex.b32,
  name: z.string().max(64),
  state: z.enum(["linked", "ready", "draining", "quarantined"]),
  model: z.string().nullable(),
  slots: count,
  running: count,
  queued: count,
  decodeTokensPerSecond: z.number(),
  prefillTokensPerSecond: z.number(),
  /** Opaque tag: which nodes are one owner's. Another after each start of the gateway. */
  owner: z.string(),
  /** By the gateway's own appraisal; null until it is attested. A client judges for itself. */
  simulated: z.boolean().nullable(),
  /** "none" is the open tier: its owner can read what is sent there. Null until it is attested. */
  tee: z.enum(["tdx", "none"]).nullable().optional(),
});
export type NetworkNode = z.infer<typeof networkNodeSchema>;

/** One minute of the network; `at` is its begin. */
const minute = z.object({ at: count, requests: count, units: count, nodes: count });
export type NetworkMinute = z.infer<typeof minute>;

/** `GET /v1/network`: no credential. */
export const networkSchema = z.object({
  at: count,
  /** At most 200, those with most slots first; `totals` counts all. */
  nodes: z.array(networkNodeSchema),
  models: z.array(z.object({ id: z.string(), nodes: count, slots: count, price: priceSchema })),
  totals: z.object({
    nodes: count,
    ready: count,
    slots: count,
    running: count,
    decodeTokensPerSecond: z.number(),
    /** Settled in the last 24 h. */
    requests: count,
    units: count,
  }),
  /** The running minute. */
  minute,
  terms: z.object({
    /** What a model costs that has no price of its own. */
    price: priceSchema.omit({ id: true, model: true }),
    /** What an owner gets of each price, in 1/10000. */
    ownerShareBps: count.max(10_000),
  }),
});
export type Network = z.infer<typeof networkSchema>;

/** `GET /v1/network/history`: whole minutes of the last 24 h, oldest first; minutes without a gateway are missing. */
export const networkHistorySchema = z.object({
  at: count,
  minutes: z.array(z.tuple([count, count, count, count])),
});
