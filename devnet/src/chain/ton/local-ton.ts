import {
  type Account,
  Address,
  Cell,
  loadMessage,
  type Message,
  type Transaction,
  type TupleItem,
} from "@ton/core";
import { TreasuryContract } from "@ton/sandbox";
import type { BlockClock } from "../block-clock.ts";
import {
  Emulator,
  type Got,
  packShardAccount,
  paidAsFarAs,
  paidUntilAtMost,
  type Ran,
  unpackShardAccount,
} from "./emulator.ts";
import { BadMessage, type ExternalMessage, packMessage, readExternalMessage } from "./external-message.ts";
import { faucetAccount, faucetOrder } from "./faucet.ts";
import { type ChainConfig, chainConfig, packConfig } from "./prices.ts";
import { ChainStore } from "./store.ts";
import { Turns } from "./turns.ts";

export interface LocalTonOptions {
  readonly clock: BlockClock;
  /** SQLite; `:memory:` for a chain that is forgotten. */
  readonly file: string;
  /** Part of everything that is signed for this chain. */
  readonly globalId: number;
  /** Blocks that a message waits before it arrives; 0: everything arrives while it is sent. */
  readonly blockDelay: number;
  readonly now?: () => number;
  /** Calls `work` at `at` (ms since epoch); what it returns calls that off. */
  readonly schedule?: (at: number, work: () => void) => () => void;
}

/** A message on its way. */
export interface Pending {
  readonly message: Message;
  /** Block from which on it may arrive. */
  readonly due: number;
}

const ltPerBlock = 1_000_000;
const ltPerTransaction = 1_000;

/**
 * TON's transaction executor with accounts, blocks and time around it: the blocks are the {@link BlockClock}'s, and
 * `now()` of the contracts is its time plus what was skipped with {@link advance}.
 */
export class LocalTon {
  readonly globalId: number;
  readonly clock: BlockClock;
  readonly config: ChainConfig;
  readonly #options: LocalTonOptions;
  readonly #emulator: Emulator;
  readonly #store: ChainStore;
  readonly #turns = new Turns();
  readonly #listeners = new Set<() => void>();
  readonly #faucet = TreasuryContract.create(0, 0n);
  #blockDelay: number;
  #callOff: (() => void) | undefined;
  #closed = false;

  private constructor(options: LocalTonOptions, config: ChainConfig, emulator: Emulator, store: ChainStore) {
    this.#options = options;
    this.#emulator = emulator;
    this.#store = store;
    this.#blockDelay = options.blockDelay;
    this.config = config;
    this.globalId = options.globalId;
    this.clock = options.clock;
  }

  /** @throws Error when the file is not a chain's */
  static async open(options: LocalTonOptions): Promise<LocalTon> {
    const config = chainConfig(options.globalId);
    const emulator = await Emulator.create(packConfig(config));
    const ton = new LocalTon(options, config, emulator, new ChainStore(options.file));
    ton.#fillFaucet();
    ton.#expectBlock();
    return ton;
  }

