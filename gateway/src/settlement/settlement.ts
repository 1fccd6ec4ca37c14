import type { KeyObject } from "node:crypto";
import { setTimeout as after } from "node:timers/promises";
import { Vault, type VaultView } from "@bombyx/contracts/vault";
import type { ClientProofJson, Earnings, GatewayControlMessage, SettlementJson } from "@bombyx/protocol/wire";
import { Address } from "@ton/core";
import type { Kysely } from "kysely";
import { ChainError } from "../chain/chain-error.ts";
import { ChainStore } from "../chain/chain-store.ts";
import { OperatorWallet } from "../chain/operator-wallet.ts";
import { ed25519Key, readSeed } from "../chain/seed-file.ts";
import { TonEndpoints } from "../chain/ton-endpoints.ts";
import type { EventLog } from "../events/event-log.ts";
import type { Fleet } from "../fleet/fleet.ts";
import type { FleetNode } from "../fleet/fleet-node.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { Log } from "../log.ts";
import type { AckTerms } from "../relay/acks.ts";
import type { StoreSchema } from "../store/schema.ts";
import { OwnerEarnings } from "./earnings.ts";
import { EpochFiles } from "./epoch-files.ts";
import { EpochStore } from "./epoch-store.ts";
import { clientName, type EpochTree, rootJson } from "./epoch-tree.ts";
import { type EpochStep, Epochs } from "./epochs.ts";
import { heldNano } from "./held.ts";
import { NodeAccounts } from "./node-accounts.ts";
import type { SettlementConfig } from "./settlement-config.ts";
import type { SettlementProblem, SettlementState } from "./settlement-state.ts";
import { VaultLedger } from "./vault-ledger.ts";

/** A pending root becomes final after so long, by the chain's clock. */
export const pendingMs = 24 * 3_600_000;
const notedEveryMs = 600_000;
/** Looks that may fail one after the other before it is a problem. */
const failuresBorne = 3;
const nothing = "00".repeat(32);

export interface SettlementParts {
  readonly config: SettlementConfig;
  readonly dataDir: string;
  readonly feeBps: number;
  readonly db: Kysely<StoreSchema>;
  readonly ledger: Ledger;
  readonly fleet: Pick<Fleet, "get" | "linked">;
  readonly events: Pick<EventLog, "add" | "settled">;
  readonly log: Log;
  /** ms since epoch. */
  readonly now: () => number;
  /** Nodes earned more than the vault has: whoever holds vouchers redeems them. */
  readonly bringMoney?: () => Promise<void>;
  /** Where the process may be killed; for tests. */
  readonly reached?: (step: EpochStep) => Promise<void>;
}

/** The gateway's money on chain: what it acknowledges, commits, and shows the proofs of. */
export class Settlement {
  readonly endpoints: TonEndpoints;
  readonly store: ChainStore;
  /** Of the commit key. */
  readonly wallet: OperatorWallet;
  readonly vault: Address;
  readonly ackKey: KeyObject;
  readonly terms: AckTerms;
  readonly #parts: SettlementParts;
  readonly #accounts: NodeAccounts;
  readonly #files: EpochFiles;
  /** Payout address of each node. */
  #payouts: ReadonlyMap<string, string> = new Map();
  readonly #problems = new Set<SettlementProblem>();
  readonly #stopping = new AbortController();
  #epochs!: Epochs;
  #vaultLedger!: VaultLedger;
  #earnings!: OwnerEarnings;
  #committerNano = 0n;
  #failures = 0;
  #readAt = 0;
  #notedAt = Number.NEGATIVE_INFINITY;
  #loop: Promise<void> = Promise.resolve();

  /** @throws Error naming a key file that is missing or open to others, or an epoch's file that is gone */
  static async open(parts: SettlementParts): Promise<Settlement> {
    const settlement = new Settlement(parts);
    await settlement.#open();
    return settlement;
  }

