import { type Address, type Cell, internal, type MessageRelaxed, SendMode, type StateInit } from "@ton/core";
import { codeOf } from "../compiled.ts";
import { Registry } from "../registry/registry.ts";
import { Vault } from "../vault/vault.ts";
import { CommandError } from "./command-error.ts";
import type { Endpoint } from "./endpoint.ts";
import type { PayingWallet } from "./paying-wallet.ts";
import { footprints, gasNano, rentNano } from "./prices.ts";
import { globalIds, type Terms } from "./terms.ts";

/** A contract that a deployment puts on chain. */
export interface Part {
  readonly name: keyof typeof footprints;
  readonly address: Address;
  readonly init: StateInit;
}

/** Vault and Registry of these terms: their addresses follow from them. */
export function partsOf(terms: Terms): readonly [Part, Part] {
  const children = { clientChannel: codeOf("client-channel"), nodeAccount: codeOf("node-account") };
  const vault = Vault.fromTerms(terms, codeOf("vault"), children);
  const registry = Registry.fromTerms(terms, codeOf("registry"));
  return [
    { name: "vault", address: vault.address, init: vault.init as StateInit },
    { name: "registry", address: registry.address, init: registry.init as StateInit },
  ];
}

export interface Planned extends Part {
  /** Already on chain: nothing is sent to it. */
  readonly isThere: boolean;
  /** What it starts with: five years' rent, and what its arrival costs. Stays in the contract. */
  readonly startNano: bigint;
}

export interface Cost {
  /** What stays in the contracts. */
  readonly staysNano: bigint;
  /** The wallet's transaction, forwarding included, as the endpoint estimates it; `undefined` without a wallet. */
  readonly walletNano: bigint | undefined;
  /** The arrivals, at the network's gas price. */
  readonly arrivalNano: bigint;
}

export interface Plan {
  readonly endpoint: Endpoint;
  readonly parts: readonly Planned[];
  readonly cost: Cost;
  readonly payer:
    | { readonly wallet: PayingWallet; readonly balanceNano: bigint; readonly seqno: number }
    | undefined;
}

/**
 * What a deployment would send, and what that costs at this network's prices. Sends nothing.
 *
 * @throws {CommandError} WRONG_NETWORK, ENDPOINT_FAILED
 */
export async function planDeployment(
  terms: Terms,
  endpoint: Endpoint,
  wallet: PayingWallet | undefined,
): Promise<Plan> {
  if (endpoint.globalId !== globalIds[terms.network])
    throw new CommandError(
      "WRONG_NETWORK",
      `the terms are for ${terms.network} (${globalIds[terms.network]}), ${endpoint.url} is network ${endpoint.globalId}; set TON_ENDPOINT or "network" in the terms`,
    );
  const parts = await Promise.all(
    partsOf(terms).map(async (part): Promise<Planned> => {
      const footprint = footprints[part.name];
      return {
        ...part,
        isThere: await endpoint.client.isContractDeployed(part.address),
        startNano: rentNano(endpoint.prices, footprint) + gasNano(endpoint.prices, footprint.arrivalGas),
      };
    }),
  );
  const missing = parts.filter(({ isThere }) => !isThere);
  const cost = {
    staysNano: missing.reduce((sum, { startNano }) => sum + startNano, 0n),
    arrivalNano: missing.reduce(
      (sum, { name }) => sum + gasNano(endpoint.prices, footprints[name].arrivalGas),
      0n,
    ),
  };
  if (wallet === undefined)
    return { endpoint, parts, cost: { ...cost, walletNano: undefined }, payer: undefined };
  const balanceNano = await endpoint.client.getBalance(wallet.wallet.address);
  const seqno = await endpoint.client.open(wallet.wallet).getSeqno();
  const payer = { wallet, balanceNano, seqno };
  const walletNano = balanceNano === 0n ? undefined : await estimate(endpoint, payer, messagesTo(missing));
  return { endpoint, parts, cost: { ...cost, walletNano }, payer };
}

const messagesTo = (parts: readonly Planned[]): MessageRelaxed[] =>
  parts.map(({ address, init, startNano }) =>
    internal({ to: address, value: startNano, bounce: false, init }),
  );

function transfer(
  { wallet: { wallet, keys }, seqno }: NonNullable<Plan["payer"]>,
  messages: MessageRelaxed[],
): Cell {
  return wallet.createTransfer({
    seqno,
    secretKey: keys.secretKey,
    messages,
    sendMode: SendMode.PAY_GAS_SEPARATELY,
  });
}

/** What the endpoint says that the wallet's transaction would cost. */
async function estimate(
  { client }: Endpoint,
  payer: NonNullable<Plan["payer"]>,
  messages: MessageRelaxed[],
): Promise<bigint | undefined> {
  if (messages.length === 0) return 0n;
  const { address, init } = payer.wallet.wallet;
  const isNew = payer.seqno === 0 && !(await client.isContractDeployed(address));
  const { source_fees: fees } = await client.estimateExternalMessageFee(address, {
    body: transfer(payer, messages),
    initCode: isNew ? init.code : null,
    initData: isNew ? init.data : null,
    ignoreSignature: true,
  });
  return BigInt(Math.ceil(fees.in_fwd_fee + fees.storage_fee + fees.gas_fee + fees.fwd_fee));
}

/**
 * Sends what is missing and waits until it is there.
 *
 * @param wait resolves when it is time to look again
 * @throws {CommandError} KEY_MISSING, WALLET_EMPTY, ALREADY_THERE, NOT_ARRIVED
 */
export async function carryOut(plan: Plan, wait: () => Promise<void>, looks = 60): Promise<void> {
  const { endpoint, parts, payer, cost } = plan;
  const missing = parts.filter(({ isThere }) => !isThere);
  if (missing.length === 0)
    throw new CommandError(
      "ALREADY_THERE",
      "both contracts are on chain already; another salt makes new ones",
    );
  if (payer === undefined)
    throw new CommandError(
      "KEY_MISSING",
      "WALLET_KEY_FILE is not set: a file with the paying wallet's 24 words, or its seed as 64 hex digits",
    );
  const { address } = payer.wallet.wallet;
  const needed = cost.staysNano + (cost.walletNano ?? 0n);
  if (payer.balanceNano < needed || payer.balanceNano === 0n)
    throw new CommandError(
      "WALLET_EMPTY",
      `the paying wallet ${address} holds ${payer.balanceNano} nano and needs ${needed}, fees included: send it some`,
    );
  await endpoint.client.open(payer.wallet.wallet).send(transfer(payer, messagesTo(missing)));
  for (let look = 0; look < looks; look++) {
    const there = await Promise.all(missing.map((part) => endpoint.client.isContractDeployed(part.address)));
    if (there.every((one) => one)) return;
    await wait();
  }
  throw new CommandError(
    "NOT_ARRIVED",
    `sent by ${address} with seqno ${payer.seqno}, but the contracts are not there yet: run the same command again to see`,
  );
}
