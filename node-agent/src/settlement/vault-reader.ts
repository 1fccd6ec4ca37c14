import { codeOf } from "@bombyx/contracts/code";
import { NodeAccount } from "@bombyx/contracts/node-account";
import { Vault, type VaultView } from "@bombyx/contracts/vault";
import { BombyxError } from "@bombyx/protocol/wire";
import { type Address, Cell } from "@ton/core";
import type { TonClient } from "@ton/ton";
import * as z from "zod";
import { rootId } from "./node-proof.ts";

/** A vault as two endpoints show it. */
export interface VaultReading {
  readonly view: VaultView;
  /** A time that two endpoints have reached, ms of the chain's time. The machine's own clock is the host's, and is not asked. */
  readonly at: number;
}

/** The chain as far as settlement needs it. Every answer is one that two endpoints gave. */
export interface ChainReader {
  /** @throws BombyxError VAULT_MISMATCH when the address holds another contract, CHAIN_UNAVAILABLE when it holds none or no two agree */
  vault(address: Address): Promise<VaultReading>;
  /** Nano that a NodeAccount was paid; 0 for one that is not there yet. */
  claimedNano(account: Address): Promise<bigint>;
  isDeployed(account: Address): Promise<boolean>;
  balanceNano(wallet: Address): Promise<bigint>;
  seqno(wallet: Address): Promise<number>;
  /** -239 mainnet, -3 testnet. */
  globalId(): Promise<number>;
  /** Hands a message from outside to every endpoint; one that takes it suffices. @throws BombyxError CHAIN_UNAVAILABLE */
  send(boc: Uint8Array): Promise<void>;
}

const timeoutMs = 10_000;
/** Endpoints are rarely at the same block: they are asked again this often, so far apart. */
const attempts = 4;
const apartMs = 700;

const blockSchema = z.object({ ok: z.literal(true), result: z.unknown() });
const infoSchema = z.object({ last: z.object({ seqno: z.int() }) });
const headerSchema = z.object({ global_id: z.int() });

/**
 * @param endpoints toncenter-v2 base URLs of different operators, none of them the gateway's
 * @param wait resolves after so many ms
 */
