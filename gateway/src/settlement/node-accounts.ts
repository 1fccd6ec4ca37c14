import { codeOf } from "@bombyx/contracts/code";
import { NodeAccount } from "@bombyx/contracts/node-account";
import type { Address } from "@ton/core";
import { readBasechainAddress } from "../chain/address.ts";

/** Which contract pays which node: it follows from vault, node id and payout address. */
export class NodeAccounts {
  readonly #vault: Address;
  readonly #code = codeOf("node-account");
  /** By node: a node's id holds its payout, so what was found stays. */
  readonly #known = new Map<string, Address | null>();

  constructor(vault: Address) {
    this.#vault = vault;
  }

  /** @returns null when `payout` is no basechain address: such a node cannot be paid */
  of(node: string, payout: string): Address | null {
    const known = this.#known.get(node);
    if (known !== undefined) return known;
    const owner = readBasechainAddress(payout);
    const identity = owner && { vault: this.#vault, nodeId: BigInt(`0x${node}`), owner };
    const account = identity ? NodeAccount.fromIdentity(identity, this.#code).address : null;
    this.#known.set(node, account);
    return account;
  }
}
