import { openPolicy } from "@bombyx/protocol/attestation";
import { openTiers, type Policy } from "./policy.ts";

export interface OpenTierOptions extends Pick<Policy, "tickMs" | "minOwners" | "models"> {
  /** Base URLs of toncenter-v2 APIs that no gateway operator runs; two must agree on every block. */
  readonly chainEndpoints: readonly string[];
  /** Whose blocks are beacons. @default "ton" */
  readonly chain?: string;
}

/**
 * The policy `open`: nodes without a quote, and no others. Their owners can read what is sent to them. Only code makes
 * it: no file, address or gateway is read as one, and nothing falls back to it.
 */
export function openTier({ chain, ...rest }: OpenTierOptions): Policy {
  const policy = Object.freeze({ ...rest, attestation: Object.freeze(openPolicy(chain)) });
  openTiers.add(policy);
  return policy;
}
