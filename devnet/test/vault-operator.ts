import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LeafAt, SumTree } from "@bombyx/contracts/sum-tree";
import { type EpochRoot, vaultMessages } from "@bombyx/contracts/vault-messages";
import {
  ackCell,
  DisputeWallet,
  NodeSettlement,
  payoutAccount,
  proofJson,
  type SettlementOptions,
  type SettlementStatus,
  type SignedAck,
  StateDirectory,
  silentLog,
  systemClock,
  toncenterReader,
} from "@bombyx/node-agent/settlement";
import type { Ack, EpochRootJson, NodeProofJson } from "@bombyx/protocol/wire";
import { Address } from "@ton/core";
import { type KeyPair, sign } from "@ton/crypto";
import { globalId, startChainServer } from "../src/chain/chain-server.ts";
import type { KeyedWallet } from "../src/chain/settlement/operator-keys.ts";
import { call } from "../src/chain/ton/toncenter/methods.ts";
import { gram, localTon, type TestTon } from "./local-ton.ts";

/** A leaf as an operator writes it. */
export type WrittenLeaf = { account: Address; earned: bigint; units: bigint } | undefined;

export const hour = 3_600_000;

/** An operator who commits what the test says, honest or not, on real contracts over HTTP; and one node that it owes. */
export class VaultOperator implements AsyncDisposable {
  readonly chain: TestTon;
  /** Two doors to the same chain, as if of two operators. */
  readonly endpoints: readonly string[];
  readonly owner: KeyedWallet;
  readonly node = randomBytes(32).toString("hex");
  readonly other = new Address(0, randomBytes(32));
  readonly folder: string;
  readonly statuses: SettlementStatus[] = [];
  /** What `GET /v1/settlement` answers; undefined: 404. */
  terms: object | undefined;
  readonly #pages: Server;
  readonly #leaves = new Map<number, Buffer>();
  readonly #made: AsyncDisposableStack;
  #epoch = 0;
  #acks = 0;
  #settlement: NodeSettlement | undefined;

  private constructor(
    parts: Pick<VaultOperator, "chain" | "endpoints" | "owner" | "folder">,
    pages: Server,
    made: AsyncDisposableStack,
  ) {
    this.chain = parts.chain;
    this.endpoints = parts.endpoints;
    this.owner = parts.owner;
    this.folder = parts.folder;
    this.#pages = pages;
    this.#made = made;
    const { vault, registry, operator } = this.chain.settlement;
    this.terms = {
      globalId,
      vault: vault.address.toRawString(),
      registry: registry.address.toRawString(),
      feeBps: 1_000,
      ackPk: operator.ack.publicKey.toString("hex"),
      gramPayments: false,
      explorer: null,
      final: null,
      pending: null,
    };
    pages.on("request", (request, response) => {
      const epoch = /^\/v1\/settlement\/epochs\/(\d+)\/leaves$/.exec(request.url ?? "")?.[1];
      const body =
        request.url === "/v1/settlement"
          ? this.terms && Buffer.from(JSON.stringify(this.terms))
          : this.#leaves.get(Number(epoch));
      response.statusCode = body ? 200 : 404;
      response.end(body);
    });
  }

  static async start(): Promise<VaultOperator> {
    await using made = new AsyncDisposableStack();
    const chain = made.use(await localTon("over HTTP"));
    const second = await startChainServer({
      clock: chain.ton.clock,
      port: 0,
      now: () => chain.ton.now(),
      accounts: async () => (method, parameters) => call(chain.ton, method, parameters),
    });
    made.defer(() => second.close());
    const pages = createServer();
    await new Promise<void>((resolve) => pages.listen(0, "127.0.0.1", resolve));
    made.defer(() => void pages.close());
    const folder = await mkdtemp(join(tmpdir(), "bombyx-owed-"));
    made.defer(() => rm(folder, { recursive: true, force: true }));
    const owner = await chain.person(gram(1));
    const sponsor = await chain.person(gram(200));
    await chain.send(sponsor, {
      to: chain.settlement.vault.address,
      value: gram(101),
      body: vaultMessages.sponsorDeposit(1n, gram(100)),
    });
    const parts = { chain, endpoints: [chain.url, second.url], owner, folder };
    return new VaultOperator(parts, pages, made.move());
  }

  get gateway(): string {
    return `http://127.0.0.1:${(this.#pages.address() as AddressInfo).port}`;
  }

