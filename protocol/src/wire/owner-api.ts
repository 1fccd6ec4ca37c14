import * as z from "zod";
import { count, hex, nanoText } from "./encoding.ts";

/** What one owner may register, and how it is described. */
export const ownerLimits = {
  machines: 64,
  nameCharacters: 40,
  gpuCharacters: 64,
  vramMib: 4 * 1024 * 1024,
} as const;

/** Shown to everybody who looks at the network: no control characters, nothing that turns text around. */
const shownText = (most: number) =>
  z
    .string()
    .trim()
    .min(1, "must not be empty")
    .max(most, `must have at most ${most} characters`)
    .regex(/^[^\p{C}\u2028\u2029]*$/u, "must be printable text on one line");

/** `POST /v1/owner/machines`: what an owner says of the hardware; nobody is paid for it, and clients do not see it. */
export const machineRequestSchema = z.strictObject({
  gpu: shownText(ownerLimits.gpuCharacters),
  vramMib: z.int().min(0).max(ownerLimits.vramMib),
  hoursPerDay: z.int().min(1).max(24),
  /** How the network shows it. @default the name that the node itself gives */
  name: shownText(ownerLimits.nameCharacters).optional(),
});
export type MachineRequest = z.infer<typeof machineRequestSchema>;

/** `PATCH /v1/owner/machines/{id}`. */
export const machineChangeSchema = z.strictObject({ name: shownText(ownerLimits.nameCharacters) });

/** `POST /v1/owner/machines/{id}/pairing-code`: the code is shown here and never again. */
export const pairingCodeSchema = z.object({ code: z.string(), expiresAt: count });
export type IssuedPairingCode = z.infer<typeof pairingCodeSchema>;

export const machineStates = [
  /** No node has used its code yet. */
  "unpaired",
  /** Paired; its node is not linked now. */
  "offline",
  /** Linked, and not attested yet. */
  "linked",
  /** Attested, and offered to clients. */
  "ready",
  /** Finishes what runs, takes nothing new. */
  "draining",
  /** The gateway sends it nothing more; a warning says why. */
  "quarantined",
] as const;
export type MachineState = (typeof machineStates)[number];

const served = z.object({ requests: count, units: count, earnedNano: nanoText });
export type Served = z.infer<typeof served>;

export const machineSchema = z.object({
  id: z.string(),
  name: z.string(),
  gpu: z.string().nullable(),
  vramMib: count.nullable(),
  hoursPerDay: count.nullable(),
  registeredAt: count,
  state: z.enum(machineStates),
  /** Since when it is in that state. */
  since: count,
  /** The code that waits for a node; null when there is none. */
  pairing: z.object({ expiresAt: count }).nullable(),
  node: hex.b32.nullable(),
  pairedAt: count.nullable(),
  /** Its first attestation that this gateway remembers; while it is null, a paired machine is being prepared. */
  attestedAt: count.nullable(),
  /** What it serves now; null while it is not ready. */
  serving: z
    .object({
      model: z.string(),
      slots: count,
      running: count,
      queued: count,
      /** Tokens per second of all slots together, as the node measured itself at start. */
      decodeTokensPerSecond: z.number(),
      prefillTokensPerSecond: z.number(),
      attestationId: hex.b32,
      /** By the gateway's own appraisal. */
      simulated: z.boolean(),
    })
    .nullable(),
  total: served,
  /** Since 00:00 UTC. */
  today: served,
  /** Requests settled in each of the last 60 minutes, oldest first. */
  minutes: z.array(count),
  warnings: z.array(z.object({ code: z.string(), message: z.string() })),
});
export type Machine = z.infer<typeof machineSchema>;

/** `GET /v1/owner/machines`. */
export const machinesSchema = z.object({ at: count, machines: z.array(machineSchema) });

/** `POST /v1/owner/machines`, 201. */
export const registeredMachineSchema = z.object({ machine: machineSchema, pairing: pairingCodeSchema });

/** `PATCH …/{id}`. */
export const changedMachineSchema = z.object({ machine: machineSchema });
