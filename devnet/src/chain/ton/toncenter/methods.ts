import type { Address } from "@ton/core";
import * as z from "zod";
import type { ClockBlock } from "../../block-clock.ts";
import { NotAccepted } from "../emulator.ts";
import { BadMessage, readExternalMessage } from "../external-message.ts";
import type { LocalTon } from "../local-ton.ts";
import { walletKind } from "../wallet-kinds.ts";
import { transactionAnswer, transactionId, transactionIn } from "./answers.ts";
import { estimateFee } from "./estimate-fee.ts";
import { address, boc, count, flag, hash, optionalCell } from "./parameters.ts";
import { Refused } from "./refused.ts";
import { packStack, stackSchema } from "./stack.ts";

/** A method of toncenter's HTTP API v2 that needs accounts. */
export interface Method {
  readonly parameters: z.ZodType;
  answer(ton: LocalTon, parameters: never): Promise<unknown> | unknown;
}

function method<P extends z.ZodType>(
  parameters: P,
  answer: (ton: LocalTon, parameters: z.output<P>) => Promise<unknown> | unknown,
): Method {
  return { parameters, answer: answer as Method["answer"] };
}

const shard = "-9223372036854775808";
const byAddress = z.object({ address });
const located = z.object({ source: address, destination: address, created_lt: count });
const sent = z.object({ boc });

export const methods: ReadonlyMap<string, Method> = new Map<string, Method>([
  ["getAddressInformation", method(byAddress, (ton, { address }) => information(ton, address))],
  ["getAddressBalance", method(byAddress, (ton, { address }) => String(ton.balance(address)))],
  ["getAddressState", method(byAddress, (ton, { address }) => stateOf(ton, address))],
  ["getWalletInformation", method(byAddress, (ton, { address }) => walletInformation(ton, address))],
  [
    "getTransactions",
    method(
      z.object({
        address,
        limit: count.pipe(z.number().min(1).max(1_000)).default(10),
        lt: count.optional(),
        hash: hash.optional(),
        to_lt: count.default(0),
      }),
      transactions,
    ),
  ],
  [
    "runGetMethod",
    method(
      z.object({
        address,
        method: z.union([z.string().min(1).max(256), z.int()]),
        stack: stackSchema.default([]),
      }),
      runGetMethod,
    ),
  ],
  [
    "sendBoc",
    method(sent, async (ton, { boc }) => {
      await ton.send(boc);
      return { "@type": "ok" };
    }),
  ],
  [
    "sendBocReturnHash",
    method(sent, async (ton, { boc }) => {
      const normalised = Buffer.from(await ton.send(boc), "hex").toString("base64");
      const { cell } = readExternalMessage(boc);
      return {
        "@type": "raw.extMessageInfo",
        hash: cell.hash().toString("base64"),
        hash_norm: normalised,
      };
    }),
  ],
  [
    "estimateFee",
    method(
      z.object({
        address,
        body: optionalCell,
        init_code: optionalCell,
        init_data: optionalCell,
        ignore_chksig: flag.default(true),
      }),
      estimateFee,
    ),
  ],
  ["tryLocateTx", method(located, locateResult)],
  ["tryLocateResultTx", method(located, locateResult)],
  [
    "tryLocateSourceTx",
    method(located, (ton, { source, destination, created_lt }) => {
      const found = ton.transactions.sourceOf(source.toRawString(), created_lt);
      const sentIt =
        found &&
        transactionIn(found)
          .outMessages.values()
          .some(
            ({ info }) =>
              info.type === "internal" &&
              info.createdLt === BigInt(created_lt) &&
              info.dest.equals(destination),
          );
      if (!found || !sentIt) throw new Refused(404, "message not found");
      return transactionAnswer(found);
    }),
  ],
  [
    "getConfigParam",
    method(
      z.object({ config_id: count.optional(), param: count.optional() }),
      (ton, { config_id, param }) => {
        const id = config_id ?? param;
        const cell = id === undefined ? undefined : ton.config.get(id);
        if (!cell) throw new Refused(404, `configuration parameter ${id ?? ""} is not set`);
        return {
          "@type": "configInfo",
          config: { "@type": "tvm.cell", bytes: cell.toBoc().toString("base64") },
        };
      },
    ),
  ],
  ["shards", method(z.object({ seqno: count }), shards)],
  [
    "getBlockTransactions",
    method(
      z.object({ workchain: z.coerce.number().int(), shard: z.coerce.string(), seqno: count }),
      blockTransactions,
    ),
  ],
]);

/** @throws {Refused} with toncenter's status and words that say what is wrong */
export async function call(ton: LocalTon, name: string, parameters: unknown): Promise<unknown> {
  const found = methods.get(name);
  if (found === undefined) {
    throw new Refused(404, `This local chain has no ${name}. It has: ${[...methods.keys()].join(", ")}.`);
  }
  const parsed = found.parameters.safeParse(parameters);
  if (!parsed.success) throw new Refused(422, `${name}: ${z.prettifyError(parsed.error)}`);
  try {
    return await found.answer(ton, parsed.data as never);
  } catch (error) {
    if (error instanceof BadMessage) throw new Refused(422, `${name}: ${error.message}`);
    if (error instanceof NotAccepted) throw new Refused(500, notAccepted(error));
    throw error;
  }
}

