import {
  type AttestationPolicy,
  appraise,
  appraiseOpen,
  attestationPolicySchema,
  demandRegistered,
  type OpenPolicy,
  type Registry,
  refusal,
  strictPolicy as strictAttestation,
  type TrustMemory,
  toncenterChainView,
  trustMemory,
} from "@bombyx/protocol/attestation";
import { BombyxError, hex } from "@bombyx/protocol/wire";
import * as z from "zod";
import type { Fetch } from "../gateway/gateway-http.ts";
import type { Appraiser, Readmission } from "./verifier.ts";

/**
 * What a client trusts. It comes from code at construction (PROTOCOL §4): never from a URL, from
 * storage or from the gateway.
 */
export interface Policy {
  /** What hardware must prove; or that none must, which `openTier` alone makes. */
  readonly attestation: AttestationPolicy | OpenPolicy;
  /** Base URLs of toncenter-v2 APIs that no gateway operator runs; two must agree on every block. */
  readonly chainEndpoints: readonly string[];
  /** ms between answer frames. @default 80: neither token lengths nor cadence show on the wire. */
  readonly tickMs?: 0 | 80;
  /** Refuse when the verified candidates have fewer different owners, as the gateway names them. @default 1 */
  readonly minOwners?: number;
  /**
   * SHA-256 (hex) of the GGUF files that a model's name may stand for. A node attests its weights, but its
   * owner chooses the name: a name that is not listed here is only the owner's word.
   */
  readonly models?: Readonly<Record<string, readonly string[]>>;
  /**
   * Lists of machines, releases and deny-lists, asked before every session where `attestation.registry` is
   * "required". Not from the gateway.
   */
  readonly registry?: Registry;
  /**
   * What this client has seen Intel and the release keys sign, so that an older document is noticed.
   * @default forgotten with the client
   */
  readonly memory?: TrustMemory;
}

/**
 * What applies when no policy is given: Intel's root, released measurements only, nothing simulated.
 * A second pinned endpoint comes with the first release; before that, no node passes MEASUREMENT, which
 * is judged before the chain is asked.
 */
export const strictPolicy = {
  attestation: strictAttestation,
  chainEndpoints: ["https://toncenter.com/api/v2"],
} satisfies Policy;

/** Policies that `openTier` (its own door of this package) made; what is not imported is in no build. */
export const openTiers = new WeakSet<object>();

/** Whether a policy admits nodes whose owners can read: screens say so. */
export const isOpenTier = (policy: Policy): policy is Policy & { readonly attestation: OpenPolicy } =>
  "tee" in policy.attestation;

const policySchema = z.strictObject({
  attestation: attestationPolicySchema,
  chainEndpoints: z.array(z.url()).min(2, "two or more URLs"),
  tickMs: z.union([z.literal(0), z.literal(80)]).optional(),
  minOwners: z.int().min(1).max(5).optional(),
  models: z.record(z.string().min(1).max(128), z.array(hex.b32).min(1)).optional(),
});

/**
 * A policy that came as data: a file that the user named. What `openTier` made in a module's code is taken as it is.
 * @throws BombyxError BAD_REQUEST naming the field.
 */
export function parsePolicy(value: unknown): Policy {
  if (typeof value === "object" && value !== null && openTiers.has(value)) return value as Policy;
  const result = policySchema.safeParse(value);
  if (!result.success) {
    const issue = result.error.issues[0];
    const field = issue?.path.join(".") || "policy";
    throw new BombyxError("BAD_REQUEST", `The policy is not valid at ${field}: ${issue?.message}`, { field });
  }
  const { tickMs, minOwners, models, ...policy } = result.data;
  return {
    ...policy,
    ...(tickMs !== undefined && { tickMs }),
    ...(minOwners !== undefined && { minOwners }),
    ...(models !== undefined && { models }),
  };
}

/** Step 11 again, for a verdict that is still good: the lists may have changed since. */
export function policyReadmission(policy: Policy, now: () => number): Readmission {
  const { attestation, registry } = policy;
  return async (verdict) => {
    // Under the open tier there is no machine that a registry could know.
    if ("tee" in attestation || verdict.tee === "none" || attestation.registry === "none") return;
    const { platformId, imageHash, statement } = verdict;
    if (registry === undefined)
      throw refusal("REGISTRY_VIEW", `The policy "${attestation.name}" needs a registry, and there is none.`);
    demandRegistered({ platformId, imageHash, bootId: statement.boot_id }, await registry.lists(), now());
  };
}

/** The verifier under a policy, with its own view of the chain. */
export function policyAppraiser(policy: Policy, fetch: Fetch, now: () => number): Appraiser {
  const chain = toncenterChainView({
    endpoints: [...policy.chainEndpoints],
    chain: policy.attestation.chain,
    fetch,
  });
  if (isOpenTier(policy)) {
    const open = policy.attestation;
    return (bundle, expect) => appraiseOpen({ policy: open, chain, bundle, now: now(), expect });
  }
  const { registry, memory = trustMemory() } = policy;
  const attestation = policy.attestation as AttestationPolicy;
  const given = { policy: attestation, chain, memory, ...(registry && { registry }) };
  return async (bundle, expect) => {
    // Read before the appraisal's instant: lists of the future would be none. What is wrong with them, it says itself.
    await registry?.lists().catch(() => undefined);
    return await appraise({ ...given, bundle, now: now(), expect });
  };
}
