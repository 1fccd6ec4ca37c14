import { BombyxError } from "../wire/error.ts";

/** Step of PROTOCOL §4 that refused. */
export type AppraisalStep =
  | "parse"
  | "chain"
  | "crl"
  | "collateral"
  | "signature"
  | "tcb"
  | "attributes"
  | "measurement"
  | "report_data"
  | "statement"
  | "registry";

/** Every reason of this package and the step it belongs to; their meanings are in docs/attestation.md. */
export const attestationReasons = {
  TIME: "parse",
  BUNDLE_TOO_LARGE: "parse",
  BUNDLE_JSON: "parse",
  BUNDLE_FIELD: "parse",
  TEE: "parse",
  COLLATERAL_TOO_LARGE: "parse",
  COLLATERAL_FIELD: "parse",
  QUOTE_TOO_LARGE: "parse",
  QUOTE_TRUNCATED: "parse",
  QUOTE_FORMAT: "parse",
  QUOTE_VERSION: "parse",
  QUOTE_TEE_TYPE: "parse",
  QUOTE_KEY_TYPE: "parse",
  QUOTE_VENDOR: "parse",
  QUOTE_CERTIFICATION: "parse",

  CHAIN_ROOT: "chain",
  CHAIN_LENGTH: "chain",
  CHAIN_NAME: "chain",
  CHAIN_PATH_LENGTH: "chain",
  CERT_FORMAT: "chain",
  CERT_EXTENSION: "chain",
  CERT_ROLE: "chain",
  CERT_NOT_CA: "chain",
  CERT_KEY_USAGE: "chain",
  CERT_NOT_YET_VALID: "chain",
  CERT_EXPIRED: "chain",
  CERT_SIGNATURE: "chain",

  CRL_FORMAT: "crl",
  CRL_EXTENSION: "crl",
  CRL_ISSUER: "crl",
  CRL_SIGNATURE: "crl",
  CRL_NOT_YET_VALID: "crl",
  CRL_EXPIRED: "crl",
  CRL_AGE: "crl",
  CRL_ROLLBACK: "crl",
  CERT_REVOKED: "crl",

  TCB_INFO_FORMAT: "collateral",
  TCB_INFO_SIGNATURE: "collateral",
  QE_IDENTITY_FORMAT: "collateral",
  QE_IDENTITY_SIGNATURE: "collateral",
  COLLATERAL_NOT_YET_VALID: "collateral",
  COLLATERAL_EXPIRED: "collateral",
  COLLATERAL_AGE: "collateral",
  COLLATERAL_EVALUATION: "collateral",
  COLLATERAL_ROLLBACK: "collateral",

  QE_REPORT_SIGNATURE: "signature",
  ATTESTATION_KEY: "signature",
  QE_DEBUG: "signature",
  QE_IDENTITY: "signature",
  QE_TCB_STATUS: "signature",
  QUOTE_SIGNATURE: "signature",

  PLATFORM_FORMAT: "tcb",
  FMSPC: "tcb",
  PCEID: "tcb",
  MODULE_UNKNOWN: "tcb",
  MODULE_SIGNER: "tcb",
  MODULE_ATTRIBUTES: "tcb",
  MODULE_TCB_STATUS: "tcb",
  TCB_NO_MATCH: "tcb",
  TCB_STATUS: "tcb",

  TD_DEBUG: "attributes",
  TD_ATTRIBUTES: "attributes",
  XFAM: "attributes",
  MR_CONFIG_ID: "attributes",
  MR_OWNER: "attributes",
  MR_OWNER_CONFIG: "attributes",
  MR_SERVICE_TD: "attributes",

  RELEASE_MISSING: "measurement",
  RELEASE_SIGNATURES: "measurement",
  RELEASE_FORMAT: "measurement",
  RELEASE_UNREGISTERED: "measurement",
  RELEASE_ROLLBACK: "measurement",
  RELEASE_EXPIRED: "measurement",
  MEASUREMENT: "measurement",

  REPORT_DATA: "report_data",
  ATTESTATION_ID: "report_data",

  STATEMENT_FORMAT: "statement",
  STATEMENT_KEYS: "statement",
  NODE: "statement",
  NODE_ID: "statement",
  LINK_SIGNATURE: "statement",
  OPEN_SIGNATURE: "statement",
  CHAIN_VIEW: "statement",
  BEACON_CHAIN: "statement",
  BEACON_UNKNOWN: "statement",
  BEACON_AGE: "statement",
  CLOCK: "statement",
  CHALLENGE: "statement",
  MANIFEST: "statement",
  MANIFEST_MISSING: "statement",
  MANIFEST_UNRELEASED: "statement",
  GPU_MODE: "statement",
  GPU_EVIDENCE: "statement",

  REGISTRY_VIEW: "registry",
  REGISTRY_AGE: "registry",
  PLATFORM_DENIED: "registry",
  IMAGE_DENIED: "registry",
  BOOT_DENIED: "registry",
  PLATFORM_UNREGISTERED: "registry",
} as const satisfies Record<string, AppraisalStep>;

export type AttestationReason = keyof typeof attestationReasons;

/** A refusal of the verifier: `reason` is stable and documented in docs/attestation.md. */
export class AttestationError extends BombyxError {
  override readonly name = "AttestationError";
  readonly reason: string;
  readonly step: AppraisalStep;

  constructor(reason: string, step: AppraisalStep, message: string, cause?: unknown) {
    super("ATTESTATION", message, cause === undefined ? {} : { cause });
    this.reason = reason;
    this.step = step;
  }
}

/** The refusal for `reason`; `message` is one sentence for a person. */
export const refusal = (reason: AttestationReason, message: string, cause?: unknown): AttestationError =>
  new AttestationError(reason, attestationReasons[reason], message, cause);

/** @throws AttestationError `reason` unless `condition` holds. */
export function demand(condition: boolean, reason: AttestationReason, message: string): asserts condition {
  if (!condition) throw refusal(reason, message);
}
