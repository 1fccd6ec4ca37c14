import { hash } from "node:crypto";
import { Registry, registrySlots } from "@bombyx/contracts/registry";
import { registrySchema } from "@bombyx/protocol/attestation";
import { Address } from "@ton/core";
import type * as z from "zod";
import type { TonEndpoints } from "./ton-endpoints.ts";

type Lists = z.output<typeof registrySchema>;

/** A list that the chain does not stand behind. */
export class RegistryMismatch extends Error {
  override readonly name = "RegistryMismatch";
}

/**
 * The registry's lists as the contract has them: what widens trust counts only by its hash on chain, which was public
 * for 48 hours; what narrows it counts as soon as two endpoints show it.
 * - platforms, and what the file itself denies: the file, whose SHA-256 is the contract's `platforms`; none without one
 * - releases: the one that two of three release keys approved
 * - least version, denials: the stricter of both; a boot is denied on chain as 16 zero bytes before its id
 * - paused: no platform at all
 *
 * @throws ChainError; RegistryMismatch when the file is not the one that is named on chain
 */
export async function readChainRegistry(
  endpoints: TonEndpoints,
  registry: string,
  file: Buffer,
): Promise<Lists> {
  const view = await endpoints.read(
    "the registry",
    new Registry(Address.parseRaw(registry)),
    async (opened) => await opened.getRegistry(),
  );
  const named = view.documents.get(registrySlots.platforms);
  const document = hash("sha256", file, "hex");
  if (named !== undefined && hex(named) !== document) {
    throw new RegistryMismatch(
      `The registry on chain names the document ${hex(named)}, the file is ${document}: fetch the one that is named.`,
    );
  }
  const lists = registrySchema.parse(JSON.parse(file.toString("utf8")));
  const release = view.documents.get(registrySlots.release);
  const denied = [...view.denied.keys()].map(hex);
  return {
    v: 1,
    releases: release === undefined ? [] : [hex(release)],
    minReleaseVersion: Math.max(lists.minReleaseVersion, view.minVersion),
    platforms: named === undefined || view.paused ? {} : lists.platforms,
    denied: {
      platforms: [...lists.denied.platforms, ...denied],
      images: [...lists.denied.images, ...denied],
      bootIds: [
        ...lists.denied.bootIds,
        ...denied.filter((one) => one.startsWith(noBytes)).map((one) => one.slice(noBytes.length)),
      ],
    },
  };
}

const noBytes = "00".repeat(16);
const hex = (value: bigint): string => value.toString(16).padStart(64, "0");
