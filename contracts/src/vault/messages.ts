import { type Address, beginCell, type Cell } from "@ton/core";
import { basechainHash } from "../rules/party.ts";

export const vaultOps = {
  channelPayment: 0xb0000201,
  closingConfirmed: 0xb0000202,
  sponsorDeposit: 0xb0000203,
  commitEpoch: 0xb0000204,
  veto: 0xb0000205,
  dispute: 0xb0000206,
  payout: 0xb0000207,
  rotateHotKeys: 0xb0000208,
  announce: 0xb0000209,
  applyAnnounced: 0xb000020a,
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
    .storeBuffer(channel.hash, 32)
    .storeBuffer(vault.hash, 32)
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
  /**
   * Leaves by `packAccountLeaf`, the Ack by `packAck`. No pending leaf when the pending tree has no place for the index.
   */
  dispute: (
    evidence: { readonly finalLeaf: Cell } | { readonly ack: Cell; readonly signature: Buffer },
    pendingLeaf: Cell | null,
    queryId = 0n,
  ): Cell => {
    const builder = message(vaultOps.dispute, queryId);
    if ("finalLeaf" in evidence) builder.storeBit(0).storeRef(evidence.finalLeaf);
    else builder.storeBit(1).storeRef(evidence.ack).storeBuffer(evidence.signature, 64);
    return builder.storeMaybeRef(pendingLeaf).endCell();
  },
  rotateHotKeys: (committer: Address, ackKey: Buffer, queryId = 0n): Cell =>
    message(vaultOps.rotateHotKeys, queryId)
      .storeBuffer(basechainHash(committer), 32)
      .storeBuffer(ackKey, 32)
      .endCell(),
  announce: (
    { withdrawalNano, owner, guardian }: { withdrawalNano: bigint; owner: Address; guardian: Address },
    queryId = 0n,
  ): Cell =>
    message(vaultOps.announce, queryId)
      .storeCoins(withdrawalNano)
      .storeBuffer(basechainHash(owner), 32)
      .storeBuffer(basechainHash(guardian), 32)
      .endCell(),
  applyAnnounced: (queryId = 0n): Cell => message(vaultOps.applyAnnounced, queryId).endCell(),
};
