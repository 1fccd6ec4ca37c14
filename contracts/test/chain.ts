import {
  Address,
  beginCell,
  Cell,
  type ContractProvider,
  loadShardAccount,
  loadTransaction,
  type Message,
  parseTuple,
  type ShardAccount,
  type StateInit,
  storeMessage,
  storeShardAccount,
  type Transaction,
  type TupleItem,
  TupleReader,
} from "@ton/core";
import { createEmptyShardAccount, createShardAccount, Executor, TreasuryContract } from "@ton/sandbox";
import { exitCode } from "../src/rules/refusal.ts";

/** A message on its way to a contract. */
export interface Flying {
  readonly cell: Cell;
  readonly to: Address;
  readonly value: bigint;
}

/** A message before a wallet sends it. */
export interface Outgoing {
  readonly to: Address;
  readonly value: bigint;
  readonly body?: Cell;
  readonly init?: StateInit;
  readonly bounce?: boolean;
}

interface Held {
  readonly boc: string;
  account?: ShardAccount;
}

export interface Snapshot {
  readonly accounts: Map<string, Held>;
  readonly lt: bigint;
  readonly now: number;
  readonly feesNano: bigint;
}

let shared: Promise<Executor> | undefined;

const wallets = new Map<string, TreasuryContract>();

const treasuries = new Map<string, TreasuryContract>();

function walletOf(name: string): TreasuryContract {
  let treasury = wallets.get(name);
  if (treasury === undefined) {
    treasury = TreasuryContract.create(0, BigInt(`0x${Buffer.from(name).toString("hex")}`));
    wallets.set(name, treasury);
    treasuries.set(treasury.address.toRawString(), treasury);
  }
  return treasury;
}

function treasuryAt(address: Address): TreasuryContract {
  const treasury = treasuries.get(address.toRawString());
  if (treasury === undefined) throw new Error(`${address} is not a wallet`);
  return treasury;
}

/**
 * The emulator as a chain that a test drives message by message: `flying` is what is on its way, and nothing arrives
 * before `step` says which. Time, prices and every nano are in the test's hands.
 */
export class Chain {
  config: string;
  /** Seconds. */
  now: number;
  flying: Flying[] = [];
  /** All fees so far: with it, money is conserved to the nano. */
  feesNano = 0n;
  /** Every transaction since the last `forget`. */
  transactions: Transaction[] = [];
  readonly #executor: Executor;
  #accounts = new Map<string, Held>();
  #lt = 1_000_000n;

  private constructor(executor: Executor, config: string, now: number) {
    this.#executor = executor;
    this.config = config;
    this.now = now;
  }

  static async create(config: string, now = 1_790_000_000): Promise<Chain> {
    shared ??= Executor.create();
    return new Chain(await shared, config, now);
  }

