import type { X509Certificate } from "node:crypto";
import type { ModelManifest } from "@bombyx/protocol/attestation";
import { demandGpu, GpuError } from "./error.ts";
import { encodeGpuEvidence, verifyGpuEvidence } from "./evidence.ts";
import type { GpuEvidenceProvider } from "./provider.ts";

/**
 * Which GPUs an owner lets the model on: `none`, `cc` only those in verified confidential mode, `plain` also
 * others, whose memory the machine's owner can read.
 */
export type GpuPolicy = "none" | "cc" | "plain";

export interface GpuOptions {
  readonly policy: GpuPolicy;
  readonly provider: GpuEvidenceProvider;
  /** Hex of the SHA-256 of the root certificate's DER at which GPUs' chains end. */
  readonly rootSha256: string;
}

/** What the statement says of the GPU, and the evidence for it. */
export type GpuFinding =
  | { readonly mode: "none" | "plain"; readonly evidence: null }
  | { readonly mode: "cc"; readonly evidence: Uint8Array };

const none: GpuFinding = { mode: "none", evidence: null };

/**
 * Verifies this machine's GPUs anew each time it is asked: before weights are loaded and before each statement.
 * What it found first binds: weights lie on the GPUs, so they may not turn into others meanwhile.
 */
export class GpuGuard {
  readonly #options: GpuOptions;
  readonly #nonce: Uint8Array;
  #first: string | undefined;

  constructor(options: GpuOptions, nonce: Uint8Array) {
    this.#options = options;
    this.#nonce = nonce;
  }

  /**
   * @param now ms since epoch, by the chain: a TD's clock is the host's
   * @throws GpuError when the owner's policy does not admit what is found, or it is not as at first
   */
  async check(now: number): Promise<GpuFinding> {
    const { finding, identity } = await this.#find(now);
    this.#first ??= identity;
    demandGpu(
      this.#first === identity,
      "GPU_CHANGED",
      "This machine's GPUs, or their mode, are not those on which the model was loaded; restart the node.",
    );
    return finding;
  }

  async #find(now: number): Promise<{ readonly finding: GpuFinding; readonly identity: string }> {
    const { policy, provider } = this.#options;
    const state = policy === "none" ? undefined : await provider.state();
    if (state === undefined) {
      demandGpu(
        policy !== "cc",
        "GPU_ABSENT",
        "This machine has no NVIDIA GPU; start the node with --gpu none.",
      );
      return { finding: none, identity: "none" };
    }
    if (policy === "plain" && (!state.confidential || state.developer)) {
      return { finding: { mode: "plain", evidence: null }, identity: `plain ${state.count}` };
    }
    demandGpu(
      state.confidential,
      "GPU_CC_OFF",
      "The GPU's confidential mode is off, so the host can read its memory; bombyx-node doctor says how to turn it on.",
    );
    demandGpu(
      !state.developer,
      "GPU_DEVELOPER_MODE",
      "The GPU is in developer mode, in which the host looks inside; bombyx-node doctor says how to turn it off.",
    );
    return this.#verified(state.count, now);
  }

  async #verified(count: number, now: number) {
    const { provider, rootSha256 } = this.#options;
    const gpus = await provider.collect(this.#nonce);
    const evidence = encodeGpuEvidence(gpus);
    // By key: a GPU that was reset may have certified the same key anew.
    const keys = gpus.map((gpu) =>
      keyOf(verifyGpuEvidence(gpu, { nonce: this.#nonce, rootSha256, now }).leaf),
    );
    const distinct = new Set(keys).size;
    demandGpu(
      keys.length === count && count > 0 && distinct === count,
      "GPU_COUNT",
      `The driver sees ${count} GPUs, but ${distinct} of them brought evidence; the model could lie on another.`,
    );
    return { finding: { mode: "cc" as const, evidence }, identity: `cc ${keys.toSorted().join(" ")}` };
  }
}

const keyOf = ({ publicKey }: X509Certificate): string =>
  publicKey.export({ type: "spki", format: "der" }).toString("hex");

/**
 * What the statement says: of a GPU that nothing is offloaded to, nothing.
 * @throws GpuError GPU_OFFLOADED when the engine computes on a GPU that nobody looked at
 */
export function statedGpu(finding: GpuFinding, manifests: readonly ModelManifest[]): GpuFinding {
  const devices = manifests.map(
    ({ engineFlags }) => engineFlags.find((flag) => flag.startsWith("gpu="))?.slice(4) ?? "unsaid",
  );
  demandGpu(
    finding.mode !== "none" || devices.every((device) => device === "none" || device === "unsaid"),
    "GPU_OFFLOADED",
    "The engine computes on a GPU, but this node was started without one; start it with --gpu cc or plain.",
  );
  return devices.length > 0 && devices.every((device) => device === "none") ? none : finding;
}

/** Whether an error is about the GPU: then what was verified before counts no more. */
export const isGpuError = (error: unknown): error is GpuError => error instanceof GpuError;
