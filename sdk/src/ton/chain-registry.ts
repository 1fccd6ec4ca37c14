import { Registry as RegistryContract, registrySlots } from "@bombyx/contracts/registry";
import { cachedRegistry, type Registry, type registrySchema } from "@bombyx/protocol/attestation";
import { BombyxError, fromUtf8, hex, toHex } from "@bombyx/protocol/wire";
import { Address, Cell, type ContractProvider, TupleReader } from "@ton/core";
import * as z from "zod";
import { readBounded } from "../gateway/read-bounded.ts";
import { type ChainFetch, PinnedChain } from "./pinned-chain.ts";

type Lists = z.infer<typeof registrySchema>;

export interface ChainRegistryOptions {
  /** Base URLs of toncenter-v2 APIs that no gateway's operator runs; two must agree. */
  readonly endpoints: readonly string[];
  /** Of the Registry, friendly or raw; pinned by whoever builds the client. */
  readonly address: string;
  /**
   * Bytes of a published document, by SHA-256 (hex). Wherever they come from, they count by their hash alone.
   * @see publishedDocuments
   */
  readonly document: (sha256: string) => Promise<Uint8Array>;
  /** ms since epoch. */
  readonly now: () => number;
  /** @default fetch */
  readonly fetch?: ChainFetch;
}

/** The document behind the registry's entry "platforms": machines by platform id, and where each stands. */
export const platformsDocumentSchema = z.strictObject({
  v: z.literal(1),
  platforms: z.record(hex.b32, z.enum(["datacentre", "home"])),
});

const timeoutMs = 20_000;

/**
 * The registry's lists as the chain has them (SETTLEMENT "Contracts" 4, PROTOCOL §4 step 11): the release in force, the
 * least version, the deny-list, and the machines that the published document lists. The contract's storage itself is
 * read, so that no endpoint computes what it says.
 * `lists()` throws AttestationError REGISTRY_VIEW when two endpoints do not agree, a document is missing or another
 * than the chain names, or the guardian has paused the network.
 */
export function chainRegistry(options: ChainRegistryOptions): Registry {
  const { endpoints, address, document, now, fetch } = options;
  const chain = new PinnedChain(endpoints, fetch);
  const contract = new RegistryContract(Address.parse(address));
  const account = contract.address.toRawString();
  return cachedRegistry(async (): Promise<Lists> => {
    const { data } = await chain.account(account, AbortSignal.timeout(timeoutMs));
    if (data === null) throw refused(`There is no registry at ${account}.`);
    const view = await contract.getRegistry(storedAt(data));
    if (view.paused) throw refused("The registry's guardian has paused the network.");
    const release = view.documents.get(registrySlots.release);
    const listed = view.documents.get(registrySlots.platforms);
    return {
      v: 1,
      releases: release === undefined ? [] : [hexOf(release)],
      minReleaseVersion: view.minVersion,
      platforms: listed === undefined ? {} : await platformsOf(hexOf(listed), document),
      denied: deniedOf([...view.denied.keys()].map(hexOf)),
    };
  }, now);
}

const bootIdPadding = "00".repeat(16);

/** The deny-list's entry for a boot id (hex, 16 bytes), which is shorter than the hashes of platforms and images. */
export const bootIdEntry = (bootId: string): bigint => BigInt(`0x${bootId}`);

/** One list on chain; a hash that is no platform of anybody's denies no platform. */
function deniedOf(entries: readonly string[]): Lists["denied"] {
  const bootIds = entries
    .filter((entry) => entry.startsWith(bootIdPadding))
    .map((entry) => entry.slice(bootIdPadding.length));
  return { platforms: [...entries], images: [...entries], bootIds };
}

async function platformsOf(
  sha256: string,
  document: ChainRegistryOptions["document"],
): Promise<Lists["platforms"]> {
  const bytes = await document(sha256);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes.slice()));
  if (toHex(digest) !== sha256) throw refused(`The list of machines is not the one whose hash is ${sha256}.`);
  return platformsDocumentSchema.parse(JSON.parse(fromUtf8(bytes))).platforms;
}

const documentBytes = 16 * 1024 * 1024;

/**
 * Documents published as files named by their SHA-256 below any of these URLs.
 * @throws BombyxError NOT_FOUND when none of them has it
 */
export function publishedDocuments(
  urls: readonly string[],
  fetch: ChainFetch = (url, init) => globalThis.fetch(url, init),
): ChainRegistryOptions["document"] {
  return async (sha256) => {
    for (const url of urls) {
      try {
        const response = await fetch(`${url}/${sha256}`, { signal: AbortSignal.timeout(timeoutMs) });
        if (!response.ok) continue;
        return await readBounded(response, documentBytes);
      } catch {
        // The next one may have it.
      }
    }
    throw new BombyxError("NOT_FOUND", `No place that publishes the registry's documents has ${sha256}.`);
  };
}

const hexOf = (hash: bigint): string => hash.toString(16).padStart(64, "0");

const refused = (message: string): BombyxError => new BombyxError("CHAIN_UNAVAILABLE", message);

/** The get-method `registry` answers the storage, field by field: here it is read from the account's own cell. */
function storedAt(data: string): ContractProvider {
  const slice = Cell.fromBase64(data).beginParse();
  const number = (bits: number) => ({ type: "int", value: slice.loadUintBig(bits) }) as const;
  const flag = () => ({ type: "int", value: slice.loadBit() ? -1n : 0n }) as const;
  const cell = () => {
    const found = slice.loadMaybeRef();
    return found === null ? ({ type: "null" } as const) : ({ type: "cell", cell: found } as const);
  };
  const owners = [number(256), number(256), number(32), flag(), number(16), number(64)];
  const keys = { type: "cell", cell: slice.loadRef() } as const;
  const stack = new TupleReader([...owners, keys, cell(), cell(), cell()]);
  slice.endParse();
  return { get: async () => ({ stack }) } as unknown as ContractProvider;
}
