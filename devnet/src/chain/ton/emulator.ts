import {
  type Account,
  type Address,
  beginCell,
  Cell,
  loadShardAccount,
  loadTransaction,
  parseTuple,
  type ShardAccount,
  storeShardAccount,
  type Transaction,
  type TupleItem,
} from "@ton/core";
import { createEmptyShardAccount, Executor } from "@ton/sandbox";

export interface Run {
  /** Base64 of the ShardAccount before; absent for an account that nobody has touched. */
  readonly before: string | undefined;
  readonly message: Cell;
  /** Seconds. */
  readonly now: number;
  readonly lt: number;
  readonly ignoreSignature?: boolean;
}

/** The same account, its rent paid until `now` (seconds) at the latest. */
export function paidUntilAtMost(shardAccount: string, now: number): string {
  return withLastPaid(shardAccount, (lastPaid) => Math.min(lastPaid, now));
}

/** The same account, its rent paid as far as `other` says when that is later. */
export function paidAsFarAs(shardAccount: string, other: string): string {
  const paid = unpackShardAccount(other).account?.storageStats.lastPaid ?? 0;
  return withLastPaid(shardAccount, (lastPaid) => Math.max(lastPaid, paid));
}

function withLastPaid(boc: string, change: (lastPaid: number) => number): string {
  const shardAccount = unpackShardAccount(boc);
  const { account } = shardAccount;
  if (!account) return boc;
  const lastPaid = change(account.storageStats.lastPaid);
  if (lastPaid === account.storageStats.lastPaid) return boc;
  return packShardAccount({
    ...shardAccount,
    account: { ...account, storageStats: { ...account.storageStats, lastPaid } },
  });
}

export interface Ran {
  /** Base64 of the ShardAccount afterwards. */
  readonly after: string;
  readonly boc: Buffer;
  readonly transaction: Transaction;
}

export interface Got {
  readonly gasUsed: number;
  readonly exitCode: number;
  readonly stack: readonly TupleItem[];
}

/** An account did not take in a message from outside; nothing happened, nobody paid. */
export class NotAccepted extends Error {
  readonly exitCode: number | undefined;

  constructor(exitCode: number | undefined, reason: string) {
    super(reason);
    this.name = "NotAccepted";
    this.exitCode = exitCode;
  }
}

let shared: Promise<Executor> | undefined;

const gasOfAnAnswer = 10_000_000n;

/** TON's own transaction executor, compiled to WASM: what it is given is what it knows. */
export class Emulator {
  readonly #executor: Executor;
  readonly #config: string;

  private constructor(executor: Executor, config: string) {
    this.#executor = executor;
    this.#config = config;
  }

  static async create(config: Cell): Promise<Emulator> {
    shared ??= Executor.create();
    return new Emulator(await shared, config.toBoc().toString("base64"));
  }

  /** @throws {NotAccepted} for a message from outside that the account refuses */
  async run(address: Address, { before, message, now, lt, ignoreSignature = false }: Run): Promise<Ran> {
    const { result } = await this.#executor.runTransaction({
      config: this.#config,
      libs: null,
      verbosity: "short",
      shardAccount: before ?? packShardAccount(createEmptyShardAccount(address)),
      now,
      lt: BigInt(lt),
      randomSeed: null,
      ignoreChksig: ignoreSignature,
      debugEnabled: false,
      message,
    });
    if (!result.success) throw new NotAccepted(result.vmResults?.vmExitCode, result.error);
    const boc = Buffer.from(result.transaction, "base64");
    const [cell] = Cell.fromBoc(boc);
    if (cell === undefined) throw new Error("the emulator answered without a transaction");
    return { after: result.shardAccount, boc, transaction: loadTransaction(cell.beginParse()) };
  }

  /** @returns `undefined` when there is no code to ask */
  async get(
    account: Account | undefined,
    method: string | number,
    stack: TupleItem[],
    now: number,
  ): Promise<Got | undefined> {
    const state = account?.storage.state;
    if (account === undefined || state?.type !== "active" || !state.state.code) return undefined;
    const { output } = await this.#executor.runGetMethod({
      code: state.state.code,
      data: state.state.data ?? Cell.EMPTY,
      methodId: typeof method === "number" ? method : methodId(method),
      stack,
      config: this.#config,
      verbosity: "short",
      address: account.addr,
      unixTime: now,
      balance: account.storage.balance.coins,
      randomSeed: Buffer.alloc(32),
      gasLimit: gasOfAnAnswer,
      debugEnabled: false,
    });
    if (!output.success) throw new Error(output.error);
    return {
      gasUsed: Number(output.gas_used),
      exitCode: output.vm_exit_code,
      stack: parseTuple(Cell.fromBase64(output.stack)),
    };
  }
}

export const packShardAccount = (account: ShardAccount): string =>
  beginCell().store(storeShardAccount(account)).endCell().toBoc().toString("base64");

export const unpackShardAccount = (boc: string): ShardAccount =>
  loadShardAccount(Cell.fromBase64(boc).beginParse());

/** Number of a get-method: CRC-16/XMODEM of its name, with bit 16 set. */
function methodId(name: string): number {
  let crc = 0;
  for (const byte of Buffer.from(name)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit++)
      crc = crc & 0x8000 ? ((crc << 1) ^ 0x1021) & 0xffff : (crc << 1) & 0xffff;
  }
  return crc | 0x10000;
}
