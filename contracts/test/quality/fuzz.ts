import { parseArgs } from "node:util";
import {
  type Account,
  type Address,
  beginCell,
  type Cell,
  type ShardAccount,
  type Transaction,
} from "@ton/core";
import { channelMessages } from "../../src/client-channel/client-channel.ts";
import { packAccountLeaf, packLeaf } from "../../src/merkle/leaf.ts";
import type { LeafAt, SumTree } from "../../src/merkle/sum-tree.ts";
import { exitCode } from "../../src/rules/refusal.ts";
import { packEpochRoot, vaultMessages } from "../../src/vault/messages.ts";
import { codeAt, type Outgoing } from "../chain.ts";
import { compileAll } from "../codes.ts";
import { type PriceSet, priceSets } from "../prices.ts";
import { type Channel, type Codes, gram, hour, keyOf, type NodeActor, World } from "../world.ts";

export interface FuzzResult {
  readonly ops: number;
  readonly seed: number;
  /** By operation: how many of its messages were accepted and refused where they first arrived. */
  readonly accepted: Record<string, number>;
  readonly rejected: Record<string, number>;
  /** How often each invariant was checked. */
  readonly invariants: Record<string, number>;
  readonly violations: string[];
}

/** xorshift128+: the same numbers for the same seed on every machine. */
class Dice {
  #a: bigint;
  #b: bigint;

  constructor(seed: number) {
    this.#a = BigInt.asUintN(64, BigInt(seed) * 0x9e3779b97f4a7c15n + 1n);
    this.#b = BigInt.asUintN(64, BigInt(seed) * 0xbf58476d1ce4e5b9n + 7n);
    for (let at = 0; at < 8; at++) this.below(2);
  }

