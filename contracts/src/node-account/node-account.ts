import {
  type Address,
  beginCell,
  type Cell,
  type Contract,
  type ContractProvider,
  contractAddress,
  type Sender,
  type StateInit,
} from "@ton/core";
import { basechain, basechainHash } from "../rules/party.ts";

/** What fixes an account's address. A new wallet is a new account. */
export interface NodeIdentity {
  readonly vault: Address;
  /** 256 bits. */
  readonly nodeId: bigint;
  readonly owner: Address;
}

export const nodeAccountOps = { claim: 0xb0000301, claimStep: 0xb0000302 } as const;

/** Body of a claim; `leaf` is made by `packLeaf`. */
export function claimMessage(leaf: Cell, queryId = 0n): Cell {
  return beginCell().storeUint(nodeAccountOps.claim, 32).storeUint(queryId, 64).storeRef(leaf).endCell();
}

/** What remembers how much of a node's earnings its owner has claimed (SETTLEMENT "Contracts" 3). */
export class NodeAccount implements Contract {
  readonly address: Address;
  readonly init?: StateInit;

  constructor(address: Address, init?: StateInit) {
    this.address = address;
    if (init !== undefined) this.init = init;
  }

  static fromIdentity({ vault, nodeId, owner }: NodeIdentity, code: Cell): NodeAccount {
    const data = beginCell()
      .storeBuffer(basechainHash(vault), 32)
      .storeUint(nodeId, 256)
      .storeBuffer(basechainHash(owner), 32)
      .storeCoins(0n)
      .endCell();
    const init = { code, data };
    return new NodeAccount(contractAddress(0, init), init);
  }

  /** From anybody; the money goes to the owner, the rest of the value back to the sender. */
  async sendClaim(
    provider: ContractProvider,
    via: Sender,
    value: bigint,
    leaf: Cell,
    queryId = 0n,
  ): Promise<void> {
    await provider.internal(via, { value, body: claimMessage(leaf, queryId), bounce: true });
  }

  async getAccount(provider: ContractProvider): Promise<NodeIdentity & { readonly claimedNano: bigint }> {
    const { stack } = await provider.get("account", []);
    return {
      vault: basechain(stack.readBigNumber()),
      nodeId: stack.readBigNumber(),
      owner: basechain(stack.readBigNumber()),
      claimedNano: stack.readBigNumber(),
    };
  }
}