  snapshot(): Snapshot {
    return { accounts: new Map(this.#accounts), lt: this.#lt, now: this.now, feesNano: this.feesNano };
  }

  restore({ accounts, lt, now, feesNano }: Snapshot): void {
    this.#accounts = new Map(accounts);
    this.#lt = lt;
    this.now = now;
    this.feesNano = feesNano;
    this.flying = [];
    this.transactions = [];
  }

  /** A wallet with this name and balance: the emulator's, which signs nothing. */
  wallet(name: string, balance = 1_000_000_000_000n): Address {
    const { address, init } = walletOf(name);
    if (!this.#accounts.has(address.toRawString())) {
      this.put(
        createShardAccount({
          workchain: 0,
          address,
          code: init.code as Cell,
          data: init.data as Cell,
          balance,
        }),
      );
    }
    return address;
  }

  put(account: ShardAccount): void {
    const address = account.account?.addr;
    if (address === undefined || address === null) throw new TypeError("an account without an address");
    const boc = beginCell().store(storeShardAccount(account)).endCell().toBoc().toString("base64");
    this.#accounts.set(address.toRawString(), { boc });
  }

  account(address: Address): ShardAccount | undefined {
    const held = this.#accounts.get(address.toRawString());
    if (held === undefined) return undefined;
    held.account ??= loadShardAccount(Cell.fromBase64(held.boc).beginParse());
    return held.account;
  }

  balance(address: Address): bigint {
    return this.account(address)?.account?.storage.balance.coins ?? 0n;
  }

  isActive(address: Address): boolean {
    return this.account(address)?.account?.storage.state.type === "active";
  }

  data(address: Address): Cell {
    const state = this.account(address)?.account?.storage.state;
    if (state?.type !== "active" || !state.state.data) throw new Error(`${address} is not active`);
    return state.state.data;
  }

  /** Sum of all accounts and of what is on its way (with its prepaid forward fee). */
  totalNano(): bigint {
    let total = 0n;
    for (const key of this.#accounts.keys()) total += this.balance(Address.parse(key));
    for (const { value } of this.flying) total += value;
    return total;
  }

  /** One wallet transaction with these messages; they fly. */
  async send(wallet: Address, ...messages: Outgoing[]): Promise<Transaction> {
    const transfer = treasuryAt(wallet).createTransfer({
      messages: messages.map(({ to, value, body, init, bounce }) => ({
        info: {
          type: "internal",
          ihrDisabled: true,
          bounce: bounce ?? true,
          bounced: false,
          dest: to,
          value: { coins: value },
          ihrFee: 0n,
          forwardFee: 0n,
          createdAt: 0,
          createdLt: 0n,
        },
        body: body ?? Cell.EMPTY,
        ...(init !== undefined && { init }),
      })),
      sendMode: 1,
    });
    const external: Message = {
      info: { type: "external-in", dest: wallet, importFee: 0n },
      body: transfer,
    };
    return this.#run(wallet, beginCell().store(storeMessage(external)).endCell());
  }

  /** A message out of nowhere, as no wallet would send it: forged sender, bounced flag, anything. Its value is minted. */
  inject(message: Message): void {
    if (message.info.type !== "internal") throw new TypeError("only internal messages fly");
    this.flying.push({
      cell: beginCell().store(storeMessage(message)).endCell(),
      to: message.info.dest as Address,
      value: message.info.value.coins,
    });
  }

  /** The message at `at` arrives. */
  async step(at = 0): Promise<Transaction> {
    const [message] = this.flying.splice(at, 1);
    if (message === undefined) throw new Error("nothing is on its way");
    return this.#run(message.to, message.cell);
  }

  /** Everything arrives, first come first served. */
  async settle(): Promise<Transaction[]> {
    const done: Transaction[] = [];
    while (this.flying.length > 0) done.push(await this.step());
    return done;
  }

  async get(address: Address, method: string, stack: TupleItem[] = []): Promise<TupleReader> {
    const state = this.account(address)?.account?.storage.state;
    if (state?.type !== "active") throw new Error(`${address} is not active`);
    const { output } = await this.#executor.runGetMethod({
      code: state.state.code as Cell,
      data: state.state.data as Cell,
      methodId: methodId(method),
      stack,
      config: this.config,
      verbosity: "short",
      address,
      unixTime: this.now,
      balance: this.balance(address),
      randomSeed: Buffer.alloc(32),
      gasLimit: 10_000_000n,
      debugEnabled: false,
    });
    if (!output.success) throw new Error(output.error);
    if (output.vm_exit_code !== 0) throw new Error(`${method} failed with ${output.vm_exit_code}`);
    return new TupleReader(parseTuple(Cell.fromBase64(output.stack)));
  }

  /** What the wrappers' get-methods ask for. */
  provider(address: Address): ContractProvider {
    const partly = {
      get: async (name: string | number, args: TupleItem[]) => ({
        stack: await this.get(address, String(name), args),
      }),
      getState: async () => {
        if (!this.isActive(address))
          return { balance: this.balance(address), state: { type: "uninit" as const } };
        const data = this.data(address).toBoc({ idx: false, crc32: false });
        return { balance: this.balance(address), state: { type: "active" as const, code: null, data } };
      },
    };
    return partly as unknown as ContractProvider;
  }

  async #run(address: Address, message: Cell): Promise<Transaction> {
    const key = address.toRawString();
    this.#lt += 1_000_000n;
    const { result } = await this.#executor.runTransaction({
      config: this.config,
      libs: null,
      verbosity: "short",
      shardAccount: this.#accounts.get(key)?.boc ?? empty(address),
      now: this.now,
      lt: this.#lt,
      randomSeed: null,
      ignoreChksig: false,
      debugEnabled: false,
      message,
    });
    if (!result.success) throw new Error(`the emulator refused a message to ${address}: ${result.error}`);
    this.#accounts.set(key, { boc: result.shardAccount });
    const transaction = loadTransaction(Cell.fromBase64(result.transaction).beginParse());
    this.feesNano += transaction.totalFees.coins;
    for (const out of transaction.outMessages.values()) {
      if (out.info.type !== "internal") continue;
      this.feesNano += out.info.forwardFee;
      this.flying.push({
        cell: beginCell().store(storeMessage(out)).endCell(),
        to: out.info.dest as Address,
        value: out.info.value.coins,
      });
    }
    this.transactions.push(transaction);
    return transaction;
  }
}

const empties = new Map<string, string>();

function empty(address: Address): string {
  const key = address.toRawString();
  let boc = empties.get(key);
  if (boc === undefined) {
    boc = beginCell()
      .store(storeShardAccount(createEmptyShardAccount(address)))
      .endCell()
      .toBoc()
      .toString("base64");
    empties.set(key, boc);
  }
  return boc;
}

const methodIds = new Map<string, number>();

function methodId(name: string): number {
  let id = methodIds.get(name);
  if (id === undefined) {
    let crc = 0;
    for (const byte of Buffer.from(name)) {
      crc ^= byte << 8;
      for (let bit = 0; bit < 8; bit++)
        crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
    }
    id = crc | 0x10000;
    methodIds.set(name, id);
  }
  return id;
}

/** Transaction of this account, by order of arrival. */
export function transactionOf(transactions: readonly Transaction[], address: Address, at = 0): Transaction {
  const found = transactions.filter((one) => one.address === BigInt(`0x${address.hash.toString("hex")}`))[at];
  if (found === undefined) throw new Error(`no transaction ${at} of ${address}`);
  return found;
}

/** Exit code of an account's transaction. */
export function codeAt(transactions: readonly Transaction[], address: Address, at = 0): number | undefined {
  return exitCode(transactionOf(transactions, address, at));
}

/** Gas of an account's transaction. */
export function gasOf(transaction: Transaction): number {
  const { description } = transaction;
  if (description.type !== "generic" || description.computePhase.type !== "vm") return 0;
  return Number(description.computePhase.gasUsed);
}
