/** A Bombyx node: serves a model from a confidential virtual machine. */
export { type CliOverrides, runCli } from "./command-line.ts";
export { nvidiaDeviceRoot } from "./gpu/device-chain.ts";
export type { GpuEvidence } from "./gpu/evidence.ts";
export type { GpuOptions, GpuPolicy } from "./gpu/guard.ts";
export { nvidiaProvider } from "./gpu/nvidia-provider.ts";
export { type GpuEvidenceProvider, type GpuState, noGpu } from "./gpu/provider.ts";
export type { LinkStatus } from "./link/gateway-link.ts";
export type { DownloadProgress } from "./model-source/download.ts";
export { type ResolvedModel, type ResolveModelOptions, resolveModel } from "./model-source/resolve-model.ts";
export { type NodeOptions, type NodeStatus, type RunningNode, startNode } from "./node.ts";
export { configfsTsmProvider } from "./quote/configfs-tsm.ts";
export type { QuoteProvider } from "./quote/quote-provider.ts";
export type { SettlementOptions } from "./settlement/node-settlement.ts";
export type { SettlementStatus } from "./settlement/settlement-status.ts";
export { type ChainReader, toncenterReader, type VaultReading } from "./settlement/vault-reader.ts";
