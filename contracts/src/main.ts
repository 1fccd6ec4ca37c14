import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { Address, type Cell, type StateInit } from "@ton/core";
import { mnemonicToPrivateKey } from "@ton/crypto";
import { internal, SendMode, TonClient, WalletContractV5R1 } from "@ton/ton";
import { build } from "./build.ts";
import { codeOf, compiled } from "./compiled.ts";
import { Registry } from "./registry/registry.ts";
import { Vault, type VaultView } from "./vault/vault.ts";

/**
 * `npm run contracts -- build | deploy FILE [--send] | inspect ADDRESS`, against the toncenter-v2 API at TON_ENDPOINT.
 * Without `--send` a deployment only says what would happen and what it costs.
 */
const usage = `npm run contracts -- build
npm run contracts -- deploy TERMS.json [--send]
npm run contracts -- inspect VAULT_ADDRESS

TERMS.json: {"owner", "guardian", "committer": addresses, "ackKey": 64 hex digits, "feeBps": 0..3000, "salt": integer,
             "releaseKeys": three addresses, "network": "mainnet" | "testnet"}
TON_ENDPOINT: a toncenter-v2 JSON-RPC; TON_API_KEY if it wants one; WALLET_MNEMONIC_FILE: the wallet that pays for --send`;

/** What a deployed contract starts with: five years' rent and some commits' worth of spare. */
const startNano = 50_000_000n;

interface Terms {
  readonly owner: Address;
  readonly guardian: Address;
  readonly committer: Address;
  readonly ackKey: Buffer;
  readonly feeBps: number;
  readonly salt: bigint;
  readonly releaseKeys: readonly [Address, Address, Address];
  readonly network: "mainnet" | "testnet";
}

/** @throws {TypeError} that names the field */
export function parseTerms(text: string): Terms {
  const given = JSON.parse(text) as Record<string, unknown>;
  const address = (field: string, value: unknown): Address => {
    try {
      const parsed = Address.parse(String(value));
      if (parsed.workChain === 0) return parsed;
    } catch {
      // Said below.
    }
    throw new TypeError(`${field} must be an address in the basechain, not ${String(value)}`);
  };
  const { ackKey, feeBps, salt, releaseKeys, network } = given;
  if (typeof ackKey !== "string" || !/^[0-9a-f]{64}$/.test(ackKey))
    throw new TypeError("ackKey must be 64 lower-case hex digits");
  if (!Number.isInteger(feeBps) || Number(feeBps) < 0 || Number(feeBps) > 3000)
    throw new TypeError("feeBps must be 0 to 3000");
  if (!Number.isSafeInteger(salt) || Number(salt) < 0) throw new TypeError("salt must be an integer from 0");
  if (!Array.isArray(releaseKeys) || releaseKeys.length !== 3)
    throw new TypeError("releaseKeys must be three addresses");
  if (network !== "mainnet" && network !== "testnet")
    throw new TypeError('network must be "mainnet" or "testnet"');
  const [first, second, third] = releaseKeys.map((key, at) => address(`releaseKeys[${at}]`, key)) as [
    Address,
    Address,
    Address,
  ];
  return {
    owner: address("owner", given.owner),
    guardian: address("guardian", given.guardian),
    committer: address("committer", given.committer),
    ackKey: Buffer.from(ackKey, "hex"),
    feeBps: Number(feeBps),
    salt: BigInt(Number(salt)),
    releaseKeys: [first, second, third],
    network,
  };
}

/** What a deployment would put on chain. */
export function plan(terms: Terms): { readonly vault: Vault; readonly registry: Registry } {
  const children = { clientChannel: codeOf("client-channel"), nodeAccount: codeOf("node-account") };
  return {
    vault: Vault.fromTerms(terms, codeOf("vault"), children),
    registry: Registry.fromTerms(terms, codeOf("registry")),
  };
}

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const grams = (nano: bigint): string => `${Number(nano) / 1e9} GRAM`;

function client(): TonClient {
  const endpoint = process.env.TON_ENDPOINT;
  if (endpoint === undefined)
    throw new TypeError(
      "TON_ENDPOINT is not set: a toncenter-v2 JSON-RPC, e.g. https://testnet.toncenter.com/api/v2/jsonRPC",
    );
  const apiKey = process.env.TON_API_KEY;
  return new TonClient({ endpoint, ...(apiKey !== undefined && { apiKey }) });
}

