import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Cell, internal, type MessageRelaxed, type OpenedContract, SendMode } from "@ton/core";
import { keyPairFromSeed } from "@ton/crypto";
import { TonClient, type WalletContractV5R1 } from "@ton/ton";
import { BlockClock } from "../src/chain/block-clock.ts";
import { globalId, startChainServer } from "../src/chain/chain-server.ts";
import { deploySettlement, type Settlement } from "../src/chain/settlement/deploy.ts";
import { type KeyedWallet, keepOperator, walletOf } from "../src/chain/settlement/operator-keys.ts";
import { clientInProcess } from "../src/chain/ton/client.ts";
import { LocalTon, type LocalTonOptions } from "../src/chain/ton/local-ton.ts";
import { call } from "../src/chain/ton/toncenter/methods.ts";
import { StateDirectory } from "../src/state/state-directory.ts";

export const gram = (amount: number): bigint => BigInt(Math.round(amount * 1e9));

export const doors = ["in process", "over HTTP"] as const;

/** A chain with the contracts on it, and the client that a program of its users has. */
export interface TestTon extends AsyncDisposable {
  readonly ton: LocalTon;
  readonly client: TonClient;
  readonly settlement: Settlement;
  /** Asks as a program in any other language does. Over HTTP only. */
  readonly url: string;
  /** A new wallet with this much in it. */
  person(nano: bigint): Promise<KeyedWallet>;
  /** One transaction of the wallet with these messages. */
  send(from: KeyedWallet, ...messages: Parameters<typeof internal>[0][]): Promise<void>;
}

/** Signed, and moves nothing. */
export function emptyTransfer(
  { wallet, keys }: KeyedWallet,
  seqno: number,
  secretKey = keys.secretKey,
): Cell {
  return wallet.createTransfer<{ seqno: number; secretKey: Buffer; authType: "external" }>({
    seqno,
    secretKey,
    authType: "external",
    sendMode: SendMode.PAY_GAS_SEPARATELY,
    messages: [],
  });
}

export async function localTon(
  door: (typeof doors)[number],
  options: Partial<LocalTonOptions> & { stateRoot?: string } = {},
): Promise<TestTon> {
  await using made = new AsyncDisposableStack();
  const root = options.stateRoot ?? (await mkdtemp(join(tmpdir(), "bombyx-ton-")));
  if (options.stateRoot === undefined) made.defer(() => rm(root, { recursive: true, force: true }));
  const state = await StateDirectory.open(root);
  made.defer(() => state.close());
  const clock = options.clock ?? new BlockClock(BlockClock.genesis(Date.now()));
  const ton = await LocalTon.open({ file: ":memory:", globalId, blockDelay: 0, ...options, clock });
  made.defer(() => ton.close());
  const delay = ton.blockDelay;
  ton.setBlockDelay(0);
  const settlement = await deploySettlement(ton, await keepOperator(state, globalId));
  ton.setBlockDelay(delay);
  const server = await startChainServer({
    clock,
    port: 0,
    now: () => ton.now(),
    accounts: async () => (method, parameters) => call(ton, method, parameters),
  });
  made.defer(() => server.close());
  const client =
    door === "in process" ? clientInProcess(ton) : new TonClient({ endpoint: `${server.url}/jsonRPC` });
  const all = made.move();
  return {
    ton,
    client,
    settlement,
    url: server.url,
    person: async (nano) => {
      const one = walletOf(keyPairFromSeed(randomBytes(32)), globalId);
      await ton.faucet(one.wallet.address, nano);
      return one;
    },
    send: async (from, ...messages) => {
      const wallet: OpenedContract<WalletContractV5R1> = client.open(from.wallet);
      await wallet.sendTransfer({
        seqno: await wallet.getSeqno(),
        secretKey: from.keys.secretKey,
        sendMode: SendMode.PAY_GAS_SEPARATELY,
        messages: messages.map((message): MessageRelaxed => internal(message)),
      });
    },
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}
