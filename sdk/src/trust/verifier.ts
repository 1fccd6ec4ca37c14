import { AttestationError, manifestHash, type OpenVerdict, type Verdict } from "@bombyx/protocol/attestation";
import { BombyxError, type Candidate } from "@bombyx/protocol/wire";
import type { Policy } from "./policy.ts";

/** What was verified of a node: its hardware; or, under the open tier, only whose word it is. */
export type NodeVerdict = Verdict | OpenVerdict;

/** Judges the exact bytes of a bundle. @throws AttestationError naming the step that refused. */
export type Appraiser = (
  bundle: Uint8Array,
  expect: { readonly node: string; readonly attestationId: string; readonly manifest: string },
) => Promise<NodeVerdict>;

/**
 * PROTOCOL §4 step 11, before every session: the registry has not denied the node since it was judged.
 * @throws AttestationError of step "registry"
 */
export type Readmission = (verdict: NodeVerdict) => Promise<void>;

/** A verdict with the bytes that it is about. */
export interface Verified {
  readonly verdict: NodeVerdict;
  readonly bundle: Uint8Array;
  /** Hash of the model manifest that was asked for. */
  readonly manifest: string;
  /** ms since epoch. */
  readonly verifiedAt: number;
}

const bundlesKept = 64;

/**
 * The client's own judgement of nodes: bundles are fetched by attestation id and appraised; a
 * verdict serves until it expires (PROTOCOL §4, step 12). Refusals are not cached.
 */
export class Verifier {
  readonly #fetchBundle: (attestationId: string, signal: AbortSignal) => Promise<Uint8Array>;
  readonly #appraise: Appraiser;
  readonly #readmit: Readmission;
  readonly #now: () => number;
  readonly #models: Policy["models"];
  readonly #verdicts = new Map<string, Verified>();

  constructor(
    fetchBundle: (attestationId: string, signal: AbortSignal) => Promise<Uint8Array>,
    appraise: Appraiser,
    now: () => number,
    models?: Policy["models"],
    readmit: Readmission = async () => {},
  ) {
    this.#fetchBundle = fetchBundle;
    this.#appraise = appraise;
    this.#readmit = readmit;
    this.#now = now;
    this.#models = models;
  }

  /**
   * @throws AttestationError when the bundle is not what the policy admits, or is not the
   * candidate's, or does not serve `model` by the manifest that the gateway named.
   */
  async verify(candidate: Candidate, model: string, signal: AbortSignal): Promise<Verified> {
    const key = `${candidate.attestationId}/${candidate.manifest}`;
    const known = this.#verdicts.get(key);
    if (known && known.verdict.node === candidate.node && known.verdict.validUntil > this.#now()) {
      this.#assertServes(known.verdict, candidate.manifest, model);
      await this.#readmit(known.verdict);
      return known;
    }
    this.#verdicts.delete(key);
    const bundle = await this.#fetchBundle(candidate.attestationId, signal).catch((cause: unknown) => {
      if (cause instanceof BombyxError && cause.code === "BODY_TOO_LARGE") {
        throw new AttestationError("BUNDLE_TOO_LARGE", "parse", cause.message, cause);
      }
      throw cause;
    });
    const { node, attestationId, manifest } = candidate;
    const verdict = await this.#appraise(bundle, { node, attestationId, manifest });
    this.#assertServes(verdict, manifest, model);
    if (this.#verdicts.size >= bundlesKept) {
      const oldest = this.#verdicts.keys().next();
      if (!oldest.done) this.#verdicts.delete(oldest.value);
    }
    const verified = { verdict, bundle, manifest, verifiedAt: this.#now() };
    this.#verdicts.set(key, verified);
    return verified;
  }

  /** Forgets what is known of an attestation: the node said that its epoch is over. */
  forget(attestationId: string): void {
    for (const key of this.#verdicts.keys()) {
      if (key.startsWith(`${attestationId}/`)) this.#verdicts.delete(key);
    }
  }

  /** The manifest's hash is attested; that it stands for the model that was asked for is checked here. */
  #assertServes(verdict: NodeVerdict, manifest: string, model: string): void {
    const document = verdict.manifests.find((known) => manifestHash(known) === manifest);
    if (document?.model !== model) {
      throw new AttestationError(
        "MANIFEST",
        "statement",
        `The node attests no model manifest ${manifest.slice(0, 12)}… for ${model}; nothing was sent.`,
      );
    }
    const weights = Object.hasOwn(this.#models ?? {}, model) ? this.#models?.[model] : undefined;
    if (weights && !weights.includes(document.ggufSha256)) {
      throw new AttestationError(
        "MANIFEST",
        "statement",
        `The node serves ${document.ggufSha256.slice(0, 12)}… under the name ${model}, which the policy does not list; nothing was sent.`,
      );
    }
  }
}