export function toncenterReader(
  endpoints: readonly string[],
  request: typeof fetch,
  wait: (ms: number) => Promise<void>,
): ChainReader {
  const bases = [...new Set(endpoints)];
  let made: Promise<readonly TonClient[]> | undefined;
  // The client takes a while to load, and a gateway that settles nothing needs none.
  const clients = () => {
    made ??= import("@ton/ton").then(({ TonClient }) =>
      bases.map((base) => new TonClient({ endpoint: `${base}/jsonRPC`, timeout: timeoutMs })),
    );
    return made;
  };

  /** The first answer that two give. */
  async function agreed<T>(
    what: string,
    ask: (client: TonClient, base: string) => Promise<T>,
    key: (value: T) => string,
  ): Promise<T> {
    const open = await clients();
    let failures: unknown[] = [];
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const answers = await Promise.allSettled(open.map((client, at) => ask(client, bases[at] as string)));
      const seen = new Set<string>();
      failures = [];
      for (const answer of answers) {
        if (answer.status === "rejected") {
          const told: unknown = answer.reason;
          // Two that say the same of what is wrong agree, too.
          if (
            told instanceof BombyxError &&
            failures.some((one) => one instanceof BombyxError && one.message === told.message)
          )
            throw told;
          failures.push(told);
          continue;
        }
        const id = key(answer.value);
        if (seen.has(id)) return answer.value;
        seen.add(id);
      }
      if (attempt < attempts) await wait(apartMs);
    }
    throw new BombyxError(
      "CHAIN_UNAVAILABLE",
      `No two of the ${bases.length} chain endpoints gave the same answer about ${what}; look at --chain-endpoints.`,
      { cause: new AggregateError(failures) },
    );
  }

  async function ask(base: string, method: string, query: Record<string, string>): Promise<unknown> {
    const url = `${base}/${method}?${new URLSearchParams(query)}`;
    const response = await request(url, { signal: AbortSignal.timeout(timeoutMs) });
    return blockSchema.parse(await response.json()).result;
  }

  async function networkOf(base: string): Promise<number> {
    const { seqno } = infoSchema.parse(await ask(base, "getMasterchainInfo", {})).last;
    const place = { workchain: "-1", shard: "-9223372036854775808", seqno: String(seqno) };
    return headerSchema.parse(await ask(base, "getBlockHeader", place)).global_id;
  }

  return {
    async vault(address) {
      const seen = new Map<string, number>();
      const view = await agreed(
        `the vault ${address}`,
        async (client, base) => {
          seen.set(base, await assertVault(client, address));
          return client.open(new Vault(address)).getVault();
        },
        viewKey,
      );
      // The latest of the times is one that only one endpoint may say; the second was reached by two.
      const [, at = 0] = [...seen.values()].sort((a, b) => b - a);
      return { view, at };
    },
    claimedNano: (account) =>
      agreed(
        `the account ${account}`,
        async (client) => {
          const { state } = await client.getContractState(account);
          if (state !== "active") return 0n;
          return (await client.open(new NodeAccount(account)).getAccount()).claimedNano;
        },
        String,
      ),
    isDeployed: (account) =>
      agreed(`the account ${account}`, (client) => client.isContractDeployed(account), String),
    balanceNano: (wallet) => agreed(`the wallet ${wallet}`, (client) => client.getBalance(wallet), String),
    seqno: (wallet) =>
      agreed(
        `the wallet ${wallet}`,
        async (client) => {
          if (!(await client.isContractDeployed(wallet))) return 0;
          return (await client.runMethod(wallet, "seqno")).stack.readNumber();
        },
        String,
      ),
    globalId: () => agreed("the network", (_, base) => networkOf(base), String),
    async send(boc) {
      const open = await clients();
      const sent = await Promise.allSettled(open.map((client) => client.sendFile(Buffer.from(boc))));
      if (sent.some(({ status }) => status === "fulfilled")) return;
      throw new BombyxError(
        "CHAIN_UNAVAILABLE",
        "No chain endpoint took the message; look at --chain-endpoints.",
        {
          cause: new AggregateError(sent.map((one) => (one.status === "rejected" ? one.reason : undefined))),
        },
      );
    },
  };
}

/**
 * A contract that answers like a vault and is none could say anything about who is owed what; and one that pays other
 * accounts than ours would never pay this node.
 * @returns when the endpoint saw it, ms
 */
async function assertVault(client: TonClient, address: Address): Promise<number> {
  const { state, code, data, timestampt } = await client.getContractState(address);
  const found = state === "active" ? cellOf(code) : undefined;
  // It may be deployed a moment later: this is no word against the operator yet.
  if (found === undefined) {
    throw new BombyxError(
      "CHAIN_UNAVAILABLE",
      `There is no contract at the vault's address ${address}; compare it with what the operator publishes.`,
      { field: "vault" },
    );
  }
  if (!found.hash().equals(codeOf("vault").hash())) {
    throw mismatch(
      `The contract at ${address} is not Bombyx's vault (code ${found.hash().toString("hex").slice(0, 8)}…); do not serve this gateway.`,
    );
  }
  // `packVaultTerms`: keys first, then what is fixed for ever: u16 fee, channel's code (hash, depth), node account's code.
  const fixed = cellOf(data)?.refs[1]?.beginParse();
  if (
    !fixed
      ?.skip(16 + 272)
      .loadBuffer(32)
      .equals(codeOf("node-account").hash())
  ) {
    throw mismatch(`The vault ${address} pays other accounts than this node's; do not serve this gateway.`);
  }
  return timestampt * 1_000;
}

const cellOf = (boc: Buffer | null): Cell | undefined => (boc === null ? undefined : Cell.fromBoc(boc)[0]);

const mismatch = (message: string) => new BombyxError("VAULT_MISMATCH", message, { field: "vault" });

/** What two endpoints must say alike: what a node decides by. Balances and counters of others move all the time. */
const viewKey = ({ ackKey, finalRoot, pendingRoot, pendingSinceAt, lastEpoch }: VaultView): string =>
  JSON.stringify([
    ackKey.toString("hex"),
    finalRoot ? rootId(finalRoot) : null,
    pendingRoot ? rootId(pendingRoot) : null,
    pendingRoot ? pendingSinceAt : null,
    lastEpoch,
  ]);
