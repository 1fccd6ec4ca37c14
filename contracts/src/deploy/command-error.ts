/** What stops a command, and what helps. */
export type CommandErrorCode =
  | "ENDPOINT_MISSING"
  | "ENDPOINT_FAILED"
  | "TERMS_INVALID"
  | "KEY_MISSING"
  | "KEY_INVALID"
  | "WRONG_NETWORK"
  | "WALLET_EMPTY"
  | "ALREADY_THERE"
  | "NOT_ARRIVED"
  | "ADDRESS_INVALID"
  | "NOT_THERE"
  | "NOT_OURS";

/** A command cannot go on: `message` names what is wrong, its limit and the fix. */
export class CommandError extends Error {
  readonly code: CommandErrorCode;

  constructor(code: CommandErrorCode, message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "CommandError";
    this.code = code;
  }
}
