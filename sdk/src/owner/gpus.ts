/** A GPU as its maker describes it; the list helps to register, any other text does as well. */
export interface Gpu {
  readonly name: string;
  readonly vramMib: number;
  /** Memory bandwidth, GB/s: what bounds how fast tokens come. */
  readonly bandwidthGBs: number;
  /**
   * It can keep the machine's host out of its memory (NVIDIA Confidential Computing). Others serve from
   * inside a TDX machine with the CPU alone.
   */
  readonly confidential: boolean;
}

const gib = 1_024;

/** Makers' data sheets; fastest first. */
export const gpus: readonly Gpu[] = [
  { name: "NVIDIA B200 180 GB", vramMib: 180 * gib, bandwidthGBs: 8_000, confidential: true },
  { name: "NVIDIA H200 141 GB", vramMib: 141 * gib, bandwidthGBs: 4_800, confidential: true },
  { name: "NVIDIA H100 SXM 80 GB", vramMib: 80 * gib, bandwidthGBs: 3_350, confidential: true },
  { name: "NVIDIA H100 PCIe 80 GB", vramMib: 80 * gib, bandwidthGBs: 2_000, confidential: true },
  { name: "NVIDIA RTX PRO 6000 96 GB", vramMib: 96 * gib, bandwidthGBs: 1_792, confidential: true },
  { name: "NVIDIA A100 80 GB", vramMib: 80 * gib, bandwidthGBs: 2_039, confidential: false },
  { name: "NVIDIA RTX 5090 32 GB", vramMib: 32 * gib, bandwidthGBs: 1_792, confidential: false },
  { name: "NVIDIA RTX 4090 24 GB", vramMib: 24 * gib, bandwidthGBs: 1_008, confidential: false },
  { name: "NVIDIA RTX 3090 24 GB", vramMib: 24 * gib, bandwidthGBs: 936, confidential: false },
  { name: "NVIDIA L40S 48 GB", vramMib: 48 * gib, bandwidthGBs: 864, confidential: false },
];
