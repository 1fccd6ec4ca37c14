import * as z from "zod";
import { count, hex } from "../wire/encoding.ts";
import { AttestationError, demand, refusal } from "./error.ts";

/** Lists are good for this long (PROTOCOL §4 step 11). */
export const registryMaxAgeMs = 5 * 60_000;

/** Where a machine stands: somebody with physical access to a home machine may have an interposer on its bus. */
export type HostingClass = "datacentre" | "home";

/** The registry's lists: on chain once the contracts hold them, a signed-off file until then. */
export const registrySchema = z.strictObject({
  v: z.literal(1),
  /** Hashes of registered release manifests. */
  releases: z.array(hex.b32),
  minReleaseVersion: count,
  /** Registered platform ids with their hosting class. */
  platforms: z.record(hex.b32, z.enum(["datacentre", "home"])),
  denied: z.strictObject({
    platforms: z.array(hex.b32),
    /** Cocoon's image hash of a measurement. */
    images: z.array(hex.b32),
    bootIds: z.array(hex.b16),
  }),
});

export interface RegistryState extends z.infer<typeof registrySchema> {
  /** ms since epoch: when the lists were read from where they are kept. */
  readonly readAt: number;
}

/**
 * Where a client gets the lists: pinned endpoints of the chain that agree, or a file; never the gateway.
 * @throws AttestationError REGISTRY_VIEW when they cannot be had.
 */
export interface Registry {
  lists(): Promise<RegistryState>;
}

/**
 * A registry that is read anew whenever its lists are older than `registryMaxAgeMs`.
 * @param read the document, e.g. a file's JSON or what two chain endpoints agree on
 */
export function cachedRegistry(read: () => Promise<unknown>, now: () => number): Registry {
  let known: Promise<RegistryState> | undefined;
  const load = async (): Promise<RegistryState> => {
    const readAt = now();
    try {
      return { ...registrySchema.parse(await read()), readAt };
    } catch (cause) {
      if (cause instanceof AttestationError) throw cause;
      throw refusal(
        "REGISTRY_VIEW",
        "The registry's lists could not be read, so the node cannot be judged.",
        cause,
      );
    }
  };
  return {
    async lists() {
      const current = await known?.catch(() => undefined);
      if (current !== undefined && isFresh(current, now())) return current;
      known = load();
      return known;
    },
  };
}

const isFresh = ({ readAt }: RegistryState, now: number) => now >= readAt && now - readAt <= registryMaxAgeMs;

/** What step 11 asks about. */
export interface Registered {
  readonly platformId: string;
  readonly imageHash: string;
  readonly bootId: string;
}

/**
 * PROTOCOL §4 step 11, before every session: the platform is registered, and neither it, its image nor
 * this boot is denied.
 * @throws AttestationError of step "registry"
 */
export function demandRegistered(node: Registered, lists: RegistryState, now: number): HostingClass {
  demand(isFresh(lists, now), "REGISTRY_AGE", "The registry's lists are older than five minutes.");
  const { denied, platforms } = lists;
  demand(
    !denied.platforms.includes(node.platformId),
    "PLATFORM_DENIED",
    "The machine is on the registry's deny-list.",
  );
  demand(
    !denied.images.includes(node.imageHash),
    "IMAGE_DENIED",
    "The image that runs there is on the registry's deny-list.",
  );
  demand(
    !denied.bootIds.includes(node.bootId),
    "BOOT_DENIED",
    "This boot of the machine is on the registry's deny-list.",
  );
  const hosting = platforms[node.platformId];
  if (hosting === undefined)
    throw refusal("PLATFORM_UNREGISTERED", "The machine is not in the registry of machines.");
  return hosting;
}
