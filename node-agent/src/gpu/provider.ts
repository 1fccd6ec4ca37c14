import type { GpuEvidence } from "./evidence.ts";

/** How the GPUs of this machine stand. */
export interface GpuState {
  /** How many the driver sees; each must bring evidence. */
  readonly count: number;
  /** Confidential computing is on: the host cannot read the GPUs' memory. */
  readonly confidential: boolean;
  /** Developer mode is on: profilers of the host look inside all the same. */
  readonly developer: boolean;
}

/** Where evidence of GPUs comes from: NVIDIA's tools in a node as it ships, minted evidence in tests. */
export interface GpuEvidenceProvider {
  /** `undefined` on a machine without a GPU. @throws GpuError when the driver's tool does not answer. */
  state(): Promise<GpuState | undefined>;
  /** One for each GPU, over this nonce of 32 bytes. @throws GpuError */
  collect(nonce: Uint8Array): Promise<readonly GpuEvidence[]>;
}

/** A machine whose GPUs, if it has any, are left alone. */
export const noGpu: GpuEvidenceProvider = { state: async () => undefined, collect: async () => [] };
