import { BombyxError, type ErrorBody } from "@bombyx/protocol/wire";

/**
 * What the gateway is told of an error whose reason is sealed to the client: whether the node is to
 * blame, and nothing about the prompt (PROTOCOL §1).
 */
export function clearError(error: BombyxError): ErrorBody {
  switch (error.code) {
    case "NODE_FAILED":
      return { code: "NODE_FAILED", message: "The node's engine failed; the attempt was ended." };
    case "EPOCH":
      return { code: "EPOCH", message: "This session's epoch is over; attest the node again." };
    default:
      return {
        code: "BAD_REQUEST",
        message: "The node refused this request; the reason is sealed to the client.",
      };
  }
}

/** What the client is told of an error: its own words when it is one of ours, else only that the node failed. */
export function sealable(error: unknown): BombyxError {
  if (error instanceof BombyxError) return error;
  return new BombyxError("NODE_FAILED", "The node failed on this request.", { cause: error });
}
