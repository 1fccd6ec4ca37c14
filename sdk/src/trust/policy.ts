import {
  type AttestationPolicy,
  appraise,
  strictPolicy,
  toncenterChainView,
} from "@bombyx/protocol/attestation";
import type { Fetch } from "../gateway/gateway.ts";
import type { Appraiser } from "./verifier.ts";

/**
 * What a client trusts. It comes from code at construction (PROTOCOL §4): never from a URL, from
 * storage or from the gateway.
 */
export interface Policy {
  readonly attestation: AttestationPolicy;
  /** Base URLs of toncenter-v2 APIs that no gateway operator runs; two must agree on every block. */
  readonly chainEndpoints: readonly string[];
  /** ms between answer frames. @default 80: neither token lengths nor cadence show on the wire. */
  readonly tickMs?: 0 | 80;
  /** Refuse when the verified candidates have fewer different owners. @default 1 */
  readonly minOwners?: number;
}

/**
 * What applies when no policy is given: Intel's root, released measurements only, nothing simulated.
 * A second pinned endpoint comes with the first release; before that, no node passes MEASUREMENT, which
 * is judged before the chain is asked.
 */
export const defaultPolicy: Policy = {
  attestation: strictPolicy,
  chainEndpoints: ["https://toncenter.com/api/v2"],
};

/** The verifier under a policy, with its own view of the chain. */
export function policyAppraiser(policy: Policy, fetch: Fetch, now: () => number): Appraiser {
  const chain = toncenterChainView({
    endpoints: [...policy.chainEndpoints],
    chain: policy.attestation.chain,
    fetch,
  });
  return (bundle, expect) => appraise({ bundle, policy: policy.attestation, chain, now: now(), expect });
}
