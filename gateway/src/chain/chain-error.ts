import { BombyxError } from "@bombyx/protocol/wire";

/** What one endpoint said, for the operator's log. */
export interface EndpointAnswer {
  readonly endpoint: string;
  readonly answer: string;
}

/**
 * The chain could not be read. `disagreement`: endpoints answered, and no two said the same, so nothing may be decided
 * on their word; `unreachable`: fewer than two answered.
 */
export class ChainError extends BombyxError {
  override readonly name = "ChainError";
  readonly reason: "disagreement" | "unreachable";
  readonly answers: readonly EndpointAnswer[];

  constructor(reason: ChainError["reason"], what: string, answers: readonly EndpointAnswer[]) {
    const words =
      reason === "disagreement"
        ? `The chain endpoints do not agree about ${what}; look at the settlement's endpoints.`
        : `Fewer than two chain endpoints answered about ${what}; look at the settlement's endpoints.`;
    super("CHAIN_UNAVAILABLE", words, { retryAfterMs: 5_000 });
    this.reason = reason;
    this.answers = answers;
  }
}
