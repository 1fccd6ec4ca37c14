import { createPrivateKey, createPublicKey, type KeyObject, sign } from "node:crypto";
import { type Address, beginCell, type Cell, type StateInit, type Transaction } from "@ton/core";
import {
  type ChannelIdentity,
  type ChannelView,
  ClientChannel,
  type ClosingApproval,
  channelMessages,
  voucherHash,
} from "../src/client-channel/client-channel.ts";
import { packLeaf } from "../src/merkle/leaf.ts";
import { type LeafAt, SumTree } from "../src/merkle/sum-tree.ts";
import { claimMessage, NodeAccount } from "../src/node-account/node-account.ts";
import { type ChainAck, closingHash, type EpochRoot, packAck, vaultMessages } from "../src/vault/messages.ts";
import { Vault, type VaultTerms, type VaultView } from "../src/vault/vault.ts";
import { Chain, codeAt, type Outgoing, type Snapshot } from "./chain.ts";
import { configOf, mainnet, type PriceSet } from "./prices.ts";

export const gram = (amount: number): bigint => BigInt(Math.round(amount * 1e9));
export const hour = 3600;

/** Code of all four contracts, as compiled or as mutated. */
export interface Codes {
  readonly clientChannel: Cell;
  readonly nodeAccount: Cell;
  readonly vault: Cell;
  readonly registry: Cell;
}

/** An Ed25519 key by name, the same in every run; node:crypto with cached keys signs in 0.06 ms. */
export interface SigningKey {
  readonly publicKey: Buffer;
  sign(hash: Buffer): Buffer;
}

const keys = new Map<string, SigningKey>();

export function keyOf(name: string): SigningKey {
  let key = keys.get(name);
  if (key === undefined) {
    const seed = beginCell().storeBuffer(Buffer.from(name)).endCell().hash();
    const pkcs8 = Buffer.concat([Buffer.from("302e020100300506032b657004220420", "hex"), seed]);
    const secret: KeyObject = createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" });
    const publicKey = createPublicKey(secret).export({ format: "der", type: "spki" }).subarray(-32);
    key = { publicKey, sign: (hash) => sign(null, hash, secret) };
    keys.set(name, key);
  }
  return key;
}

export interface NodeActor {
  readonly nodeId: bigint;
  readonly owner: Address;
  readonly account: NodeAccount;
}

export interface Channel {
  readonly identity: ChannelIdentity;
  readonly contract: ClientChannel;
  readonly key: SigningKey;
}

/** A network with a vault, an operator, a guardian, clients and node owners, before anybody paid. */
export class World {
  readonly chain: Chain;
  readonly codes: Codes;
  readonly prices: PriceSet;
  readonly vault: Vault;
  readonly terms: VaultTerms;
  readonly owner: Address;
  readonly guardian: Address;
  readonly committer: Address;
  readonly client: Address;
  readonly stranger: Address;
  /** The tree of the last commit. */
  tree: SumTree | undefined;

  private constructor(chain: Chain, codes: Codes, prices: PriceSet) {
    this.chain = chain;
    this.codes = codes;
    this.prices = prices;
    this.owner = chain.wallet("owner");
    this.guardian = chain.wallet("guardian");
    this.committer = chain.wallet("committer");
    this.client = chain.wallet("client");
    this.stranger = chain.wallet("stranger");
    this.terms = {
      owner: this.owner,
      guardian: this.guardian,
      committer: this.committer,
      ackKey: keyOf("ack").publicKey,
      feeBps: 1000,
      salt: 7n,
    };
    this.vault = Vault.fromTerms(this.terms, codes.vault, codes);
  }

  static async create(codes: Codes, prices: PriceSet): Promise<World> {
    const chain = await Chain.create(configOf(prices));
    const world = new World(chain, codes, prices);
    await world.deploy(world.vault, gram(1));
    return world;
  }

  static readonly #base = new WeakMap<Codes, Map<PriceSet, { world: World; snapshot: Snapshot }>>();

  /** The same world as it was when it was made: a test's own. */
  static async fresh(codes: Codes, prices: PriceSet): Promise<World> {
    let bases = World.#base.get(codes);
    if (bases === undefined) {
      bases = new Map();
      World.#base.set(codes, bases);
    }
    let base = bases.get(prices);
    if (base === undefined) {
      const world = await World.create(codes, prices);
      base = { world, snapshot: world.chain.snapshot() };
      bases.set(prices, base);
    }
    base.world.chain.restore(base.snapshot);
    base.world.chain.config = configOf(prices);
    base.world.tree = undefined;
    return base.world;
  }

  /** Sends and lets everything arrive. Transactions: the wallet's first, then in order of arrival. */
  async send(from: Address, ...messages: Outgoing[]): Promise<Transaction[]> {
    const first = await this.chain.send(from, ...messages);
    return [first, ...(await this.chain.settle())];
  }

  async deploy(contract: { address: Address; init?: StateInit }, value: bigint): Promise<void> {
    const { address, init } = contract;
    await this.send(this.owner, { to: address, value, bounce: false, ...(init && { init }) });
  }

  /** Sends to the vault; answers with the vault's exit code. */
  async toVault(from: Address, body: Cell, value = gram(0.5)): Promise<number | undefined> {
    return codeAt(await this.send(from, { to: this.vault.address, value, body }), this.vault.address);
  }

  view(): Promise<VaultView> {
    return this.vault.getVault(this.chain.provider(this.vault.address));
  }

  // Channels

