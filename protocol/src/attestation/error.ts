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
