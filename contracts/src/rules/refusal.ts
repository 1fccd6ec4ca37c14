import type { Transaction } from "@ton/core";

/** Exit codes of all four contracts with what to do about them; the Tolk enums say the same (a test compares). */
export const refusals = {
  130: ["WrongWorkchain", "use a wallet in the basechain (workchain 0)"],
  131: [
    "ValueTooLow",
    "attach more: the value pays for the whole chain of transactions; the rest comes back",
  ],
  132: ["NotOwner", "send this from the owner's wallet"],
  133: ["NotVault", "only this contract's vault sends this"],
  140: ["NothingDue", "the leaf's amount was claimed already; wait for the next final epoch"],
  141: ["PathTooDeep", "the proof is longer than any tree is deep; build it anew"],
  150: ["NotChannel", "only a channel of this vault pays in"],
  151: ["NotNodeAccount", "only an account of this vault claims"],
  152: ["NotCommitter", "send this from the commit key's wallet"],
  153: ["NotGuardian", "send this from the guardian's wallet"],
  154: ["RootPending", "the last root becomes final 24 h after its commit; commit then"],
  155: ["NoRootPending", "no root is pending: there is nothing to veto or dispute"],
  156: ["WrongEpoch", "read the vault's last epoch and use the next, or for a veto that one"],
  157: ["TotalFell", "committed total, units, requests and depth never fall below the final root's"],
  158: ["TotalUncovered", "commit at most what channels and sponsors paid in"],
  159: ["Underfunded", "send the vault what rent has eaten; anybody may, with an empty message"],
  160: ["TreeTooDeep", "a tree has at most 20 levels"],
  161: ["NoFinalRoot", "no epoch is final yet; wait 24 h from its commit"],
  162: ["WrongPath", "the path must be exactly as long as the tree is deep, and the index lie in it"],
  163: ["WrongProof", "fetch the proof into the last final root and use it unchanged"],
  164: ["BeyondCommitted", "the claim would exceed what was committed"],
  165: ["NotInConflict", "final and pending root agree about this leaf"],
  166: ["BadAckSignature", "not signed by the vault's ack key"],
  167: ["WrongAck", "the Ack is of another network or vault, or of an epoch after the pending one"],
  168: ["ApprovalExpired", "ask for a new approval; it lives ten minutes"],
  169: ["NothingAnnounced", "announce first"],
  170: ["TooEarly", "wait 48 h from the announcement"],
  171: ["AnnouncementStale", "an announcement lives nine days; announce again"],
  172: ["BeyondOwnShare", "at most the fee share and the owner's own unspent deposit"],
  173: ["FeeTooHigh", "this vault was deployed with feeBps above 3000; do not use it"],
  180: ["NotOpen", "open the channel first"],
  182: ["Closed", "open a channel with another salt"],
  183: ["Closing", "keys do not rotate once the owner asked to close"],
  185: ["StillClosing", "wait 72 h from the request to close"],
  186: ["NothingToRedeem", "the voucher's total was redeemed already, or the deposit is spent: top up"],
  188: ["BadSignature", "not signed by the voucher key, or by the one before within 72 h"],
  189: ["KeyMissing", "the voucher key must not be 0"],
  190: ["RotatedLately", "the key before is still valid; rotate again 72 h after the last time"],
  201: ["NotWatch", "send this from the guardian or the owner"],
  202: ["NotReleaseKey", "send this from a release key's wallet"],
  203: ["UnknownSlot", "no such entry in the registry"],
  204: ["NotProposed", "nothing is proposed for this entry"],
  205: ["NotRipe", "what widens trust waits 48 h"],
  206: ["OtherProposal", "what is proposed is not what you name"],
  207: ["NotApproved", "a release needs two of the three release keys"],
  208: ["ListFull", "the deny-list is full: activate a proposal that takes entries off"],
  209: ["AlreadyDenied", "on the deny-list already"],
  210: ["NotDenied", "not on the deny-list"],
  211: ["NotNarrower", "at once only upwards; lower it by a proposal"],
  65535: ["UnknownMessage", "no message of this contract begins with this code"],
} as const satisfies Record<number, readonly [name: string, fix: string]>;

export type RefusalCode = keyof typeof refusals;
export type RefusalName = (typeof refusals)[RefusalCode][0];

/** The TVM's own refusals that a sender meets. */
const machine: Record<number, string> = {
  5: "a number is out of range",
  8: "too much for one cell",
  9: "the message is shorter or longer than its format",
  10: "a dictionary is malformed",
  [-14]: "out of gas: attach more value",
  37: "not enough money to send",
};

/** A contract refused a message: `code` is the exit code, `fix` what helps. */
export class ContractRefusal extends Error {
  readonly code: number;
  readonly refusal: RefusalName | undefined;
  readonly fix: string;

  constructor(code: number) {
    const [name, fix] =
      code in refusals
        ? refusals[code as RefusalCode]
        : [undefined, machine[code] ?? "see the TVM's exit codes"];
    super(`the contract refused with ${code}${name === undefined ? "" : ` (${name})`}: ${fix}`);
    this.name = "ContractRefusal";
    this.code = code;
    this.refusal = name;
    this.fix = fix;
  }
}

/** Code by name. */
export function codeOf(name: RefusalName): number {
  for (const [code, [known]] of Object.entries(refusals)) if (known === name) return Number(code);
  throw new RangeError(`no refusal is named ${name}`);
}

/** Exit code of a transaction: of the action phase when the computation went well; `undefined` when nothing ran. */
export function exitCode(transaction: Transaction): number | undefined {
  const { description } = transaction;
  if (description.type !== "generic") return undefined;
  const { computePhase, actionPhase } = description;
  if (computePhase.type === "skipped") return undefined;
  if (computePhase.exitCode !== 0) return computePhase.exitCode;
  return actionPhase?.resultCode ?? 0;
}

/** Why a transaction was refused, `undefined` when it was not. */
export function refusalOf(transaction: Transaction): ContractRefusal | undefined {
  const code = exitCode(transaction);
  return code === undefined || code === 0 ? undefined : new ContractRefusal(code);
}
