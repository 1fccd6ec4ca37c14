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
import { type EpochRoot, unpackEpochRoot } from "./messages.ts";

/** What fixes a vault's address. Keys may rotate later. */
export interface VaultTerms {
  readonly owner: Address;
  readonly guardian: Address;
  readonly committer: Address;
  /** Ed25519 public key, 32 bytes. */
  readonly ackKey: Buffer;
  /** The operator's share of channel payments in 1/10000, 3000 at most. */
  readonly feeBps: number;
  readonly salt: bigint;
}

/** Code of the contracts whose addresses the vault recomputes. */
export interface ChildCode {
  readonly clientChannel: Cell;
  readonly nodeAccount: Cell;
}

export interface VaultView {
  readonly paidNano: bigint;
  readonly nodesCreditNano: bigint;
  readonly ownerDepositNano: bigint;
  readonly feeDueNano: bigint;
  readonly lastEpoch: number;
  readonly pendingSinceAt: number;
  readonly ackKey: Buffer;
  readonly owner: Address;
  readonly guardian: Address;
  readonly committer: Address;
  readonly announced: Announced | undefined;
  readonly feeBps: number;
  readonly finalRoot: EpochRoot | undefined;
  readonly pendingRoot: EpochRoot | undefined;
  /** What the balance must hold besides five years' rent. */
  readonly owedNano: bigint;
  /** What the operator may take, once announced: its fee share, and of its deposit what the pending root leaves. */
  readonly withdrawableNano: bigint;
}

/** Takes effect from 48 h to 9 days after `announcedAt`, when the owner says so. */
export interface Announced {
  readonly withdrawalNano: bigint;
  readonly owner: Address;
  readonly guardian: Address;
  readonly announcedAt: number;
}

function codeId(code: Cell): Cell {
  return beginCell().storeBuffer(code.hash(), 32).storeUint(code.depth(), 16).endCell();
}

/** Initial data; also for tests that need a vault in a given state. */
export function packVaultTerms(terms: VaultTerms, children: ChildCode): Cell {
  const keys = beginCell()
    .storeBuffer(basechainHash(terms.owner), 32)
    .storeBuffer(basechainHash(terms.guardian), 32)
    .storeBuffer(basechainHash(terms.committer), 32)
    .storeMaybeRef(null)
    .endCell();
  const config = beginCell()
    .storeUint(terms.feeBps, 16)
    .storeSlice(codeId(children.clientChannel).beginParse())
    .storeSlice(codeId(children.nodeAccount).beginParse())
    .storeUint(terms.salt, 64)
    .endCell();
  return beginCell()
    .storeCoins(0)
    .storeCoins(0)
    .storeCoins(0)
    .storeCoins(0)
    .storeUint(0, 32)
    .storeUint(0, 32)
    .storeBuffer(terms.ackKey, 32)
    .storeRef(keys)
    .storeRef(config)
    .storeMaybeRef(null)
    .storeMaybeRef(null)
    .endCell();
}

/** The network's till (SETTLEMENT "Contracts" 2). */
export class Vault implements Contract {
  readonly address: Address;
  readonly init?: StateInit;

  constructor(address: Address, init?: StateInit) {
    this.address = address;
    if (init !== undefined) this.init = init;
  }

  static fromTerms(terms: VaultTerms, code: Cell, children: ChildCode): Vault {
    const init = { code, data: packVaultTerms(terms, children) };
    return new Vault(contractAddress(0, init), init);
  }

  /** Any of `vaultMessages`, or no body: a gift towards rent, which also deploys. */
  async send(provider: ContractProvider, via: Sender, value: bigint, body?: Cell): Promise<void> {
    await provider.internal(via, { value, bounce: body !== undefined, ...(body !== undefined && { body }) });
  }

  /** As it is at this moment: a root that has become final since the last transaction is shown as final. */
  async getVault(provider: ContractProvider): Promise<VaultView> {
    const { stack } = await provider.get("vault", []);
    const paidNano = stack.readBigNumber();
    const nodesCreditNano = stack.readBigNumber();
    const ownerDepositNano = stack.readBigNumber();
    const feeDueNano = stack.readBigNumber();
    const lastEpoch = stack.readNumber();
    const pendingSinceAt = stack.readNumber() * 1000;
    const ackKey = Buffer.from(stack.readBigNumber().toString(16).padStart(64, "0"), "hex");
    const keys = stack.readCell().beginParse();
    const config = stack.readCell().beginParse();
    const finalRoot = stack.readCellOpt();
    const pendingRoot = stack.readCellOpt();
    const owner = basechain(keys.loadBuffer(32));
    const guardian = basechain(keys.loadBuffer(32));
    const committer = basechain(keys.loadBuffer(32));
    const announced = keys.loadMaybeRef()?.beginParse();
    const used = (total: bigint): bigint => (total > nodesCreditNano ? total - nodesCreditNano : 0n);
    const pending = pendingRoot === null ? undefined : unpackEpochRoot(pendingRoot);
    return {
      paidNano,
      nodesCreditNano,
      ownerDepositNano,
      feeDueNano,
      lastEpoch,
      pendingSinceAt,
      ackKey,
      owner,
      guardian,
      committer,
      announced:
        announced === undefined
          ? undefined
          : {
              withdrawalNano: announced.loadCoins(),
              owner: basechain(announced.loadBuffer(32)),
              guardian: basechain(announced.loadBuffer(32)),
              announcedAt: announced.loadUint(32) * 1000,
            },
      feeBps: config.loadUint(16),
      finalRoot: finalRoot === null ? undefined : unpackEpochRoot(finalRoot),
      pendingRoot: pending,
      owedNano: nodesCreditNano - paidNano + ownerDepositNano + feeDueNano,
      withdrawableNano:
        feeDueNano + ownerDepositNano - (pending === undefined ? 0n : used(pending.committedNano)),
    };
  }
}
