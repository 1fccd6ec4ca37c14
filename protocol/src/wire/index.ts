/** What is on every wire: schemas, limits, codes and framings of the gateway API and the node link. */
export * from "./answer-stream.ts";
export * from "./channel-api.ts";
export * from "./encoding.ts";
export * from "./error.ts";
export * from "./events-api.ts";
export * from "./gateway-api.ts";
export * from "./limits.ts";
export * from "./money-api.ts";
export * from "./network-api.ts";
export * from "./node-link.ts";
export * from "./owner-api.ts";
export * from "./price.ts";
export * from "./receipt.ts";
export * from "./sealed-content.ts";
export * from "./settlement.ts";
export * from "./transport.ts";
export * from "./wallet-api.ts";
