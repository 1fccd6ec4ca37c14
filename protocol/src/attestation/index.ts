/** Quotes, bundles and their appraisal (PROTOCOL §3 and §4). */
export * from "./bundle.ts";
export * from "./chain-view.ts";
export * from "./error.ts";
export * from "./policy.ts";
export * from "./statement.ts";
