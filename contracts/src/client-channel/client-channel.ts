import {
  type Address,
  beginCell,
  Cell,
  type Contract,
  type ContractProvider,
  contractAddress,
  type Sender,
  type StateInit,
} from "@ton/core";
import { basechain, basechainHash } from "../rules/party.ts";

/** What fixes a channel's address. */
export interface ChannelIdentity {
  readonly owner: Address;
  readonly vault: Address;
  /** 64 bits; a closed channel's owner opens the next with another one. */
  readonly salt: bigint;
}

export interface ChannelView extends ChannelIdentity {
  /** Ed25519 public key, 32 bytes; `undefined` when the owner has not opened the channel yet. */
  readonly voucherKey: Buffer | undefined;
  /** The key before; its vouchers are redeemable before `until`. */
  readonly previousKey: { readonly key: Buffer; readonly untilAt: number } | undefined;
  /** Cumulative nano sent to the vault. */
  readonly redeemedNano: bigint;
  /** Deposit and five years' rent. */
  readonly balanceNano: bigint;
  readonly state: "unopened" | "open" | "closing" | "closed";
  /** From when on the owner of a closing channel may withdraw; `undefined` for the others. */
  readonly closesAt: number | undefined;
}

export const channelOps = {
  setKey: 0xb0000101,
  redeem: 0xb0000102,
  close: 0xb0000103,
  closeTogether: 0xb0000104,
} as const;

/** The ack key's approval of a closing at once (`signedClosing` in vault.ts is what it signs). */
export interface ClosingApproval {
  readonly totalNano: bigint;
  readonly validUntilAt: number;
  readonly signature: Buffer;
}

/**
 * Hash that the voucher key signs: {tag, network, channel, vault, total}. Only the largest total counts, so a voucher
 * never expires and an older one is worth nothing.
 */
export function voucherHash(globalId: number, channel: Address, vault: Address, totalNano: bigint): Buffer {
  return beginCell()
    .storeUint(0xb0f00001, 32)
    .storeInt(globalId, 32)
    .storeBuffer(channel.hash, 32)
    .storeBuffer(vault.hash, 32)
    .storeCoins(totalNano)
    .endCell()
    .hash();
}

export function packApproval({ totalNano, validUntilAt, signature }: ClosingApproval): Cell {
  return beginCell()
    .storeCoins(totalNano)
    .storeUint(Math.floor(validUntilAt / 1000), 32)
    .storeBuffer(signature, 64)
    .endCell();
}

const message = (op: number, queryId: bigint) => beginCell().storeUint(op, 32).storeUint(queryId, 64);

/** Bodies of the messages to a channel; `queryId` comes back with the excess. An empty message tops up. */
export const channelMessages = {
  /** Opens the channel, with its StateInit; later rotates the key. */
  setKey: (voucherKey: Buffer, queryId = 0n): Cell =>
    message(channelOps.setKey, queryId).storeBuffer(voucherKey, 32).endCell(),
  redeem: (totalNano: bigint, signature: Buffer, queryId = 0n): Cell =>
    message(channelOps.redeem, queryId).storeCoins(totalNano).storeBuffer(signature, 64).endCell(),
  /** Asks to close; 72 h later, and whenever money still arrives, closes and withdraws. */
  close: (queryId = 0n): Cell => message(channelOps.close, queryId).endCell(),
  closeTogether: (approval: ClosingApproval, queryId = 0n): Cell =>
    message(channelOps.closeTogether, queryId).storeRef(packApproval(approval)).endCell(),
};

/** One paying account's deposit (SETTLEMENT "Contracts" 1). */
export class ClientChannel implements Contract {
  readonly address: Address;
  readonly init?: StateInit;

  constructor(address: Address, init?: StateInit) {
    this.address = address;
    if (init !== undefined) this.init = init;
  }

  static fromIdentity({ owner, vault, salt }: ChannelIdentity, code: Cell): ClientChannel {
    const data = beginCell()
      .storeCoins(0)
      .storeUint(0, 32)
      .storeBuffer(basechainHash(owner), 32)
      .storeBuffer(basechainHash(vault), 32)
      .storeUint(salt, 64)
      .endCell();
    const init = { code, data };
    return new ClientChannel(contractAddress(0, init), init);
  }

  /** Any of `channelMessages`; the StateInit travels with it when this object knows one and the account is not there. */
  async send(provider: ContractProvider, via: Sender, value: bigint, body: Cell): Promise<void> {
    await provider.internal(via, { value, body, bounce: true });
  }

  /**
   * Read from the account's data: a get-method in the code would be carried, and paid, by everybody who opens a channel.
   *
   * @throws {Error} when the account is not there
   */
  async getChannel(provider: ContractProvider): Promise<ChannelView> {
    const { state, balance } = await provider.getState();
    if (state.type !== "active" || !state.data) throw new Error(`there is no channel at ${this.address}`);
    const data = Cell.fromBoc(state.data)[0]?.beginParse();
    if (data === undefined) throw new Error(`the data of ${this.address} is empty`);
    const redeemedNano = data.loadCoins();
    const closesAt = data.loadUint(32);
    const owner = basechain(data.loadBuffer(32));
    const vault = basechain(data.loadBuffer(32));
    const salt = data.loadUintBig(64);
    const voucherKey = data.remainingBits === 0 ? undefined : data.loadBuffer(32);
    const previous = voucherKey === undefined ? undefined : data.loadMaybeRef()?.beginParse();
    return {
      owner,
      vault,
      salt,
      voucherKey,
      previousKey:
        previous === undefined
          ? undefined
          : { key: previous.loadBuffer(32), untilAt: previous.loadUint(32) * 1000 },
      redeemedNano,
      balanceNano: balance,
      state:
        closesAt === 1 ? "closed" : closesAt > 1 ? "closing" : voucherKey === undefined ? "unopened" : "open",
      closesAt: closesAt > 1 ? closesAt * 1000 : undefined,
    };
  }
}