  now(): number {
    return (this.#options.now ?? Date.now)();
  }

  seqno(): number {
    return this.clock.latest(this.now()).seqno;
  }

  /** What was skipped so far. */
  get skippedMs(): number {
    return this.#store.number("skippedMs", 0);
  }

  /** Time of the contracts, ms since epoch, whole seconds. */
  time(): number {
    return this.#timeOf(this.seqno());
  }

  get blockDelay(): number {
    return this.#blockDelay;
  }

  /** From the next message on. */
  setBlockDelay(blocks: number): void {
    this.#blockDelay = blocks;
  }

  get faucetAddress(): Address {
    return this.#faucet.address;
  }

  /**
   * Lets that much time pass for the contracts at once. Blocks go on as before, so that statements stay fresh and what
   * a wallet signs by the machine's clock stays valid.
   */
  advance(ms: number): Promise<void> {
    if (!Number.isSafeInteger(ms) || ms < 0) throw new RangeError(`time goes forward only, not by ${ms} ms`);
    return this.#turns.take(async () => {
      this.#store.setNumber("skippedMs", this.skippedMs + ms);
      this.#changed();
    });
  }

  account(address: Address): Account | undefined {
    return this.shardAccount(address)?.account ?? undefined;
  }

  shardAccount(address: Address) {
    const boc = this.#store.account(address.toRawString());
    return boc === undefined ? undefined : unpackShardAccount(boc);
  }

  balance(address: Address): bigint {
    return this.account(address)?.storage.balance.coins ?? 0n;
  }

  /** All that were ever touched, oldest first. */
  addresses(): Address[] {
    return this.#store.addresses().map((raw) => Address.parseRaw(raw));
  }

  get transactions(): Pick<
    ChainStore,
    "transactionsOf" | "transactionsIn" | "roots" | "byHash" | "resultOf" | "sourceOf" | "count"
  > {
    return this.#store;
  }

  pending(): Pending[] {
    return this.#store.queued().map(({ due, boc }) => ({ due, message: messageIn(boc) }));
  }

  /** Told after every change. @returns what stops it. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Takes in a message from outside.
   * @returns its hash in the normalised form, hex
   * @throws {BadMessage} when it is none; {NotAccepted} when the account refuses it as things are
   */
  send(boc: Uint8Array): Promise<string> {
    const external = readExternalMessage(boc);
    const { dest } = external.message.info;
    if (dest.equals(this.#faucet.address)) throw new BadMessage("the faucet pays by its own door only");
    return this.#turns.take(() => this.#take(external));
  }

  /** Sends money from the faucet. @returns hash of the message that began it, hex */
  faucet(to: Address, nano: bigint): Promise<string> {
    if (nano <= 0n) throw new RangeError("the faucet pays more than nothing");
    const cell = faucetOrder(this.#faucet, to, nano);
    return this.#turns.take(() => this.#take(readExternalMessage(cell.toBoc())));
  }

  /** What a message from outside would do and cost now; nothing happens. @throws {NotAccepted} */
  tryOut(address: Address, message: Message, ignoreSignature: boolean): Promise<Transaction> {
    return this.#turns.take(async () => {
      const ran = await this.#emulate(address, message, this.seqno(), ignoreSignature);
      return ran.transaction;
    });
  }

  /** @returns `undefined` when there is no contract at the address */
  get(address: Address, method: string | number, stack: TupleItem[] = []): Promise<Got | undefined> {
    return this.#turns.take(() =>
      this.#emulator.get(this.account(address), method, stack, this.#timeOf(this.seqno()) / 1_000),
    );
  }

  /** Resolves when nothing is on its way any more. */
  async settled(): Promise<void> {
    if (this.#store.queued().length === 0) return this.#turns.take(async () => undefined);
    await new Promise<void>((resolve) => {
      const stop = this.onChange(() => {
        if (this.#store.queued().length > 0) return;
        stop();
        resolve();
      });
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#callOff?.();
    await this.#turns.take(async () => this.#store.close());
  }

  async #take({ cell, message, normalised }: ExternalMessage): Promise<string> {
    const seqno = this.seqno();
    const { dest } = message.info;
    if (this.#blockDelay === 0) {
      const ran = await this.#emulate(dest, message, seqno);
      this.#keep(dest, ran, seqno, message, normalised);
      await this.#deliver();
    } else {
      // As a node does before it passes a message on: one that nobody would take in goes nowhere.
      await this.#emulate(dest, message, seqno);
      this.#store.queue(seqno + this.#blockDelay, cell.toBoc());
    }
    this.#changed();
    return normalised;
  }

  /** Lets everything arrive whose block is there. */
  async #deliver(): Promise<void> {
    for (;;) {
      const latest = this.seqno();
      const next = this.#store.queued().find(({ due }) => due <= latest);
      if (next === undefined) return;
      const message = messageIn(next.boc);
      const dest = message.info.dest as Address;
      const external = message.info.type === "external-in";
      try {
        const ran = await this.#emulate(dest, message, next.due);
        const normalised = external ? readExternalMessage(next.boc).normalised : null;
        this.#keep(dest, ran, next.due, message, normalised, next.id);
      } catch (error) {
        // What was sent meanwhile changed the account: a chain drops such a message without a trace.
        this.#store.unqueue(next.id);
        if (!external) process.emitWarning(`The local TON lost a message to ${dest}: ${String(error)}`);
      }
    }
  }

  async #emulate(address: Address, message: Message, seqno: number, ignoreSignature = false): Promise<Ran> {
    const before = this.#store.account(address.toRawString());
    const lt = Math.max(this.#store.number("lt", 0) + ltPerTransaction, seqno * ltPerBlock);
    const run = { message: packMessage(message), lt, ignoreSignature };
    if (message.info.type !== "external-in")
      return this.#emulator.run(address, { ...run, before, now: this.#timeOf(seqno) / 1_000 });
    // Wallets sign until when they mean it, by the machine's clock and not by what was skipped here.
    const now = this.clock.madeAt(seqno) / 1_000;
    if (before === undefined) return this.#emulator.run(address, { ...run, before, now });
    const ran = await this.#emulator.run(address, { ...run, before: paidUntilAtMost(before, now), now });
    return { ...ran, after: paidAsFarAs(ran.after, before) };
  }

  #keep(
    address: Address,
    { after, boc, transaction }: Ran,
    seqno: number,
    message: Message,
    normalised: string | null,
    arrived?: number,
  ): void {
    const { info } = message;
    const inner = info.type === "internal" ? info : undefined;
    const account = address.toRawString();
    this.#store.atomically(() => {
      if (arrived !== undefined) this.#store.unqueue(arrived);
      this.#store.setAccount(account, after);
      this.#store.add({
        lt: Number(transaction.lt),
        account,
        hash: transaction.hash().toString("hex"),
        seqno,
        utime: transaction.now,
        source: inner?.src.toRawString() ?? null,
        createdLt: Number(inner?.createdLt ?? 0),
        normalised,
        boc,
      });
      const out = transaction.outMessages.values();
      this.#store.setNumber("lt", Number(transaction.lt) + out.length);
      this.#store.setNumber("time", Math.max(this.#store.number("time", 0), transaction.now * 1_000));
      for (const message of out) {
        if (message.info.type === "internal")
          this.#store.queue(seqno + this.#blockDelay, packMessage(message).toBoc());
      }
    });
  }

  /** Never goes back: contracts rely on it. */
  #timeOf(seqno: number): number {
    return Math.max(this.clock.madeAt(seqno) + this.skippedMs, this.#store.number("time", 0));
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
    this.#expectBlock();
  }

  /** Wakes up when the next message is due. */
  #expectBlock(): void {
    this.#callOff?.();
    this.#callOff = undefined;
    const [next] = this.#store.queued();
    if (next === undefined || this.#closed) return;
    const schedule = this.#options.schedule ?? timer;
    this.#callOff = schedule(Math.max(this.now(), this.clock.madeAt(next.due)), () => {
      if (this.#closed) return;
      void this.#turns.take(async () => {
        if (this.#closed) return;
        await this.#deliver();
        this.#changed();
      });
    });
  }

  #fillFaucet(): void {
    const address = this.#faucet.address.toRawString();
    if (this.#store.account(address) === undefined)
      this.#store.setAccount(address, packShardAccount(faucetAccount(this.#faucet)));
  }
}

function messageIn(boc: Uint8Array): Message {
  const [cell] = Cell.fromBoc(Buffer.from(boc));
  if (cell === undefined) throw new Error("a message of the chain's file is empty");
  return loadMessage(cell.beginParse());
}

function timer(at: number, work: () => void): () => void {
  const handle = setTimeout(work, Math.max(0, at - Date.now()));
  return () => clearTimeout(handle);
}
