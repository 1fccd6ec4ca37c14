/**
 * Every refusal that crosses a wire has one of these codes; the number is the HTTP status that the
 * gateway's edge (and the local proxy) answers with. Codes are stable: clients branch on them.
 */
export const errorStatus = {
  // request shape
  BAD_REQUEST: 400,
  UNKNOWN_FIELD: 400,
  BODY_TOO_LARGE: 413,
  NOT_FOUND: 404,
  METHOD_NOT_ALLOWED: 405,
  HOST_REFUSED: 421,
  // who asks
  UNAUTHENTICATED: 401,
  INIT_DATA_INVALID: 401,
  INIT_DATA_EXPIRED: 401,
  FORBIDDEN: 403,
  BOT_NOT_REGISTERED: 403,
  // who pays
  ALLOWANCE_EXHAUSTED: 402,
  SPONSOR_EMPTY: 402,
  CREDIT_UNAVAILABLE: 402,
  PRICE_UNKNOWN: 409,
  // channels and vouchers
  CHANNEL_UNKNOWN: 404,
  CHANNEL_CLOSING: 409,
  VOUCHER_REQUIRED: 402,
  VOUCHER_NETWORK: 400,
  VOUCHER_CHANNEL: 400,
  VOUCHER_VAULT: 400,
  VOUCHER_KEY: 403,
  VOUCHER_SIGNATURE: 403,
  VOUCHER_LOWER: 409,
  VOUCHER_ABOVE_DEPOSIT: 409,
  SECOND_SIGNER: 409,
  // whose wallet, in the order in which a ton_proof is checked
  WALLET_NETWORK: 403,
  WALLET_DOMAIN: 403,
  WALLET_PROOF_TIME: 403,
  WALLET_CHALLENGE: 403,
  WALLET_STATE_INIT: 403,
  WALLET_CODE: 403,
  WALLET_KEY: 403,
  WALLET_SIGNATURE: 403,
  // scheduling
  MODEL_UNKNOWN: 404,
  NO_CANDIDATE: 503,
  NODE_UNKNOWN: 404,
  NODE_OFFLINE: 503,
  NODE_BUSY: 503,
  QUEUE_FULL: 429,
  RATE_LIMITED: 429,
  DRAINING: 503,
  // session and request
  REATTEST: 409,
  SESSION_UNKNOWN: 404,
  SESSION_LIMIT: 429,
  HANDSHAKE_INVALID: 400,
  ALREADY_USED: 409,
  ATTEMPT_OPEN: 409,
  REQUEST_UNKNOWN: 404,
  // node link
  PAIRING_INVALID: 403,
  PAIRING_EXPIRED: 403,
  PAIRING_SPENT: 403,
  NODE_REMOVED: 403,
  MACHINE_LIMIT: 429,
  LINK_AUTH: 401,
  ATTESTATION_REFUSED: 403,
  QUARANTINED: 403,
  // what a node finds in a gateway's settlement
  VAULT_MISMATCH: 403,
  ACK_KEY_UNKNOWN: 403,
  CHAIN_UNAVAILABLE: 503,
  // sealed, from inside the node (also used inside the stream)
  EPOCH: 409,
  DISAGREEMENT: 400,
  CAP: 402,
  CONTEXT_TOO_LONG: 400,
  NODE_FAILED: 502,
  CANCELLED: 499,
  // what the client finds
  GATEWAY_UNREACHABLE: 503,
  TRUNCATED: 502,
  SEALED_STREAM: 502,
  RECEIPT_INVALID: 502,
  ATTESTATION: 502,
  INTERNAL: 500,
} as const;

export type ErrorCode = keyof typeof errorStatus;

export interface ErrorBody {
  readonly code: ErrorCode;
  /** One sentence for a person: what was wrong, the limit, and the fix. */
  readonly message: string;
  /** The offending field, header or variable. */
  readonly field?: string;
  /** When trying again makes sense, in ms from now. */
  readonly retryAfterMs?: number;
  /** A busy or lost node's answer names the candidate to use instead (a node id). */
  readonly instead?: string;
  /** nanoTON, decimal. VOUCHER_REQUIRED: what the next voucher must reach; VOUCHER_LOWER: what was signed already. */
  readonly totalNano?: string;
}

/** A refusal with a stable {@link ErrorCode}; `toJSON` is what crosses the wire. */
export class BombyxError extends Error {
  override readonly name: string = "BombyxError";
  readonly code: ErrorCode;
  readonly field?: string;
  readonly retryAfterMs?: number;
  readonly instead?: string;
  readonly totalNano?: string;

  constructor(
    code: ErrorCode,
    message: string,
    detail: Omit<ErrorBody, "code" | "message"> & { cause?: unknown } = {},
  ) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.code = code;
    if (detail.field !== undefined) this.field = detail.field;
    if (detail.retryAfterMs !== undefined) this.retryAfterMs = detail.retryAfterMs;
    if (detail.instead !== undefined) this.instead = detail.instead;
    if (detail.totalNano !== undefined) this.totalNano = detail.totalNano;
  }

  get status(): number {
    return errorStatus[this.code];
  }

  toJSON(): ErrorBody {
    return {
      code: this.code,
      message: this.message,
      ...(this.field !== undefined && { field: this.field }),
      ...(this.retryAfterMs !== undefined && { retryAfterMs: this.retryAfterMs }),
      ...(this.instead !== undefined && { instead: this.instead }),
      ...(this.totalNano !== undefined && { totalNano: this.totalNano }),
    };
  }
}
