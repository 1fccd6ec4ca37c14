/** A Bombyx node: serves a model from a confidential virtual machine. */
export type { LinkStatus } from "./link/gateway-link.ts";
export { type NodeOptions, type RunningNode, startNode } from "./node.ts";
export type { QuoteProvider } from "./quote/quote-provider.ts";
