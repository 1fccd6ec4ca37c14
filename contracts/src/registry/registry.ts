import {
  type Address,
  beginCell,
  type Cell,
  type Contract,
  type ContractProvider,
  contractAddress,
  Dictionary,
  type Sender,
  type StateInit,
} from "@ton/core";
import { basechain, basechainHash } from "../rules/party.ts";

/** Entries of the registry: hashes of published documents first, then what acts on something else. */
export const registrySlots = {
  release: 0,
  models: 1,
  gateways: 2,
  platforms: 3,
  miniApp: 4,
  minVersion: 5,
  unpause: 6,
  undeny: 7,
  owner: 8,
  guardian: 9,
  firstReleaseKey: 10,
  secondReleaseKey: 11,
  thirdReleaseKey: 12,
} as const;
export type RegistrySlot = keyof typeof registrySlots;

export interface RegistryTerms {
  readonly owner: Address;
  readonly guardian: Address;
  /** Three organisations, none an operator. */
  readonly releaseKeys: readonly [Address, Address, Address];
  readonly salt: bigint;
}

export interface Proposal {
  readonly value: bigint;
  readonly proposedAt: number;
  /** Of the three release keys. */
  readonly approvals: number;
}

export interface RegistryView {
  readonly owner: Address;
  readonly guardian: Address;
  readonly releaseKeys: readonly [Address, Address, Address];
  readonly minVersion: number;
  readonly paused: boolean;
  /** Hashes by slot number. */
  readonly documents: ReadonlyMap<number, bigint>;
  readonly proposals: ReadonlyMap<number, Proposal>;
  /** Denied hashes, with the moment. */
  readonly denied: ReadonlyMap<bigint, number>;
}

const message = (op: number, queryId: bigint) => beginCell().storeUint(op, 32).storeUint(queryId, 64);

/** Bodies of the messages to the registry; an address as a value is its hash. */
export const registryMessages = {
  propose: (slot: RegistrySlot, value: bigint, queryId = 0n): Cell =>
    message(0xb0000401, queryId).storeUint(registrySlots[slot], 8).storeUint(value, 256).endCell(),
  approveRelease: (value: bigint, queryId = 0n): Cell =>
    message(0xb0000402, queryId).storeUint(value, 256).endCell(),
  activate: (slot: RegistrySlot, value: bigint, queryId = 0n): Cell =>
    message(0xb0000403, queryId).storeUint(registrySlots[slot], 8).storeUint(value, 256).endCell(),
  takeBack: (slot: RegistrySlot, queryId = 0n): Cell =>
    message(0xb0000404, queryId).storeUint(registrySlots[slot], 8).endCell(),
  deny: (hash: bigint, queryId = 0n): Cell => message(0xb0000405, queryId).storeUint(hash, 256).endCell(),
  raiseMinVersion: (version: number, queryId = 0n): Cell =>
    message(0xb0000406, queryId).storeUint(version, 32).endCell(),
  pause: (queryId = 0n): Cell => message(0xb0000407, queryId).endCell(),
};

const proposalValue = {
  serialize: () => {
    throw new TypeError("proposals are only read");
  },
  parse: (slice: ReturnType<Cell["beginParse"]>): Proposal => {
    const value = slice.loadUintBig(256);
    const proposedAt = slice.loadUint(32) * 1000;
    const bits = slice.loadUint(3);
    return { value, proposedAt, approvals: (bits & 1) + ((bits >> 1) & 1) + (bits >> 2) };
  },
};

function load<K extends number | bigint, V>(
  cell: Cell | null,
  read: (cell: Cell) => Dictionary<K, V>,
): ReadonlyMap<K, V> {
  return new Map(cell === null ? [] : read(cell));
}

/** What clients and nodes trust, and what they no longer trust (SETTLEMENT "Contracts" 4). */
export class Registry implements Contract {
  readonly address: Address;
  readonly init?: StateInit;

  constructor(address: Address, init?: StateInit) {
    this.address = address;
    if (init !== undefined) this.init = init;
  }

  static fromTerms({ owner, guardian, releaseKeys, salt }: RegistryTerms, code: Cell): Registry {
    const keys = beginCell();
    for (const key of releaseKeys) keys.storeBuffer(basechainHash(key), 32);
    const data = beginCell()
      .storeBuffer(basechainHash(owner), 32)
      .storeBuffer(basechainHash(guardian), 32)
      .storeUint(0, 32)
      .storeBit(false)
      .storeUint(0, 16)
      .storeUint(salt, 64)
      .storeRef(keys.endCell())
      .storeMaybeRef(null)
      .storeMaybeRef(null)
      .storeMaybeRef(null)
      .endCell();
    const init = { code, data };
    return new Registry(contractAddress(0, init), init);
  }

  /** Any of `registryMessages`, or no body: a gift towards rent, which also deploys. */
  async send(provider: ContractProvider, via: Sender, value: bigint, body?: Cell): Promise<void> {
    await provider.internal(via, { value, bounce: body !== undefined, ...(body !== undefined && { body }) });
  }

  async getRegistry(provider: ContractProvider): Promise<RegistryView> {
    const { stack } = await provider.get("registry", []);
    const owner = basechain(stack.readBigNumber());
    const guardian = basechain(stack.readBigNumber());
    const minVersion = stack.readNumber();
    const paused = stack.readBoolean();
    stack.skip(2);
    const keys = stack.readCell().beginParse();
    const { BigUint, Uint } = Dictionary.Keys;
    return {
      owner,
      guardian,
      minVersion,
      paused,
      releaseKeys: [
        basechain(keys.loadBuffer(32)),
        basechain(keys.loadBuffer(32)),
        basechain(keys.loadBuffer(32)),
      ],
      documents: load(stack.readCellOpt(), (cell) =>
        Dictionary.loadDirect(Uint(8), Dictionary.Values.BigUint(256), cell),
      ),
      proposals: load(stack.readCellOpt(), (cell) => Dictionary.loadDirect(Uint(8), proposalValue, cell)),
      denied: load(stack.readCellOpt(), (cell) =>
        Dictionary.loadDirect(BigUint(256), Dictionary.Values.Uint(32), cell),
      ),
    };
  }
}