async function deploy(file: string, send: boolean): Promise<void> {
  const terms = parseTerms(readFileSync(file, "utf8"));
  const parts = plan(terms);
  for (const [name, { address, init }] of Object.entries(parts) as [
    string,
    { address: Address; init?: StateInit },
  ][]) {
    const cells = (init?.code as Cell | undefined)?.toBoc().length ?? 0;
    say(
      `${name}: ${address.toString({ testOnly: terms.network === "testnet" })}, code of ${cells} bytes, starts with ${grams(startNano)}`,
    );
  }
  say(
    `code hashes: ${Object.entries(compiled)
      .map(([name, { hash }]) => `${name} ${hash}`)
      .join(", ")}`,
  );
  say(
    `cost: ${grams(2n * startNano)} that stay in the contracts, and about 0.01 GRAM in fees at prices of 2026`,
  );
  if (!send) {
    say("nothing was sent; --send does");
    return;
  }
  const mnemonicFile = process.env.WALLET_MNEMONIC_FILE;
  if (mnemonicFile === undefined)
    throw new TypeError("WALLET_MNEMONIC_FILE is not set: the file with the paying wallet's words");
  const { publicKey, secretKey } = await mnemonicToPrivateKey(
    readFileSync(mnemonicFile, "utf8").trim().split(/\s+/),
  );
  const ton = client();
  const walletId = { networkGlobalId: terms.network === "mainnet" ? -239 : -3 };
  const wallet = ton.open(WalletContractV5R1.create({ publicKey, walletId }));
  const messages = Object.values(parts).map(({ address, init }) =>
    internal({ to: address, value: startNano, bounce: false, ...(init !== undefined && { init }) }),
  );
  const seqno = await wallet.getSeqno();
  await wallet.sendTransfer({ seqno, secretKey, messages, sendMode: SendMode.PAY_GAS_SEPARATELY });
  say(`sent by ${wallet.address} with seqno ${seqno}; \`inspect\` shows the vault once its block is there`);
}

/** A vault in words. */
export function describe(view: VaultView, balanceNano: bigint): string[] {
  const { finalRoot, pendingRoot } = view;
  return [
    `balance ${grams(balanceNano)}, owed ${grams(view.owedNano)}`,
    `paid to nodes ${grams(view.paidNano)} of ${grams(finalRoot?.committedNano ?? 0n)} final; credit ${grams(view.nodesCreditNano)}`,
    `operator may announce ${grams(view.withdrawableNano)}`,
    finalRoot === undefined
      ? "no final root"
      : `final: epoch ${finalRoot.epoch}, ${finalRoot.requests} requests, ${finalRoot.units} units`,
    pendingRoot === undefined
      ? "no root pending"
      : `pending: epoch ${pendingRoot.epoch} since ${new Date(view.pendingSinceAt).toISOString()}`,
    `owner ${view.owner}, guardian ${view.guardian}, committer ${view.committer}, ack key ${view.ackKey.toString("hex")}`,
  ];
}

async function inspect(text: string): Promise<void> {
  const address = Address.parse(text);
  const ton = client();
  const vault = ton.open(new Vault(address));
  const state = await ton.getContractState(address);
  if (state.state !== "active") throw new Error(`${text} is ${state.state}: no vault is there`);
  for (const line of describe(await vault.getVault(), state.balance)) say(line);
}

if (import.meta.main) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { send: { type: "boolean", default: false }, help: { type: "boolean", default: false } },
  });
  const [command, argument] = positionals;
  try {
    if (command === "build") {
      const { changed, compiled: made } = await build();
      for (const [name, { hash, code }] of made) say(`${name} ${hash} ${code.toBoc().length} bytes`);
      say(changed ? "compiled.ts was written" : "compiled.ts was up to date");
    } else if (command === "deploy" && argument !== undefined) await deploy(argument, values.send);
    else if (command === "inspect" && argument !== undefined) await inspect(argument);
    else {
      say(usage);
      process.exitCode = values.help ? 0 : 2;
    }
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