  channel(owner = this.client, salt = 1n, key = keyOf("voucher")): Channel {
    const identity = { owner, vault: this.vault.address, salt };
    return { identity, contract: ClientChannel.fromIdentity(identity, this.codes.clientChannel), key };
  }

  async open(channel = this.channel(), value = gram(10)): Promise<Channel> {
    await this.send(channel.identity.owner, {
      to: channel.contract.address,
      value,
      init: channel.contract.init as StateInit,
      body: channelMessages.setKey(channel.key.publicKey),
    });
    return channel;
  }

  async toChannel(
    from: Address,
    channel: Channel,
    body: Cell,
    value = gram(0.5),
  ): Promise<number | undefined> {
    const done = await this.send(from, { to: channel.contract.address, value, body });
    return codeAt(done, channel.contract.address);
  }

  channelView(channel: Channel): Promise<ChannelView> {
    return channel.contract.getChannel(this.chain.provider(channel.contract.address));
  }

  voucher(channel: Channel, totalNano: bigint, key = channel.key, globalId = mainnet): Cell {
    const { address } = channel.contract;
    const hash = voucherHash(globalId, address, channel.identity.vault, totalNano);
    return channelMessages.redeem(totalNano, key.sign(hash));
  }

  redeem(
    channel: Channel,
    totalNano: bigint,
    from = this.stranger,
    value = gram(0.5),
  ): Promise<number | undefined> {
    return this.toChannel(from, channel, this.voucher(channel, totalNano), value);
  }

  approval(
    channel: Channel,
    totalNano: bigint,
    validUntil = this.chain.now + 600,
    key = keyOf("ack"),
  ): ClosingApproval {
    const validUntilAt = validUntil * 1000;
    const hash = closingHash(mainnet, channel.contract.address, this.vault.address, totalNano, validUntilAt);
    return { totalNano, validUntilAt, signature: key.sign(hash) };
  }

  // Nodes

  node(name: string, ownerName = `owner of ${name}`): NodeActor {
    const nodeId = BigInt(`0x${beginCell().storeBuffer(Buffer.from(name)).endCell().hash().toString("hex")}`);
    const owner = this.chain.wallet(ownerName);
    const account = NodeAccount.fromIdentity(
      { vault: this.vault.address, nodeId, owner },
      this.codes.nodeAccount,
    );
    return { nodeId, owner, account };
  }

  leafOf(node: NodeActor, earned: bigint, units = earned / 10n): LeafAt {
    return { account: node.account.address, earned, units };
  }

  treeOf(leaves: readonly LeafAt[], depth?: number): SumTree {
    return new SumTree({ globalId: mainnet, vault: this.vault.address }, leaves, depth);
  }

  rootOf(tree: SumTree, epoch: number, changes: Partial<EpochRoot> = {}): EpochRoot {
    return {
      epoch,
      depth: tree.depth,
      root: tree.root,
      committedNano: tree.total,
      units: BigInt(epoch) * 1000n,
      requests: BigInt(epoch) * 10n,
      leavesHash: Buffer.alloc(32, 0xaa),
      clientRoot: Buffer.alloc(32, 0xbb),
      ...changes,
    };
  }

  async commit(tree: SumTree, epoch = 1, changes: Partial<EpochRoot> = {}): Promise<number | undefined> {
    const code = await this.toVault(
      this.committer,
      vaultMessages.commitEpoch(this.rootOf(tree, epoch, changes)),
    );
    if (code === 0) this.tree = tree;
    return code;
  }

  /** Commits and lets 24 hours pass. */
  async finalize(tree: SumTree, epoch = 1, changes: Partial<EpochRoot> = {}): Promise<void> {
    const code = await this.commit(tree, epoch, changes);
    if (code !== 0) throw new Error(`the commit of epoch ${epoch} was refused with ${code}`);
    this.chain.now += 24 * hour;
  }

  /** Cell of a claim's leaf. */
  leafCell(index: number, tree = this.tree as SumTree): Cell {
    const leaf = tree.leaf(index);
    if (leaf === undefined) throw new Error(`leaf ${index} is empty`);
    return packLeaf(leaf, tree.path(index));
  }

  claimOf(node: NodeActor, leaf: Cell, value = gram(0.5)): Outgoing {
    const { address, init } = node.account;
    return {
      to: address,
      value,
      body: claimMessage(leaf),
      ...(init && !this.chain.isActive(address) && { init }),
    };
  }

  claim(node: NodeActor, leaf: Cell, from = node.owner, value = gram(0.5)): Promise<Transaction[]> {
    return this.send(from, this.claimOf(node, leaf, value));
  }

  ack(
    node: NodeActor,
    changes: Partial<ChainAck> = {},
    key = keyOf("ack"),
  ): { cell: Cell; signature: Buffer } {
    const cell = packAck({
      globalId: mainnet,
      vault: this.vault.address,
      account: node.account.address,
      index: 0,
      epoch: 1,
      cumulativeNano: 0n,
      heldNano: 0n,
      count: 1n,
      receiptsHash: Buffer.alloc(32, 0xcc),
      ...changes,
    });
    return { cell, signature: key.sign(cell.hash()) };
  }

  /** A channel of `deposit` that redeemed all of it, so that nodes may be committed 90 %. */
  async paidIn(deposit = gram(100)): Promise<void> {
    const channel = await this.open(this.channel(this.client, 99n), deposit + gram(1));
    const code = await this.redeem(channel, deposit);
    if (code !== 0) throw new Error(`the redeem was refused with ${code}`);
  }
}
