import { codeOf } from "@bombyx/contracts/code";
import { NodeAccount } from "@bombyx/contracts/node-account";
import { Address } from "@ton/core";

const nothing = "00".repeat(32);

/** The NodeAccount that this node's earnings belong to: it follows from node id, payout and vault. */
export class OwnAccount {
  readonly #node: string;
  readonly #owner: Address | undefined;
  #last: { readonly vault: string; readonly hash: string } | undefined;

  /**
   * @param node id, hex
   * @param payout as the node says it to the gateway; only a basechain address can be paid
   */
  constructor(node: string, payout: string) {
    this.#node = node;
    this.#owner = basechainAddress(payout);
  }

  /** Address hash of the account at a vault (both hex); 32 zero bytes where nothing settles on chain, or nobody can be paid. */
  hashAt(vault: string): string {
    if (vault === nothing || this.#owner === undefined) return nothing;
    if (this.#last?.vault === vault) return this.#last.hash;
    const identity = {
      vault: new Address(0, Buffer.from(vault, "hex")),
      nodeId: BigInt(`0x${this.#node}`),
      owner: this.#owner,
    };
    const hash = NodeAccount.fromIdentity(identity, codeOf("node-account")).address.hash.toString("hex");
    this.#last = { vault, hash };
    return hash;
  }
}

function basechainAddress(text: string): Address | undefined {
  try {
    const address = Address.parse(text);
    return address.workChain === 0 ? address : undefined;
  } catch {
    return undefined;
  }
}
