import { BombyxError } from "@bombyx/protocol/wire";

/** Why a node serves nothing for now, in the order in which a person should hear of it. */
export const holdCodes = [
  "contradicted",
  "ack-key",
  "unproven",
  "chain",
  "unpaid",
  "unacknowledged",
] as const;
export type HoldCode = (typeof holdCodes)[number];

export interface Hold {
  readonly code: HoldCode;
  /** One sentence for the owner: what is wrong, and what to do. */
  readonly message: string;
}

/** Whether new work is taken: an owner loses no more than what was served while everything was in order. */
export class ServeGate {
  readonly #holds = new Map<HoldCode, string>();
  readonly #listeners: ((hold: Hold | undefined) => void)[] = [];

  /** The gravest of what holds the node back. */
  get hold(): Hold | undefined {
    const code = holdCodes.find((one) => this.#holds.has(one));
    return code === undefined ? undefined : { code, message: this.#holds.get(code) as string };
  }

  /** Told when the node stops or goes on, and when the reason is another. */
  onChange(listener: (hold: Hold | undefined) => void): void {
    this.#listeners.push(listener);
  }

  /** @param message undefined: this reason is gone */
  set(code: HoldCode, message: string | undefined): void {
    const before = this.hold?.code;
    if (message === undefined) this.#holds.delete(code);
    else this.#holds.set(code, message);
    const now = this.hold;
    if (now?.code !== before) for (const listener of this.#listeners) listener(now);
  }

  /** What a client is told; the owner's affairs are not theirs. */
  refusal(): BombyxError | undefined {
    if (this.#holds.size === 0) return undefined;
    return new BombyxError(
      "NODE_BUSY",
      "This node takes no work until it is paid what it is owed; use another.",
    );
  }
}
