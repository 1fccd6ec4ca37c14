import { type Address, beginCell, type Cell } from "@ton/core";

export const vaultOps = {
  channelPayment: 0xb0000201,
  closingPayment: 0xb0000202,
  closingConfirmed: 0xb0000203,
  sponsorDeposit: 0xb0000204,
  commitEpoch: 0xb0000205,
  veto: 0xb0000206,
  disputeLeaf: 0xb0000207,
  disputeAck: 0xb0000208,
  payout: 0xb0000209,
  rotateHotKeys: 0xb000020a,
  announceKeys: 0xb000020b,
  applyKeys: 0xb000020c,
  announceWithdrawal: 0xb000020d,
  withdraw: 0xb000020e,
  excesses: 0xd53276db,
} as const;

/** What one commit says about all epochs so far. */
export interface EpochRoot {
  readonly epoch: number;
  /** Levels of the tree; never falls, 20 at most. */
  readonly depth: number;
  readonly root: Uint8Array;
  /** Cumulative over all nodes and epochs. */
  readonly committedNano: bigint;
  readonly units: bigint;
  readonly requests: bigint;
  /** SHA-256 of the published file of leaves. */
  readonly leavesHash: Uint8Array;
  /** Root of the clients' tree. */
  readonly clientRoot: Uint8Array;
}

export function packEpochRoot(root: EpochRoot): Cell {
  return beginCell()
    .storeUint(root.epoch, 32)
    .storeUint(root.depth, 8)
    .storeBuffer(Buffer.from(root.root), 32)
    .storeCoins(root.committedNano)
    .storeUint(root.units, 128)
    .storeUint(root.requests, 64)
    .storeRef(
      beginCell()
        .storeBuffer(Buffer.from(root.leavesHash), 32)
        .storeBuffer(Buffer.from(root.clientRoot), 32)
        .endCell(),
    )
    .endCell();
}

export function unpackEpochRoot(cell: Cell): EpochRoot {
  const slice = cell.beginParse();
  const attachments = slice.loadRef().beginParse();
  return {
    epoch: slice.loadUint(32),
    depth: slice.loadUint(8),
    root: slice.loadBuffer(32),
    committedNano: slice.loadCoins(),
    units: slice.loadUintBig(128),
    requests: slice.loadUintBig(64),
    leavesHash: attachments.loadBuffer(32),
    clientRoot: attachments.loadBuffer(32),
  };
}

/** What the gateway's ack key promises a node on chain: earned so far, committed by `epoch` at the latest. */
export interface ChainAck {
  readonly globalId: number;
  readonly vault: Address;
  readonly account: Address;
  readonly index: number;
  readonly epoch: number;
  readonly cumulativeNano: bigint;
  /** Part of it that is held back for now. */
  readonly heldNano: bigint;
  readonly count: bigint;
  readonly receiptsHash: Uint8Array;
}

/** The cell whose hash the ack key signs. */
export function packAck(ack: ChainAck): Cell {
  return beginCell()
    .storeUint(0xb0f00003, 32)
    .storeInt(ack.globalId, 32)
    .storeBuffer(ack.vault.hash, 32)
    .storeBuffer(ack.account.hash, 32)
    .storeUint(ack.index, 64)
    .storeUint(ack.epoch, 32)
    .storeCoins(ack.cumulativeNano)
    .storeCoins(ack.heldNano)
    .storeRef(beginCell().storeUint(ack.count, 64).storeBuffer(Buffer.from(ack.receiptsHash), 32).endCell())
    .endCell();
}

/** Hash that the ack key signs to let a channel close at once. `validUntilAt` at most ten minutes ahead. */
export function closingHash(
  globalId: number,
  channel: Address,
  vault: Address,
  totalNano: bigint,
  validUntilAt: number,
): Buffer {
  return beginCell()
    .storeUint(0xb0f00002, 32)
    .storeInt(globalId, 32)
    .storeAddress(channel)
    .storeAddress(vault)
    .storeCoins(totalNano)
    .storeUint(Math.floor(validUntilAt / 1000), 32)
    .endCell()
    .hash();
}

const message = (op: number, queryId: bigint) => beginCell().storeUint(op, 32).storeUint(queryId, 64);

/** Bodies of the messages that people send to a vault; `queryId` comes back with the excess. */
export const vaultMessages = {
  sponsorDeposit: (sponsor: bigint, amountNano: bigint, queryId = 0n): Cell =>
    message(vaultOps.sponsorDeposit, queryId).storeUint(sponsor, 256).storeCoins(amountNano).endCell(),
  commitEpoch: (root: EpochRoot, queryId = 0n): Cell =>
    message(vaultOps.commitEpoch, queryId).storeRef(packEpochRoot(root)).endCell(),
  veto: (epoch: number, queryId = 0n): Cell => message(vaultOps.veto, queryId).storeUint(epoch, 32).endCell(),
  /** Leaves by `packAccountLeaf`. */
  disputeLeaf: (finalLeaf: Cell, pendingLeaf: Cell, queryId = 0n): Cell =>
    message(vaultOps.disputeLeaf, queryId).storeRef(finalLeaf).storeRef(pendingLeaf).endCell(),
  /** `ack` by `packAck`; no leaf when the pending tree has no place for the Ack's index. */
  disputeAck: (ack: Cell, signature: Buffer, pendingLeaf: Cell | null, queryId = 0n): Cell =>
    message(vaultOps.disputeAck, queryId)
      .storeRef(ack)
      .storeBuffer(signature, 64)
      .storeMaybeRef(pendingLeaf)
      .endCell(),
  rotateHotKeys: (committer: Address, ackKey: Buffer, queryId = 0n): Cell =>
    message(vaultOps.rotateHotKeys, queryId).storeAddress(committer).storeBuffer(ackKey, 32).endCell(),
  announceKeys: (owner: Address, guardian: Address, queryId = 0n): Cell =>
    message(vaultOps.announceKeys, queryId).storeAddress(owner).storeAddress(guardian).endCell(),
  applyKeys: (queryId = 0n): Cell => message(vaultOps.applyKeys, queryId).endCell(),
  announceWithdrawal: (amountNano: bigint, queryId = 0n): Cell =>
    message(vaultOps.announceWithdrawal, queryId).storeCoins(amountNano).endCell(),
  withdraw: (queryId = 0n): Cell => message(vaultOps.withdraw, queryId).endCell(),
};