const notAccepted = ({ exitCode, message }: NotAccepted): string =>
  exitCode === undefined
    ? `LITE_SERVER_UNKNOWN: cannot apply external message to current state: ${message}`
    : `LITE_SERVER_UNKNOWN: cannot apply external message to current state: the account did not accept it, exitcode=${exitCode}`;

type State = "uninitialized" | "active" | "frozen";

function stateOf(ton: LocalTon, at: Address): State {
  const type = ton.account(at)?.storage.state.type;
  return type === undefined || type === "uninit" ? "uninitialized" : type;
}

const bytesOf = (cell: { toBoc(): Buffer } | null | undefined): string =>
  cell ? cell.toBoc().toString("base64") : "";

function information(ton: LocalTon, at: Address) {
  const shardAccount = ton.shardAccount(at);
  const state = shardAccount?.account?.storage.state;
  const init = state?.type === "active" ? state.state : undefined;
  return {
    "@type": "raw.fullAccountState",
    balance: String(ton.balance(at)),
    extra_currencies: [],
    code: bytesOf(init?.code),
    data: bytesOf(init?.data),
    last_transaction_id: lastTransaction(ton, at),
    block_id: blockId(ton.clock.latest(ton.now())),
    frozen_hash: state?.type === "frozen" ? state.stateHash.toString(16) : "",
    sync_utime: ton.time() / 1_000,
    state: stateOf(ton, at),
  };
}

function lastTransaction(ton: LocalTon, at: Address) {
  const [last] = ton.transactions.transactionsOf(at.toRawString(), Number.MAX_SAFE_INTEGER, 0, 1);
  return transactionId(last);
}

async function walletInformation(ton: LocalTon, at: Address) {
  const state = ton.account(at)?.storage.state;
  const code = state?.type === "active" ? state.state.code : undefined;
  const kind = code ? walletKind(code) : undefined;
  const answered = kind === undefined ? undefined : await ton.get(at, "seqno");
  const [seqno] = answered?.exitCode === 0 ? answered.stack : [];
  return {
    wallet: kind !== undefined,
    balance: String(ton.balance(at)),
    account_state: stateOf(ton, at),
    last_transaction_id: lastTransaction(ton, at),
    ...(kind !== undefined && { wallet_type: kind }),
    ...(seqno?.type === "int" && { seqno: Number(seqno.value) }),
  };
}

function transactions(
  ton: LocalTon,
  query: {
    address: Address;
    limit: number;
    lt?: number | undefined;
    hash?: string | undefined;
    to_lt: number;
  },
) {
  const from = query.lt ?? Number.MAX_SAFE_INTEGER;
  const found = ton.transactions.transactionsOf(query.address.toRawString(), from, query.to_lt, query.limit);
  if (query.lt !== undefined && query.hash !== undefined) {
    const [first] = found;
    if (first?.lt !== query.lt || first.hash !== query.hash)
      throw new Refused(404, "cannot locate transaction in block with specified logical time");
  }
  return found.map(transactionAnswer);
}

async function runGetMethod(
  ton: LocalTon,
  query: {
    address: Address;
    method: string | number;
    stack: z.output<typeof stackSchema>;
  },
) {
  const got = await ton.get(query.address, query.method, query.stack);
  return {
    "@type": "smc.runResult",
    // A node's answer for an account without code.
    gas_used: got?.gasUsed ?? 0,
    stack: got ? packStack(got.stack) : [],
    exit_code: got?.exitCode ?? -13,
    last_transaction_id: lastTransaction(ton, query.address),
    block_id: blockId(ton.clock.latest(ton.now())),
  };
}

function locateResult(ton: LocalTon, { source, destination, created_lt }: z.output<typeof located>) {
  const found = ton.transactions.resultOf(source.toRawString(), created_lt);
  if (!found || found.account !== destination.toRawString())
    throw new Refused(404, "message not found: it has not arrived, or nobody sent it");
  return transactionAnswer(found);
}

function shards(ton: LocalTon, { seqno }: { seqno: number }) {
  const block = ton.clock.block(seqno, ton.now());
  if (!block) throw new Refused(500, "LITE_SERVER_NOTREADY: block is not found");
  return { "@type": "blocks.shards", shards: [{ ...blockId(block), workchain: 0 }] };
}

function blockTransactions(
  ton: LocalTon,
  { workchain, shard: asked, seqno }: { workchain: number; shard: string; seqno: number },
) {
  const block = ton.clock.block(seqno, ton.now());
  if (!block || asked !== shard || (workchain !== 0 && workchain !== -1))
    throw new Refused(500, "LITE_SERVER_NOTREADY: block is not found");
  const found = workchain === 0 ? ton.transactions.transactionsIn(seqno) : [];
  return {
    "@type": "blocks.transactions",
    id: { ...blockId(block), workchain },
    req_count: Math.max(found.length, 40),
    incomplete: false,
    transactions: found.map(({ account, lt, hash }) => ({
      "@type": "blocks.shortTxId",
      mode: 135,
      account,
      lt: String(lt),
      hash: Buffer.from(hash, "hex").toString("base64"),
    })),
  };
}

const blockId = (block: ClockBlock) => ({
  "@type": "ton.blockIdExt",
  workchain: -1,
  shard,
  seqno: block.seqno,
  root_hash: Buffer.from(block.rootHash).toString("base64"),
  file_hash: Buffer.from(block.fileHash).toString("base64"),
});