  get payout(): string {
    return this.owner.wallet.address.toRawString();
  }

  get vault() {
    return this.chain.client.open(this.chain.settlement.vault).getVault();
  }

  get account() {
    const account = payoutAccount(this.chain.settlement.vault.address, this.node, this.payout);
    if (!account) throw new Error("the owner's wallet is an address");
    return account;
  }

  /** The node's side, as the agent composes it; nothing of it is the operator's. */
  async settlement(options: Partial<SettlementOptions> = {}): Promise<NodeSettlement> {
    this.#settlement?.close();
    const made = await NodeSettlement.open(
      {
        gateway: this.gateway,
        node: this.node,
        payout: this.payout,
        state: await StateDirectory.open(this.folder),
        clock: systemClock,
        log: silentLog,
        onStatus: (status) => this.statuses.push(status),
      },
      { chain: toncenterReader(this.endpoints, fetch, async () => {}), watchEveryMs: 2 ** 30, ...options },
    );
    this.#settlement = made;
    return made;
  }

  async disputeWallet(): Promise<DisputeWallet> {
    return DisputeWallet.open(await StateDirectory.open(this.folder), globalId);
  }

  /** Puts money where the node's disputes come from. */
  async fundDisputes(): Promise<void> {
    await this.chain.ton.faucet((await this.disputeWallet()).address, gram(0.3));
    await this.chain.ton.settled();
  }

  ack(
    cumulative: bigint,
    epoch: number,
    change: Partial<Ack> = {},
    key: KeyPair = this.chain.settlement.operator.ack,
  ): SignedAck {
    const ack: Ack = {
      globalId,
      vault: this.chain.settlement.vault.address.hash.toString("hex"),
      account: this.account.address.hash.toString("hex"),
      index: 0,
      epoch,
      n: ++this.#acks,
      cumulativeNano: cumulative.toString(),
      heldNano: "0",
      receiptsHash: "ab".repeat(32),
      ...change,
    };
    return { ack, signature: sign(ackCell(ack).hash(), key.secretKey).toString("hex") };
  }

  leaf(earned: bigint, account = this.account.address): WrittenLeaf {
    return { account, earned, units: 10n };
  }

  /** A root over these leaves, its file and the proof of the leaf at 0; nothing is on chain yet. */
  build(leaves: readonly WrittenLeaf[]): { root: EpochRoot; proof: NodeProofJson; file: Buffer } {
    const domain = { globalId, vault: this.chain.settlement.vault.address };
    const tree = new SumTree(domain, leaves as LeafAt[], 1);
    const file = Buffer.from(
      leaves
        .flatMap((leaf, index) =>
          leaf
            ? [
                `${JSON.stringify({ index, account: leaf.account.hash.toString("hex"), earnedNano: `${leaf.earned}`, units: `${leaf.units}` })}\n`,
              ]
            : [],
        )
        .join(""),
    );
    const root: EpochRoot = {
      epoch: this.#epoch + 1,
      depth: tree.depth,
      root: tree.root,
      committedNano: tree.total,
      units: BigInt(100 * (this.#epoch + 1)),
      requests: BigInt(10 * (this.#epoch + 1)),
      leavesHash: createHash("sha256").update(file).digest(),
      clientRoot: Buffer.alloc(32, 2),
    };
    const leaf = tree.leaf(0) ?? { index: 0, account: this.account.address, earned: 0n, units: 0n };
    return { root, proof: proofJson({ root, leaf, path: tree.path(0) }), file };
  }

  /** On chain, pending. @param publishes false: nobody can open the tree */
  async commit(
    { root, file }: { root: EpochRoot; file: Buffer },
    publishes = true,
  ): Promise<EpochRootJson["epoch"]> {
    const { operator, vault } = this.chain.settlement;
    await this.chain.send(operator.committer, {
      to: vault.address,
      value: gram(0.1),
      body: vaultMessages.commitEpoch(root),
    });
    await this.chain.ton.settled();
    this.#epoch = root.epoch;
    if (publishes) this.#leaves.set(root.epoch, file);
    return root.epoch;
  }

  /** Nobody answers for the operator any more; the chain is there. */
  async goAway(): Promise<void> {
    this.#pages.closeAllConnections();
    await new Promise((resolve) => this.#pages.close(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#settlement?.close();
    await this.#settlement?.look();
    this.#pages.closeAllConnections();
    await this.#made.disposeAsync();
  }
}
