/** A private, OpenAI-compatible client for Node and browsers. */
export {
  AttestationError,
  type AttestationPolicy,
  attestationReasons,
  type Bundle,
  manifestHash,
  type OpenBundle,
  type OpenPolicy,
  type OpenVerdict,
  parseBundle,
  parseOpenBundle,
  parseQuote,
  type Quote,
  type Verdict,
} from "@bombyx/protocol/attestation";
export { BombyxError, type ErrorCode } from "@bombyx/protocol/wire";
export { BombyxClient, type RequestOptions } from "./client.ts";
export type { ClientEvent } from "./client-event.ts";
export type { ClientOptions } from "./client-options.ts";
export { exchangeInitData, type InitDataExchange } from "./gateway/token.ts";
export { AnswerStream } from "./openai/answer-stream.ts";
export type * from "./openai/chat-types.ts";
export type * from "./openai/completion-types.ts";
export type { ReceiptFile } from "./receipt/receipt-file.ts";
export {
  isOpenTier,
  type Policy,
  parsePolicy,
  strictPolicy,
} from "./trust/policy.ts";
export type { Proof } from "./trust/proof.ts";
export type { NodeVerdict } from "./trust/verifier.ts";