  private constructor(parts: SettlementParts) {
    const { config, db, fleet, dataDir, now } = parts;
    this.#parts = parts;
    this.vault = Address.parseRaw(config.vault);
    this.endpoints = new TonEndpoints({ urls: config.endpoints, wait: (ms) => after(ms) });
    this.store = new ChainStore(db);
    this.wallet = new OperatorWallet({
      endpoints: this.endpoints,
      orders: this.store.orders,
      seed: readSeed(config.committerSeedFile),
      globalId: config.globalId,
      now,
    });
    this.ackKey = ed25519Key(readSeed(config.ackSeedFile));
    this.#accounts = new NodeAccounts(this.vault);
    this.#files = new EpochFiles(dataDir);
    const vault = this.vault.hash.toString("hex");
    const accountOf = (node: string): string =>
      this.#accounts
        .of(node, fleet.get(node)?.payout ?? this.#payouts.get(node) ?? "")
        ?.hash.toString("hex") ?? nothing;
    this.terms = {
      // A node that cannot be paid has no leaf to hold an Ack against.
      placeOf: (node) => {
        const account = accountOf(node);
        return account === nothing
          ? { globalId: 0, vault: nothing, account }
          : { globalId: config.globalId, vault, account };
      },
      epoch: () => this.#epochs.ackEpoch,
      heldNano: (standing) => heldNano(standing, now(), config.heldMs),
    };
  }

  async #open(): Promise<void> {
    const { config, db, ledger, log, now, reached } = this.#parts;
    this.#vaultLedger = await VaultLedger.open({
      db,
      chain: this.store,
      endpoints: this.endpoints,
      vault: this.vault,
      ledger,
      onRoot: (news) => this.#epochs.heard(news),
    });
    const store = new EpochStore(db);
    this.#payouts = await store.payouts();
    this.#epochs = await Epochs.open({
      domain: { globalId: config.globalId, vault: this.vault },
      epochMs: config.epochMs,
      heldMs: config.heldMs,
      ledger,
      store,
      files: this.#files,
      accounts: this.#accounts,
      vault: () => this.#readVault(),
      wallet: this.wallet,
      ackKey: ackKeyBytes(this.ackKey),
      pushProofs: (tree) => this.#pushAll(tree),
      tellOwners: (news, tree, before) => this.#tellOwners(news, tree, before),
      problem: (kind, detail) => this.#problem(kind, detail),
      log,
      now,
      ...(reached && { reached }),
    });
    this.#earnings = new OwnerEarnings({
      db,
      ledger,
      accounts: this.#accounts,
      vault: this.#vaultLedger,
      heldMs: config.heldMs,
      trees: () => ({ final: this.#epochs.final, live: this.#epochs.live?.tree }),
      now,
    });
  }

  /** Looks at the chain from now on, one look after the other. */
  start(): void {
    this.#loop = this.#run();
  }

  /** Resolves when nothing of it runs any more; the ledger and the store may be closed then. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#loop;
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      await this.look();
      await after(this.#parts.config.pollMs, undefined, { signal }).catch(() => undefined);
    }
  }

  /** One look at the chain; never throws. */
  async look(): Promise<void> {
    const { log, now } = this.#parts;
    try {
      await this.#vaultLedger.poll();
      await this.#epochs.step();
      this.#committerNano = await this.wallet.balanceNano();
      if (now() - this.#notedAt >= notedEveryMs) {
        await this.#earnings.noteDay();
        this.#notedAt = now();
      }
      this.#readAt = now();
      this.#failures = 0;
      this.#problem("chain", null);
    } catch (error) {
      if (error instanceof ChainError) {
        const { reason, answers } = error;
        // Once is nothing: endpoints fail now and then, and a local chain comes up beside its gateway.
        if (++this.#failures < failuresBorne) return;
        this.#problem("chain", { reason });
        log.warn({ code: "CHAIN_UNAVAILABLE", reason, answers }, error.message);
      } else log.error({ err: error }, "settlement could not go on");
    }
  }

  /** A node is attested: it gets its proofs. */
  async linked(node: FleetNode): Promise<void> {
    const { index } = await this.#parts.ledger.acknowledged(node.id);
    if (index === null) return;
    for (const proof of this.#epochs.proofsOf(index)) node.link?.control({ t: "proof", ...proof });
  }

  get state(): SettlementState {
    const last = this.#epochs.live?.record;
    const root = last?.root ?? this.#epochs.final?.rootJson;
    return {
      epoch: root?.epoch ?? 0,
      ageMs: Math.max(0, this.#parts.now() - (this.#epochs.snapshotAt ?? this.#parts.now())),
      pending: last?.state === "pending",
      committedNano: BigInt(root?.committedNano ?? 0),
      committerNano: this.#committerNano,
      readAt: this.#readAt,
      problems: this.#problems,
    };
  }

  /** As the vault was at the last look: a root that anybody else committed is shown, too. */
  info(): SettlementJson {
    const { config, feeBps } = this.#parts;
    const view = this.#epochs.view;
    const since = view?.pendingSinceAt ?? 0;
    return {
      globalId: config.globalId,
      vault: config.vault,
      registry: config.registry,
      feeBps,
      ackPk: ackKeyBytes(this.ackKey).toString("hex"),
      gramPayments: config.gramPayments,
      explorer: config.explorer ?? null,
      final: view?.finalRoot ? rootJson(view.finalRoot) : null,
      pending: view?.pendingRoot
        ? { ...rootJson(view.pendingRoot), sinceAt: since, finalAt: since + pendingMs }
        : null,
    };
  }

  earnings(owner: string): Promise<Earnings> {
    return this.#earnings.of(owner);
  }

  /** An account's own line in the last final epoch; `undefined` when it has none. */
  usageProof(account: string): ClientProofJson | undefined {
    return this.#epochs.final?.clientProof(clientName(account));
  }

  /** The published file of an epoch; `undefined` when there is none, or it is not committed yet. */
  async leaves(epoch: number): Promise<Buffer | undefined> {
    return await this.#files.leaves(epoch);
  }

  #readVault(): Promise<VaultView> {
    return this.endpoints.read("the vault", new Vault(this.vault), (vault) => vault.getVault());
  }

  async #pushAll(tree: EpochTree): Promise<void> {
    const { fleet, ledger } = this.#parts;
    for (const node of [...fleet.linked()]) {
      const { index } = await ledger.acknowledged(node.id);
      const proof = index === null ? undefined : tree.nodeProof(index);
      const message: GatewayControlMessage | undefined = proof && { t: "proof", ...proof };
      if (message) node.link?.control(message);
    }
  }

  async #tellOwners(
    news: "ready" | "stopped",
    tree: EpochTree,
    before: EpochTree | undefined,
  ): Promise<void> {
    const { db, ledger, events } = this.#parts;
    const rows = await db.selectFrom("nodes").select(["node", "owner"]).execute();
    const owners = new Map(rows.map(({ node, owner }) => [node, owner]));
    const gained = new Map<string, bigint>();
    for (const { node, index } of (await ledger.snapshot()).nodes) {
      const owner = owners.get(node);
      const more = tree.earnedNano(index) - (before?.earnedNano(index) ?? 0n);
      if (owner !== undefined && more > 0n) gained.set(owner, (gained.get(owner) ?? 0n) + more);
    }
    for (const [account, nano] of gained) {
      const amount = `${gramOf(nano)} GRAM`;
      const message =
        news === "ready"
          ? `${amount} more can be claimed.`
          : `${amount} that waited to become final were stopped by a veto or a dispute; they come with a later epoch.`;
      events.add({ type: `payout.${news}`, account, machine: null, node: null, name: "", message });
    }
    await events.settled();
  }

  async #bringMoney(): Promise<void> {
    try {
      await this.#parts.bringMoney?.();
    } catch (error) {
      this.#parts.log.error({ err: error }, "vouchers could not be brought to the vault");
    }
  }

  #problem(kind: SettlementProblem, detail: Readonly<Record<string, string | number>> | null): void {
    const known = this.#problems.has(kind);
    if (detail === null) {
      if (this.#problems.delete(kind)) this.#parts.log.info({ problem: kind }, "settlement goes on");
      return;
    }
    if (kind === "uncovered") void this.#bringMoney();
    this.#problems.add(kind);
    if (!known) this.#parts.log.error({ code: "SETTLEMENT_STOPPED", problem: kind, ...detail }, advice[kind]);
  }
}

const advice: Readonly<Record<SettlementProblem, string>> = {
  chain: "the chain cannot be read: nothing is committed until two endpoints agree",
  keys: "the vault has other hot keys than this gateway: no Ack and no commit of ours counts there",
  uncovered: "nodes earned more than was paid into the vault: deposit the missing sum, or redeem vouchers",
  "committer-empty": "the commit key's wallet has no money for a commit: top it up",
  refused: "the vault refused a commit",
  "foreign-root": "the vault has a root that this gateway did not build: veto it and rotate the commit key",
  "root-gone": "a root was vetoed or disputed: find out why; the next one has another number",
};

function ackKeyBytes(key: KeyObject): Buffer {
  const { x = "" } = key.export({ format: "jwk" });
  return Buffer.from(x, "base64url");
}

const gramOf = (nano: bigint): string => {
  const digits = String(nano).padStart(10, "0");
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, "");
};
