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

/** What fixes a channel's address. */
export interface ChannelIdentity {
  readonly owner: Address;
  readonly vault: Address;
  /** 64 bits; a closed channel's owner opens the next with another one. */
  readonly salt: bigint;
}

export interface ChannelView extends ChannelIdentity {
  readonly isOpen: boolean;
  /** Ed25519 public key, 32 bytes. */
  readonly voucherKey: Buffer;
  readonly previousKey: Buffer;
  /** Vouchers of the previous key are redeemable before this moment; 0 when there is none. */
  readonly previousUntilAt: number;
  /** Cumulative nano sent to the vault. */
  readonly redeemedNano: bigint;
  /** From when on the owner may withdraw; 0 when the channel is not closing. */
  readonly closesAt: number;
  readonly closed: boolean;
  /** What vouchers may still redeem. */
  readonly depositNano: bigint;
}

export const channelOps = {
  open: 0xb0000101,
  topUp: 0xb0000102,
  redeem: 0xb0000103,
  rotateKey: 0xb0000104,
  requestClose: 0xb0000105,
  withdraw: 0xb0000106,
  closeTogether: 0xb0000107,
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
    .storeAddress(channel)
    .storeAddress(vault)
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

/** Bodies of the messages to a channel; `queryId` comes back with the excess. */
export const channelMessages = {
  open: (voucherKey: Buffer, queryId = 0n): Cell =>
    message(channelOps.open, queryId).storeBuffer(voucherKey, 32).endCell(),
  topUp: (queryId = 0n): Cell => message(channelOps.topUp, queryId).endCell(),
  redeem: (totalNano: bigint, signature: Buffer, queryId = 0n): Cell =>
    message(channelOps.redeem, queryId).storeCoins(totalNano).storeBuffer(signature, 64).endCell(),
  rotateKey: (voucherKey: Buffer, queryId = 0n): Cell =>
    message(channelOps.rotateKey, queryId).storeBuffer(voucherKey, 32).endCell(),
  requestClose: (queryId = 0n): Cell => message(channelOps.requestClose, queryId).endCell(),
  withdraw: (queryId = 0n): Cell => message(channelOps.withdraw, queryId).endCell(),
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
      .storeAddress(owner)
      .storeAddress(vault)
      .storeUint(salt, 64)
      .storeMaybeRef(null)
      .endCell();
    const init = { code, data };
    return new ClientChannel(contractAddress(0, init), init);
  }

  /** Any of `channelMessages`; the StateInit travels with it when this object knows one and the account is not there. */
  async send(provider: ContractProvider, via: Sender, value: bigint, body: Cell): Promise<void> {
    await provider.internal(via, { value, body, bounce: true });
  }

  async getChannel(provider: ContractProvider): Promise<ChannelView> {
    const { stack } = await provider.get("channel", []);
    const owner = stack.readAddress();
    const vault = stack.readAddress();
    const salt = stack.readBigNumber();
    const isOpen = stack.readBoolean();
    const key = (): Buffer => Buffer.from(stack.readBigNumber().toString(16).padStart(64, "0"), "hex");
    const voucherKey = key();
    const previousKey = key();
    const previousUntilAt = stack.readNumber() * 1000;
    const redeemedNano = stack.readBigNumber();
    const closesAt = stack.readNumber() * 1000;
    const closed = stack.readBoolean();
    const depositNano = stack.readBigNumber();
    return {
      owner,
      vault,
      salt,
      isOpen,
      voucherKey,
      previousKey,
      previousUntilAt,
      redeemedNano,
      closesAt,
      closed,
      depositNano,
    };
  }

  /** Rent kept back, and the least values of `redeem` and `closeTogether`, at the prices of the moment. */
  async getValues(
    provider: ContractProvider,
  ): Promise<{ reserveNano: bigint; redeemNano: bigint; closeTogetherNano: bigint }> {
    const { stack } = await provider.get("channel_value", []);
    return {
      reserveNano: stack.readBigNumber(),
      redeemNano: stack.readBigNumber(),
      closeTogetherNano: stack.readBigNumber(),
    };
  }
}