  below(limit: number): number {
    let one = this.#a;
    const two = this.#b;
    this.#a = two;
    one ^= BigInt.asUintN(64, one << 23n);
    this.#b = one ^ two ^ (one >> 17n) ^ (two >> 26n);
    return Number((BigInt.asUintN(64, this.#b + two) >> 16n) % BigInt(limit));
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }

  chance(percent: number): boolean {
    return this.below(100) < percent;
  }
}

/** What was read from the vault's cell, without running a get-method. */
interface Till {
  readonly paid: bigint;
  readonly credit: bigint;
  readonly deposit: bigint;
  readonly fee: bigint;
  readonly lastEpoch: number;
  readonly pendingSince: number;
  readonly finalTotal: bigint;
  readonly finalEpoch: number;
  readonly hasPending: boolean;
}

const day = 24 * hour;

/** How often each is drawn when none is behind the others. */
const weights = {
  open: 4,
  rotate: 6,
  close: 4,
  "close together": 7,
  redeem: 4,
  "top up": 3,
  deposit: 3,
  commit: 3,
  veto: 5,
  dispute: 9,
  claim: 6,
  announce: 1,
  apply: 9,
  "rotate hot keys": 4,
  forge: 3,
};
type Operation = keyof typeof weights;
const operationNames = Object.keys(weights) as Operation[];
const operations = operationNames.flatMap((op) => Array.from({ length: weights[op] }, () => op));

/** What the next message is meant to meet; nobody knows what it will, by the time it arrives. */
type Aim = "accepted" | "rejected" | undefined;

class Fuzz {
  readonly w: World;
  readonly dice: Dice;
  readonly nodes: NodeActor[];
  readonly channels: Channel[];
  readonly accepted: Record<string, number> = {};
  readonly rejected: Record<string, number> = {};
  readonly invariants: Record<string, number> = {};
  readonly violations: string[] = [];
  readonly wallets: Address[];
  /** Largest total that each channel's voucher key ever signed. */
  readonly signed = new Map<Channel, bigint>();
  /** What each node earned by the model's honest books. */
  readonly earned: bigint[];
  readonly labels = new Map<string, string>();
  /** Trees by epoch. */
  readonly trees = new Map<number, SumTree>();
  /** Leaves of the last final root by place: an index never changes its account, an amount never falls. */
  finalTree: SumTree | undefined;
  finalEpoch = 0;
  vetoed = new Set<number>();
  start = 0n;
  last: Till;

  constructor(w: World, dice: Dice) {
    this.w = w;
    this.dice = dice;
    this.nodes = ["a", "b", "c", "d"].map((name) => w.node(name));
    this.channels = [1n, 2n, 3n].map((salt) =>
      w.channel(w.chain.wallet(`client ${salt}`), salt, keyOf(`voucher ${salt}`)),
    );
    this.wallets = [
      w.owner,
      w.guardian,
      w.committer,
      w.stranger,
      ...this.nodes.map(({ owner }) => owner),
      ...this.channels.map(({ identity }) => identity.owner),
    ];
    this.earned = this.nodes.map(() => 0n);
    this.last = this.till();
  }

  till(): Till {
    const data = this.w.chain.data(this.w.vault.address).beginParse();
    const [paid, credit, deposit, fee] = [
      data.loadCoins(),
      data.loadCoins(),
      data.loadCoins(),
      data.loadCoins(),
    ];
    const lastEpoch = data.loadUint(32);
    const pendingSince = data.loadUint(32);
    data.skip(256);
    data.loadRef();
    data.loadRef();
    const final = data.loadMaybeRef()?.beginParse();
    const hasPending = data.loadBit();
    const finalEpoch = final?.loadUint(32) ?? 0;
    final?.skip(8 + 256);
    return {
      paid,
      credit,
      deposit,
      fee,
      lastEpoch,
      pendingSince,
      finalTotal: final?.loadCoins() ?? 0n,
      finalEpoch,
      hasPending,
    };
  }

  claimed(node: NodeActor): bigint {
    if (!this.w.chain.isActive(node.account.address)) return 0n;
    return this.w.chain.data(node.account.address).beginParse().skip(768).loadCoins();
  }

  redeemed(channel: Channel): bigint {
    if (!this.w.chain.isActive(channel.contract.address)) return 0n;
    return this.w.chain.data(channel.contract.address).beginParse().loadCoins();
  }

  check(name: string, holds: boolean, detail: () => string): void {
    this.invariants[name] = (this.invariants[name] ?? 0) + 1;
    if (!holds && this.violations.length < 10) this.violations.push(`${name}: ${detail()}`);
  }

  /** After every transaction. */
  watch(): void {
    const { w } = this;
    const now = this.till();
    const owed = now.credit - now.paid + now.deposit + now.fee;
    this.check("solvent", w.chain.balance(w.vault.address) >= owed, () => `balance below ${owed}`);
    this.check("paid <= committed", now.paid <= now.finalTotal, () => `${now.paid} > ${now.finalTotal}`);
    this.check(
      "monotone",
      now.lastEpoch >= this.last.lastEpoch &&
        now.finalTotal >= this.last.finalTotal &&
        now.paid >= this.last.paid &&
        now.credit >= this.last.credit,
      () => "a counter fell",
    );
    if (now.finalEpoch !== this.last.finalEpoch) this.checkFinal(now.finalEpoch);
    this.last = now;
  }

  checkFinal(epoch: number): void {
    const next = this.trees.get(epoch);
    this.check(
      "final roots are known and not vetoed",
      next !== undefined && !this.vetoed.has(epoch),
      () => `epoch ${epoch}`,
    );
    const before = this.finalTree;
    if (next === undefined) return;
    this.finalTree = next;
    if (before === undefined || this.unwatched.has(epoch)) return;
    const fallen = contradiction(before, next);
    this.check(
      "no index falls or changes its account in a final root that somebody watched",
      fallen === undefined,
      () => `epoch ${epoch}, index ${fallen}`,
    );
  }

  /** Roots at which nobody looked in their 24 hours. */
  readonly unwatched = new Set<number>();

  /** Shortly before a root becomes final somebody compares it with the last one; of every fifth nobody takes notice. */
  async guard(): Promise<void> {
    const epoch = this.last.lastEpoch;
    const [pending, final] = [this.trees.get(epoch), this.finalTree];
    if (epoch % 5 === 0) {
      this.unwatched.add(epoch);
      return;
    }
    if (pending === undefined || final === undefined) return;
    const index = contradiction(final, pending);
    if (index === undefined) return;
    const leafOf = (tree: SumTree): Cell => packAccountLeaf(index, tree.leaf(index), tree.path(index));
    const body = vaultMessages.dispute({ finalLeaf: leafOf(final) }, leafOf(pending));
    const { w } = this;
    const watcher = w.chain.wallet("watcher");
    await w.chain.send(watcher, { to: w.vault.address, value: gram(0.5), body });
    const before = this.last;
    const transaction = await w.chain.step(w.chain.flying.length - 1);
    this.account(transaction, before);
    this.watch();
    const code = exitCode(transaction);
    this.check("whoever watches kills a root that contradicts the last", code === 0, () => `${code}`);
  }

  /** When nothing is on its way. */
  checkAtRest(): void {
    const { w } = this;
    this.check(
      "conservation",
      w.chain.totalNano() + w.chain.feesNano === this.start,
      () => `${w.chain.totalNano() + w.chain.feesNano - this.start} nano`,
    );
    const claimed = this.nodes.reduce((sum, node) => sum + this.claimed(node), 0n);
    this.check(
      "accounts and vault agree",
      claimed === this.last.paid,
      () => `${claimed} claimed, ${this.last.paid} paid`,
    );
    const redeemed = this.channels.reduce((sum, channel) => sum + this.redeemed(channel), 0n);
    this.check(
      "channels and vault agree",
      redeemed + this.sponsored === this.received(),
      () => `${redeemed} + ${this.sponsored} != ${this.received()}`,
    );
    for (const channel of this.channels) {
      this.check(
        "a client loses at most what it signed",
        this.redeemed(channel) <= (this.signed.get(channel) ?? 0n),
        () => "redeemed above the signed total",
      );
    }
  }

  sponsored = 0n;
  withdrawn = 0n;

  received(): bigint {
    return this.last.credit + this.last.deposit + this.last.fee + this.withdrawn;
  }

  book(op: string, transaction: Transaction): void {
    const code = exitCode(transaction);
    const counts = code === 0 ? this.accepted : this.rejected;
    counts[op] = (counts[op] ?? 0) + 1;
  }

  aim: Aim;

  /** Draws an operation; half of the time the one that was accepted, or refused, most rarely so far. */
  #draw(): Operation {
    const { dice } = this;
    this.aim = undefined;
    let op = dice.pick(operations);
    if (dice.chance(50)) {
      const counts = operationNames.flatMap((name) => [
        { name, aim: "accepted" as const, count: this.accepted[name] ?? 0 },
        { name, aim: "rejected" as const, count: this.rejected[name] ?? 0 },
      ]);
      const rare = dice.pick(counts.sort((one, other) => one.count - other.count).slice(0, 3));
      op = rare.name;
      this.aim = rare.aim;
    }
    // What has no chance now is prepared instead.
    const pending = this.last.hasPending && this.w.chain.now < this.last.pendingSince + day;
    if ((op === "veto" || op === "dispute") && !pending && this.aim !== "rejected" && dice.chance(85)) {
      this.aim = "accepted";
      return "commit";
    }
    const ripe = this.ripe();
    if (op === "apply" && ripe !== true && this.aim !== "rejected" && dice.chance(85)) {
      if (ripe === undefined) this.aim = "accepted";
      return ripe === undefined ? "announce" : dice.pick(operations);
    }
    return op;
  }

  /** A chance of `percent` that a message is as it should be, more or less when it is aimed. */
  fair(percent: number): boolean {
    const aimed = { accepted: Math.max(percent, 97), rejected: Math.min(percent, 40) };
    return this.dice.chance(this.aim === undefined ? percent : aimed[this.aim]);
  }

  /** Whether a withdrawal may be applied; `undefined` when none is announced, or too long ago. */
  ripe(): boolean | undefined {
    const data = this.w.chain.data(this.w.vault.address);
    const announced = data.refs[0]?.refs[0]?.beginParse();
    if (announced === undefined) return undefined;
    announced.loadCoins();
    const age = this.w.chain.now - announced.skip(512).loadUint(32);
    return age >= 9 * day ? undefined : age >= 2 * day;
  }

  /** The message of one operation, honest or not; its first arrival is booked under `op`. */
  operation(): { op: string; from: Address; message: Outgoing } {
    const { w, dice } = this;
    const op = this.#draw();
    const value = this.fair(88)
      ? gram(0.5)
      : dice.pick([1n, gram(0.0005), gram(0.002), gram(0.01), gram(0.05)]);
    const vault = (body: Cell): Outgoing => ({ to: w.vault.address, value, body });
    const channel = dice.pick(this.channels);
    const to = channel.contract.address;
    const anybody = dice.pick(this.wallets);
    switch (op) {
      case "open": {
        const body = channelMessages.setKey(channel.key.publicKey);
        const init = channel.contract.init as NonNullable<typeof channel.contract.init>;
        return {
          op,
          from: this.fair(80) ? channel.identity.owner : anybody,
          message: { to, value: value * 40n, body, init },
        };
      }
      case "redeem": {
        const total =
          BigInt(dice.below(30)) * gram(0.1) + this.redeemed(channel) + BigInt(dice.below(3)) - 1n;
        const key = this.fair(75) ? channel.key : keyOf("thief");
        if (total < 0n) return this.operation();
        if (key === channel.key && total > (this.signed.get(channel) ?? 0n)) this.signed.set(channel, total);
        return { op, from: anybody, message: { to, value, body: w.voucher(channel, total, key) } };
      }
      case "top up":
        return {
          op,
          from: anybody,
          message: {
            to: dice.chance(75) ? to : w.vault.address,
            value: value * 4n,
            body: this.fair(70) ? beginCell().endCell() : beginCell().storeUint(0, 32).endCell(),
          },
        };
      case "rotate":
        return {
          op,
          from: this.fair(88) ? channel.identity.owner : anybody,
          message: { to, value, body: channelMessages.setKey(channel.key.publicKey) },
        };
      case "close":
        return {
          op,
          from: this.fair(60) ? channel.identity.owner : anybody,
          message: { to, value, body: channelMessages.close() },
        };
      case "close together": {
        const total = this.redeemed(channel) + BigInt(dice.below(20) - 3) * gram(0.1);
        if (total < 0n) return this.operation();
        const key = this.fair(65) ? keyOf("ack") : keyOf("thief");
        if (key === keyOf("ack") && total > (this.signed.get(channel) ?? 0n)) this.signed.set(channel, total);
        const approval = w.approval(channel, total, w.chain.now + dice.below(700), key);
        // The owner's consent is part of what was signed, whatever the ack key says.
        if (total > (this.signed.get(channel) ?? 0n)) this.signed.set(channel, total);
        return {
          op,
          from: this.fair(70) ? channel.identity.owner : anybody,
          message: { to, value, body: channelMessages.closeTogether(approval) },
        };
      }
      case "deposit": {
        const amount = BigInt(dice.below(20)) * gram(0.1);
        const from = dice.chance(40) ? w.owner : anybody;
        const attached = this.fair(70) ? amount + gram(0.5) : amount;
        return {
          op,
          from,
          message: {
            to: w.vault.address,
            value: attached + 1n,
            body: vaultMessages.sponsorDeposit(1n, amount),
          },
        };
      }
      case "commit":
        return this.commit(vault);
      case "veto":
        return {
          op,
          from: this.fair(85) ? w.guardian : anybody,
          message: vault(vaultMessages.veto(this.last.lastEpoch + (this.fair(85) ? 0 : 1))),
        };
      case "dispute":
        return { op, from: anybody, message: vault(this.disputeBody()) };
      case "claim":
        return this.claim(value);
      case "announce": {
        const withdrawalNano = (this.last.fee * BigInt(dice.below(60))) / 100n;
        return {
          op,
          from: this.fair(70) ? w.owner : anybody,
          message: vault(vaultMessages.announce({ withdrawalNano, owner: w.owner, guardian: w.guardian })),
        };
      }
      case "apply":
        return {
          op,
          from: this.fair(80) ? w.owner : anybody,
          message: vault(vaultMessages.applyAnnounced()),
        };
      case "rotate hot keys":
        return {
          op,
          from: this.fair(60) ? w.owner : anybody,
          message: vault(vaultMessages.rotateHotKeys(w.committer, keyOf("ack").publicKey)),
        };
      default: {
        // Somebody else's step, straight to the vault or an account.
        const node = dice.pick(this.nodes);
        const step = beginCell()
          .storeUint(dice.pick([0xb0000201, 0xb0000302, 0xb0000202, 0xffffffff]), 32)
          .storeUint(0, 64)
          .storeCoins(gram(1))
          .storeUint(node.nodeId, 256)
          .endCell();
        const target = dice.pick([w.vault.address, to, node.account.address]);
        return {
          op,
          from: anybody,
          message: { to: target, value, body: this.fair(50) ? beginCell().endCell() : step },
        };
      }
    }
  }

  commit(vault: (body: Cell) => Outgoing): { op: string; from: Address; message: Outgoing } {
    const { w, dice } = this;
    const epoch = this.last.lastEpoch + (this.fair(92) ? 1 : dice.below(3));
    const free = this.last.credit + this.last.deposit - this.last.finalTotal;
    const earned = [...this.earned];
    if (free > 0n) {
      const at = dice.below(earned.length);
      const most = this.fair(90) ? free : free * 2n;
      earned[at] = (earned[at] as bigint) + (most * BigInt(dice.below(60))) / 100n;
    }
    // A thieving operator: takes from one node; what nobody vetoes or disputes becomes final.
    if (dice.chance(60)) {
      const [from, to] = [dice.below(earned.length), dice.below(earned.length)];
      const part = (earned[from] as bigint) / 2n;
      earned[from] = (earned[from] as bigint) - part;
      earned[to] = (earned[to] as bigint) + part;
    }
    const leaves: LeafAt[] = this.nodes.map((node, index) => w.leafOf(node, earned[index] as bigint, 0n));
    const tree = w.treeOf(leaves, 2 + dice.below(2));
    const from = this.fair(88) ? w.committer : w.stranger;
    const root = w.rootOf(tree, epoch, { units: BigInt(epoch), requests: BigInt(epoch) });
    this.#roots.set(packEpochRoot(root).hash().toString("hex"), { tree, earned });
    return { op: "commit", from, message: vault(vaultMessages.commitEpoch(root)) };
  }

  /** What was ever sent to be committed, by the hash of its root cell. */
  readonly #roots = new Map<string, { readonly tree: SumTree; readonly earned: bigint[] }>();

  claim(value: bigint): { op: string; from: Address; message: Outgoing } {
    const { w, dice } = this;
    const index = dice.below(this.nodes.length);
    const node = this.nodes[index] as NodeActor;
    const tree = this.fair(80)
      ? (this.finalOf() ?? this.trees.get(this.last.lastEpoch))
      : this.trees.get(this.last.lastEpoch);
    const leaf = tree?.leaf(index);
    if (tree === undefined || leaf === undefined) return this.operation();
    const earned = this.fair(75) ? leaf.earned : leaf.earned + BigInt(dice.below(1000)) + 1n;
    const cell = packLeaf({ ...leaf, earned }, tree.path(this.fair(92) ? index : dice.below(4)));
    return {
      op: "claim",
      from: dice.chance(60) ? node.owner : dice.pick(this.wallets),
      message: w.claimOf(node, cell, value),
    };
  }

  /** The tree of the root that is final at this moment. */
  finalOf(): SumTree | undefined {
    const aged = this.last.hasPending && this.w.chain.now >= this.last.pendingSince + day;
    return aged ? this.trees.get(this.last.lastEpoch) : this.finalTree;
  }

  disputeBody(): Cell {
    const { w, dice } = this;
    const pending = this.trees.get(this.last.lastEpoch);
    const final = this.finalTree;
    const fallen = [0, 1, 2, 3].find(
      (at) => (pending?.leaf(at)?.earned ?? 0n) < (final?.leaf(at)?.earned ?? 0n),
    );
    const index = fallen !== undefined && dice.chance(85) ? fallen : dice.below(4);
    const leafOf = (tree: SumTree): Cell => packAccountLeaf(index, tree.leaf(index), tree.path(index));
    if (pending === undefined) return vaultMessages.veto(0);
    if (final !== undefined && dice.chance(fallen === undefined ? 40 : 60))
      return vaultMessages.dispute({ finalLeaf: leafOf(final) }, leafOf(pending));
    const key = this.fair(80) ? keyOf("ack") : keyOf("thief");
    const cumulativeNano = (pending.leaf(index)?.earned ?? 0n) + (this.fair(50) ? 1n : 0n);
    const { cell, signature } = w.ack(
      this.nodes[index] as NodeActor,
      { index, epoch: this.last.lastEpoch, cumulativeNano },
      key,
    );
    return vaultMessages.dispute({ ack: cell, signature }, leafOf(pending));
  }

  /** One wallet transaction of 1 to 4 messages, of which the first may be any operation and the others hers as well. */
  async round(left: number): Promise<number> {
    const { w, dice } = this;
    const first = this.operation();
    const batch = [first];
    const want = Math.min(left, dice.chance(60) ? 1 : 2 + dice.below(3));
    for (let tries = 0; batch.length < want && tries < 12; tries++) {
      const next = this.operation();
      batch.push(dice.chance(75) ? next : { ...first });
    }
    await w.chain.send(first.from, ...batch.map(({ message }) => message));
    const pendingOps = batch.map(({ op, message }) => ({ op, message }));
    // Chains stepped apart: what arrives next is anybody's guess, but two messages of one pair of accounts keep their order.
    const queueOf = w.chain.flying;
    for (const [at, flying] of queueOf.entries()) {
      const known = pendingOps[at - (queueOf.length - pendingOps.length)];
      if (known !== undefined) this.#names.set(flying.cell.hash().toString("hex"), known.op);
    }
    const steps = dice.chance(70) ? Number.POSITIVE_INFINITY : dice.below(4);
    for (let step = 0; step < steps && w.chain.flying.length > 0; step++) await this.arrive();
    if (w.chain.flying.length === 0) this.checkAtRest();
    if (dice.chance(25)) {
      const seconds = dice.pick([60, hour, 12 * hour, day, day, 2 * day, 2 * day, 3 * day]);
      const finalAt = this.last.pendingSince + day;
      if (this.last.hasPending && w.chain.now < finalAt && w.chain.now + seconds >= finalAt)
        await this.guard();
      w.chain.now += seconds;
      this.noteTime();
    }
    return batch.length;
  }

  readonly #names = new Map<string, string>();

  async arrive(): Promise<void> {
    const { w, dice } = this;
    const flying = w.chain.flying;
    let at = dice.below(flying.length);
    // Between two accounts messages keep their order.
    const chosen = flying[at];
    const source = (cell: Cell): string => cell.beginParse().skip(4).loadMaybeAddress()?.toRawString() ?? "";
    if (chosen !== undefined) {
      const from = source(chosen.cell);
      at = flying.findIndex((one) => one.to.equals(chosen.to) && source(one.cell) === from);
    }
    const name = this.#names.get((flying[at] as (typeof flying)[number]).cell.hash().toString("hex"));
    const before = this.last;
    const transaction = await w.chain.step(at);
    if (name !== undefined) this.book(name, transaction);
    this.account(transaction, before);
    this.watch();
  }

  /** Keeps the model's books by what the vault accepted. */
  account(transaction: Transaction, before: Till): void {
    if (transaction.address !== BigInt(`0x${this.w.vault.address.hash.toString("hex")}`)) return;
    if (exitCode(transaction) !== 0) return;
    const body = transaction.inMessage?.body.beginParse();
    if (body === undefined || body.remainingBits < 96) return;
    const op = body.loadUint(32);
    body.skip(64);
    if (op === 0xb0000203) {
      body.skip(256);
      this.sponsored += body.loadCoins();
    }
    if (op === 0xb0000204) {
      const cell = body.loadRef();
      const known = this.#roots.get(cell.hash().toString("hex"));
      const epoch = cell.beginParse().loadUint(32);
      if (known !== undefined) {
        this.trees.set(epoch, known.tree);
        this.#books.set(epoch, known.earned);
      }
    }
    if (op === 0xb0000205 || op === 0xb0000206) this.vetoed.add(before.lastEpoch);
    if (op === 0xb000020a) {
      const after = this.till();
      this.withdrawn +=
        before.credit + before.deposit + before.fee - after.credit - after.deposit - after.fee;
    }
  }

  readonly #books = new Map<number, bigint[]>();

  noteTime(): void {
    if (this.last.hasPending && this.w.chain.now >= this.last.pendingSince + day) {
      const books = this.#books.get(this.last.lastEpoch);
      if (books !== undefined) for (const [at, earned] of books.entries()) this.earned[at] = earned;
    }
  }

  /** After any prefix an honest claim, closing and withdrawal still succeed; the world is put back. */
  async liveness(): Promise<void> {
    const { w } = this;
    while (w.chain.flying.length > 0) await this.arrive();
    const snapshot = w.chain.snapshot();
    const till = this.last;
    const tree = this.finalOf();
    if (tree !== undefined) {
      for (const [index, node] of this.nodes.entries()) {
        const leaf = tree.leaf(index);
        if (leaf === undefined || leaf.earned <= this.claimed(node)) continue;
        const due = leaf.earned - this.claimed(node);
        if (this.till().paid + due > tree.total) continue;
        const done = await w.claim(node, packLeaf(leaf, tree.path(index)), node.owner);
        this.check(
          "liveness: an honest claim is paid",
          codeAt(done, w.vault.address) === 0,
          () => `node ${index}: ${codeAt(done, w.vault.address)}`,
        );
      }
    }
    w.chain.now += 3 * day;
    for (const channel of this.channels) {
      const owner = channel.identity.owner;
      if (!w.chain.isActive(channel.contract.address)) continue;
      await w.toChannel(owner, channel, channelMessages.close());
      w.chain.now += 3 * day;
      const code = await w.toChannel(owner, channel, channelMessages.close());
      this.check("liveness: an honest closing returns the deposit", code === 0, () => `${code}`);
    }
    if (till.fee > 0n) {
      await w.toVault(
        w.owner,
        vaultMessages.announce({ withdrawalNano: 1n, owner: w.owner, guardian: w.guardian }),
      );
      w.chain.now += 2 * day;
      const code = await w.toVault(w.owner, vaultMessages.applyAnnounced());
      this.check("liveness: the operator's fee is paid", code === 0, () => `${code}`);
    }
    w.chain.restore(snapshot);
    this.last = till;
  }
}

/** First place at which a later tree says less than an earlier one, or names another account. */
function contradiction(before: SumTree, after: SumTree): number | undefined {
  for (let index = 0; index < before.length; index++) {
    const [one, next] = [before.leaf(index), after.leaf(index)];
    if (one === undefined) continue;
    if (next === undefined || next.earned < one.earned || !next.account.equals(one.account)) return index;
  }
  return undefined;
}

/** Random operations against the contracts, checked after every transaction. The same for the same seed. */
export async function fuzz(
  codes: Codes,
  ops: number,
  seed: number,
  prices: PriceSet = priceSets[seed % 2] as PriceSet,
): Promise<FuzzResult> {
  const w = await World.fresh(codes, prices);
  const run = new Fuzz(w, new Dice(seed));
  // More than 20,000 operations can spend: a wallet that runs dry sends nothing, and finds nothing.
  for (const wallet of [...run.wallets, w.chain.wallet("watcher")]) {
    const shard = w.chain.account(wallet) as ShardAccount;
    const account = shard.account as Account;
    const storage = { ...account.storage, balance: { coins: gram(10_000_000) } };
    w.chain.put({ ...shard, account: { ...account, storage } });
  }
  await w.send(w.stranger, { to: w.vault.address, value: gram(20), bounce: false });
  for (const channel of run.channels) await w.open(channel, gram(40));
  run.start = w.chain.totalNano() + w.chain.feesNano;
  run.last = run.till();
  let done = 0;
  let generation = 0;
  for (let round = 1; done < ops; round++) {
    done += await run.round(ops - done);
    if (run.violations.length > 0) break;
    w.chain.transactions = [];
    if (round % 60 === 0) await run.liveness();
    if (round % 25 === 0) {
      // Closed channels are replaced, so that the fuzz does not run dry.
      for (const [at, channel] of run.channels.entries()) {
        if (!w.chain.isActive(channel.contract.address)) continue;
        const closesAt = w.chain.data(channel.contract.address).beginParse();
        closesAt.loadCoins();
        if (closesAt.loadUint(32) === 0 || w.chain.flying.length > 0) continue;
        run.sponsored += run.redeemed(channel);
        const fresh = w.channel(channel.identity.owner, 100n + BigInt(generation++), channel.key);
        run.channels[at] = fresh;
        run.signed.delete(channel);
      }
    }
  }
  await run.liveness();
  const { accepted, rejected, invariants, violations } = run;
  return { ops: done, seed, accepted, rejected, invariants, violations };
}

/** Operations that were accepted or refused too rarely for the run to mean anything: 20 in 2,000 at least. */
export function vacuous({ ops, accepted, rejected }: FuzzResult): string[] {
  const least = Math.floor((20 * ops) / 2000);
  const names = new Set([...Object.keys(accepted), ...Object.keys(rejected)]);
  return [...names].filter((op) => (accepted[op] ?? 0) < least || (rejected[op] ?? 0) < least);
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      ops: { type: "string", default: "2000" },
      seed: { type: "string", default: "1" },
      json: { type: "boolean", default: false },
    },
  });
  const [ops, seed] = [Number(values.ops), Number(values.seed)];
  if (!Number.isSafeInteger(ops) || ops < 1 || !Number.isSafeInteger(seed) || seed < 0) {
    process.stderr.write("--ops is an integer from 1, --seed one from 0\n");
    process.exit(2);
  }
  const result = await fuzz(await compileAll(), ops, seed);
  const rare = vacuous(result);
  process.stdout.write(`${JSON.stringify({ ...result, vacuous: rare })}\n`);
  process.exitCode = result.violations.length + rare.length === 0 ? 0 : 1;
}
