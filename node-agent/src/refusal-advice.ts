/** What an owner does about a refusal, by the gateway's code. */
const advice: Readonly<Record<string, string>> = {
  PAIRING_INVALID:
    "Open Earn in the Mini App, choose your machine, New code, and start the line that it shows.",
  PAIRING_EXPIRED:
    "Open Earn in the Mini App, choose your machine, New code, and start the line that it shows.",
  PAIRING_SPENT: "Each code is for one node: open Earn in the Mini App, choose your machine, New code.",
  NODE_REMOVED: "To serve again, register the machine in the Mini App (Earn) and start with its new code.",
  ALREADY_USED: "Start with another --state folder, or remove the machine from the other account first.",
  QUARANTINED: "Update bombyx-node; if it is the newest, write to the gateway's operator with the node id.",
  CHAIN_ROOT:
    "This gateway takes other hardware than this machine's: docs/gpu-owner.md says what a real network needs.",
  TEE: "This gateway lists no nodes of the open tier: ask its operator (BOMBYX_OPEN_TIER), or serve from a TDX machine.",
  VAULT_MISMATCH:
    "Ask the operator which contract pays you, and why; what is final stays yours: bombyx-node earnings.",
  TCB_STATUS: "Update the machine's firmware (BIOS and TDX module), then start again.",
};

/** One sentence for a person, when there is something to do. */
export const adviceFor = (refusal: string): string | undefined => advice[refusal];
