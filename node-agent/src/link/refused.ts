import { BombyxError } from "@bombyx/protocol/wire";

/** The gateway has refused this node for good: trying again cannot help. */
export class RefusedError extends BombyxError {
  override readonly name = "RefusedError";
  /** The gateway's own code, such as `PAIRING_SPENT` or an attestation's reason. */
  readonly refusal: string;

  constructor(refusal: string, message: string) {
    super("LINK_AUTH", `The gateway refused this node (${refusal}): ${message}`);
    this.refusal = refusal;
  }
}
