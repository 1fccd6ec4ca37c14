/** A Bombyx node: serves a model from a confidential virtual machine. */
export { type CliOverrides, runCli } from "./command-line.ts";
export type { LinkStatus } from "./link/gateway-link.ts";
export type { DownloadProgress } from "./model-source/download.ts";
export { type ResolvedModel, type ResolveModelOptions, resolveModel } from "./model-source/resolve-model.ts";
export { type NodeOptions, type RunningNode, startNode } from "./node.ts";
export { configfsTsmProvider } from "./quote/configfs-tsm.ts";
export type { QuoteProvider } from "./quote/quote-provider.ts";
