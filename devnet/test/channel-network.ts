import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { type ChannelView, ClientChannel, channelMessages } from "@bombyx/contracts/client-channel";
import type { VaultView } from "@bombyx/contracts/vault";
import {
  type Channel,
  channelSchema,
  channelsSchema,
  type ErrorBody,
  type Voucher,
} from "@bombyx/protocol/wire";
import { BombyxClient, type ClientOptions } from "@bombyx/sdk";
import {
  type ChannelIdentity,
  ChannelPayment,
  type ChannelPaymentOptions,
  memoryStore,
  VoucherSigner,
  type VoucherStore,
} from "@bombyx/sdk/payment";
import { type Cell, internal, type OpenedContract, SendMode } from "@ton/core";
import { keyPairFromSeed } from "@ton/crypto";
import { TonClient, type WalletContractV5R1 } from "@ton/ton";
import { vi } from "vitest";
import * as z from "zod";
import { globalId } from "../src/chain/chain-server.ts";
import { type KeyedWallet, walletOf } from "../src/chain/settlement/operator-keys.ts";
import { prepareSettlement, type SettledTon } from "../src/chain/settlement/prepare.ts";
import type { LocalTon } from "../src/chain/ton/local-ton.ts";
import type { NetworkOptions } from "../src/network.ts";
import { startNetwork, type TestNetwork } from "./network.ts";

export const gram = (amount: number): bigint => BigInt(Math.round(amount * 1e9));

/** Settings of `BOMBYX_SETTLEMENT` about channels. */
export interface Terms {
  readonly unsignedLimitNano?: string;
  readonly unsignedMostNano?: string;
  readonly redeemAboveNano?: string;
}

/** A network whose gateway takes channels of contracts that really run, and developers with wallets. */
export interface ChannelNetwork extends AsyncDisposable {
  readonly network: TestNetwork;
  readonly settled: SettledTon;
  readonly ton: LocalTon;
  readonly tonClient: TonClient;
  developer(name: string): Promise<Developer>;
  vault(): Promise<VaultView>;
}

/** A developer with an API key, a wallet with 100 GRAM, and no allowance. */
export interface Developer {
  readonly name: string;
  readonly apiKey: string;
  readonly wallet: KeyedWallet;
  /** One transaction of the wallet. */
  send(...messages: Parameters<typeof internal>[0][]): Promise<void>;
  /** Makes the voucher key of a channel to be opened. */
  newChannel(options?: { salt?: bigint; store?: VoucherStore }): Promise<OwnChannel>;
  /** A channel that is open, funded, and registered at the gateway. */
  openChannel(depositNano: bigint, options?: { salt?: bigint; store?: VoucherStore }): Promise<OwnChannel>;
  client(options?: Partial<ClientOptions>): BombyxClient;
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: unknown }>;
}

export interface OwnChannel {
  readonly contract: ClientChannel;
  readonly identity: ChannelIdentity;
  readonly signer: VoucherSigner;
  readonly store: VoucherStore;
  open(depositNano: bigint): Promise<void>;
  topUp(nano: bigint): Promise<void>;
  message(body: Cell, nano?: bigint): Promise<void>;
  register(): Promise<Channel>;
  pays(options?: ChannelPaymentOptions): ChannelPayment;
  /** As the gateway sees it. */
  seen(): Promise<Channel>;
  /** As the chain has it. */
  onChain(): Promise<ChannelView>;
  put(voucher: Voucher): Promise<{ status: number; error: ErrorBody | undefined }>;
}

export async function startChannelNetwork(
  options: Partial<NetworkOptions> & {
    terms?: Terms;
    gramPayments?: boolean;
    /** Through which endpoints the gateway sees the chain. */
    through?: (real: readonly string[]) => Promise<readonly string[]>;
  } = {},
): Promise<ChannelNetwork> {
  const { terms = {}, gramPayments = false, through = async (real) => real, ...rest } = options;
  const settlement = prepareSettlement(
    { explorerPort: 0, allowanceNano: "1000000000", pollMs: 200, epochMs: 3_600_000 },
    (error) => {
      throw error;
    },
  );
  const network = await startNetwork({
    nodes: 1,
    pace: 0,
    ...rest,
    milestones: {
      chain: async (ton, state, told) => {
        const onChain = await settlement.begin(ton, state, told);
        const file = onChain.environment.BOMBYX_SETTLEMENT ?? "";
        const known: object = JSON.parse(await readFile(file, "utf8"));
        const endpoints = await through(told.endpoints);
        await writeFile(file, JSON.stringify({ ...known, endpoints, gramPayments, channels: terms }));
        return onChain;
      },
      stopping: () => settlement.stop(),
    },
  });
  try {
    const settled = await settlement.open();
    const ton = await network.ton.open();
    const tonClient = new TonClient({ endpoint: `${network.policy.chainEndpoints[0]}/jsonRPC` });
    return {
      network,
      settled,
      ton,
      tonClient,
      developer: (name) => developerOf({ network, settled, ton, tonClient }, name),
      vault: () => tonClient.open(settled.settlement.vault).getVault(),
      [Symbol.asyncDispose]: () => network[Symbol.asyncDispose](),
    };
  } catch (error) {
    await network[Symbol.asyncDispose]();
    throw error;
  }
}

