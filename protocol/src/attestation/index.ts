/** Quotes, bundles and their appraisal (PROTOCOL §3 and §4). */
export { type Appraisal, appraise, type Verdict } from "./appraise.ts";
export {
  appraiseOpen,
  type OpenAppraisal,
  type OpenPolicy,
  type OpenVerdict,
  openPolicy,
} from "./appraise-open.ts";
export * from "./bundle.ts";
export { parsePemChain } from "./certificate.ts";
export * from "./chain-view.ts";
export { describeQuote, type QuoteDescription } from "./describe-quote.ts";
export {
  type AppraisalStep,
  AttestationError,
  type AttestationReason,
  attestationReasons,
  refusal,
} from "./error.ts";
export { type Seen, type TrustMemory, trustMemory } from "./memory.ts";
export * from "./policy.ts";
export { parseQuote, type Quote } from "./quote.ts";
export { type QuotePlatform, quotePlatform } from "./quote-platform.ts";
export { readCollateral } from "./read-collateral.ts";
export * from "./registry.ts";
export {
  findRow,
  type ReleaseManifest,
  releaseBytes,
  releaseHash,
  releaseManifestBytes,
  releaseManifestSchema,
  type SignedRelease,
  signedReleaseSchema,
  verifyRelease,
} from "./release.ts";
export * from "./statement.ts";
export type { Expectation } from "./statement-checks.ts";
export { intelRoot, strictPolicy } from "./strict-policy.ts";
export { type ToncenterOptions, toncenterChainView } from "./toncenter-chain-view.ts";
export { type QuoteVerdict, type TcbVerdict, verifyQuote } from "./verify-quote.ts";