async function developerOf(
  { network, settled, ton, tonClient }: Pick<ChannelNetwork, "network" | "settled" | "ton" | "tonClient">,
  name: string,
): Promise<Developer> {
  const { key: apiKey } = await network.admin(
    ["keys", "create", "--developer", name],
    z.object({ key: z.string() }),
  );
  const wallet = walletOf(keyPairFromSeed(randomBytes(32)), globalId);
  await ton.faucet(wallet.wallet.address, gram(100));
  const { vault, code } = settled.settlement;
  const send: Developer["send"] = async (...messages) => {
    const opened: OpenedContract<WalletContractV5R1> = tonClient.open(wallet.wallet);
    await opened.sendTransfer({
      seqno: await opened.getSeqno(),
      secretKey: wallet.keys.secretKey,
      sendMode: SendMode.PAY_GAS_SEPARATELY,
      messages: messages.map((message) => internal(message)),
    });
  };
  const call: Developer["call"] = async (method, path, body) => {
    const response = await fetch(`${network.gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${apiKey}`, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
  const client: Developer["client"] = (own) =>
    new BombyxClient({ gateway: network.gateway.url, apiKey, policy: network.policy, ...own });

  const newChannel: Developer["newChannel"] = async ({ salt = 1n, store = memoryStore() } = {}) => {
    const owner = wallet.wallet.address;
    const contract = ClientChannel.fromIdentity({ owner, vault: vault.address, salt }, code.clientChannel);
    const identity = {
      globalId,
      channel: contract.address.toRawString(),
      vault: vault.address.toRawString(),
      owner: owner.toRawString(),
      salt: salt.toString(),
    };
    const signer = await VoucherSigner.create(identity, store);
    const path = `/v1/channels/${identity.channel}`;
    return {
      contract,
      identity,
      signer,
      store,
      open: (nano) =>
        send({
          to: contract.address,
          value: nano,
          init: contract.init ?? null,
          body: channelMessages.setKey(Buffer.from(signer.voucherKey, "hex")),
        }),
      topUp: (nano) => send({ to: contract.address, value: nano }),
      message: (body, nano = gram(0.1)) => send({ to: contract.address, value: nano, body }),
      register: async () => {
        const answer = await call("POST", "/v1/channels", signer.register(`developer:${name}`, Date.now()));
        return channelSchema.parse(answer.body);
      },
      pays: (own) => new ChannelPayment(signer, own),
      seen: async () => {
        const { channels } = channelsSchema.parse((await call("GET", "/v1/channels")).body);
        const found = channels.find(({ address }) => address === identity.channel);
        if (!found) throw new Error("the gateway does not know this channel");
        return found;
      },
      onChain: () => tonClient.open(contract).getChannel(),
      put: async (voucher) => {
        const { status, body } = await call("PUT", `${path}/voucher`, voucher);
        return { status, error: (body as { error?: ErrorBody }).error };
      },
    };
  };
  return {
    name,
    apiKey,
    wallet,
    send,
    call,
    client,
    newChannel,
    openChannel: async (nano, own) => {
      const channel = await newChannel(own);
      await channel.open(nano);
      await channel.register();
      await until(channel, ({ state, depositNano }) => state === "open" && depositNano !== "0");
      return channel;
    },
  };
}

/** The gateway has seen it on the chain. */
export async function until(
  channel: Pick<OwnChannel, "seen">,
  holds: (seen: Channel) => boolean,
): Promise<Channel> {
  return await vi.waitFor(
    async () => {
      const seen = await channel.seen();
      if (!holds(seen)) throw new Error(`the gateway sees ${JSON.stringify(seen)}`);
      return seen;
    },
    { timeout: 30_000, interval: 100 },
  );
}

export const question = {
  model: "spark",
  messages: [{ role: "user" as const, content: "What is the capital of France?" }],
  temperature: 0,
};
