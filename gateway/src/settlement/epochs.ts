import type { VaultView } from "@bombyx/contracts/vault";
import { vaultMessages } from "@bombyx/contracts/vault-messages";
import type { NodeProofJson } from "@bombyx/protocol/wire";
import { type Address, internal, type MessageRelaxed } from "@ton/core";
import type { OrderStatus } from "../chain/operator-wallet.ts";
import type { Ledger, LedgerSnapshot } from "../ledger/ledger.ts";
import type { Log } from "../log.ts";
import type { EpochFiles } from "./epoch-files.ts";
import type { EpochRecord, EpochStore } from "./epoch-store.ts";
import {
  clientName,
  type EpochContent,
  EpochTree,
  rootJson,
  rootOf,
  sameRoot,
  type TreeDomain,
} from "./epoch-tree.ts";
import { heldNano } from "./held.ts";
import type { NodeAccounts } from "./node-accounts.ts";
import type { SettlementProblem } from "./settlement-state.ts";
import type { RootNews } from "./vault-ledger.ts";

/** Points between which the process may die; a test dies at each. */
export type EpochStep =
  | "vault-read"
  | "snapshot-taken"
  | "files-written"
  | "epoch-built"
  | "proofs-pushed"
  | "committing"
  | "commit-sent"
  | "pending"
  | "owners-told"
  | "final"
  | "gone";

export interface EpochsOptions {
  readonly domain: TreeDomain;
  readonly epochMs: number;
  readonly heldMs: number;
  readonly ledger: Pick<Ledger, "snapshot">;
  readonly store: EpochStore;
  readonly files: EpochFiles;
  readonly accounts: NodeAccounts;
  /** As two endpoints show it. @throws ChainError */
  readonly vault: () => Promise<VaultView>;
  readonly wallet: {
    readonly address: Address;
    balanceNano(): Promise<bigint>;
    advance(id: string, make: () => readonly MessageRelaxed[]): Promise<OrderStatus>;
  };
  /** The gateway's own ack key; a vault with another one would judge none of its Acks. */
  readonly ackKey: Buffer;
  /** Sends every linked node its proof into this tree. */
  readonly pushProofs: (tree: EpochTree) => Promise<void>;
  /** Tells owners what they can claim now, or not yet; resolves when that is kept. */
  readonly tellOwners: (
    news: "ready" | "stopped",
    tree: EpochTree,
    before: EpochTree | undefined,
  ) => Promise<void>;
  readonly problem: (
    kind: SettlementProblem,
    detail: Readonly<Record<string, string | number>> | null,
  ) => void;
  readonly log: Log;
  /** ms since epoch. */
  readonly now: () => number;
  readonly reached?: (step: EpochStep) => Promise<void>;
}

/** With a commit; what is over comes back. */
const commitNano = 50_000_000n;
/** After it the vault must show what the wallet sent, or it is sent anew. */
const arrivalMs = 120_000;

/**
 * Epochs, one after the other: built, proven to the nodes, committed, pending, final; or gone, and then built anew under
 * the next number. Every step is kept before the next one begins, and {@link step} goes on from what is kept and from
 * what the vault says, so it does not matter where a process died.
 */
export class Epochs {
  readonly #options: EpochsOptions;
  #last: EpochRecord | undefined;
  #live: EpochTree | undefined;
  #final: EpochTree | undefined;
  #view: VaultView | undefined;
  #ackEpoch: number;
  #attempt = 1;
  #doneAt: number | undefined;
  #pushed = 0;
  #running: Promise<void> | undefined;

  private constructor(options: EpochsOptions, last: EpochRecord | undefined) {
    this.#options = options;
    this.#last = last;
    // What an earlier process has read of the ledger holds nothing that is acknowledged from now on.
    this.#ackEpoch = (last?.epoch ?? 0) + 1;
  }

  /** @throws Error when an epoch's files are gone or changed */
  static async open(options: EpochsOptions): Promise<Epochs> {
    const { store, files, domain } = options;
    const treeOf = async ({ root }: EpochRecord): Promise<EpochTree> => {
      const [leaves, clients] = [await files.leaves(root.epoch), await files.clients(root.epoch)];
      if (!leaves || !clients) throw new Error(`the files of epoch ${root.epoch} are gone: restore them`);
      return EpochTree.fromFiles(domain, root, leaves, clients);
    };
    const last = await store.last();
    const epochs = new Epochs(options, last);
    const final = await store.lastFinal();
    if (final) epochs.#final = await treeOf(final);
    if (last && isLive(last)) epochs.#live = await treeOf(last);
    return epochs;
  }

  /** When the ledger was read for the last epoch; `undefined` before the first. */
  get snapshotAt(): number | undefined {
    return this.#last?.snapshotAt;
  }

  /** By which all that the ledger holds now is committed at the latest. */
  get ackEpoch(): number {
    return this.#ackEpoch;
  }

  /** The last final one, whose proofs claims are made with. */
  get final(): EpochTree | undefined {
    return this.#final;
  }

  /** The one that is built and not final. */
  get live(): { readonly tree: EpochTree; readonly record: EpochRecord } | undefined {
    return this.#live && this.#last && { tree: this.#live, record: this.#last };
  }

  /** As the vault was when it was last read. */
  get view(): VaultView | undefined {
    return this.#view;
  }

  /** What the vault's transactions say of the root under way. */
  heard(news: RootNews): void {
    const { log, problem } = this.#options;
    if (news.kind === "refused") {
      if (!this.#live) return;
      log.error({ code: "COMMIT_REFUSED", exitCode: news.code }, "the vault refused a commit");
      problem("refused", { exitCode: news.code });
    } else {
      const code = news.kind === "vetoed" ? "ROOT_VETOED" : "ROOT_DISPUTED";
      log.error({ code, at: news.at }, `a pending root was ${news.kind}: find out why before the next one`);
    }
  }

  /** Brings the epochs one step further; a second call while one runs joins it. @throws ChainError */
  step(): Promise<void> {
    this.#running ??= this.#step().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #step(): Promise<void> {
    const view = await this.#options.vault();
    this.#view = view;
    await this.#reached("vault-read");
    this.#ackEpoch = Math.max(this.#ackEpoch, view.lastEpoch + 1);
    await this.#reconcile(view);
    if (!this.#ours(view)) return;
    const last = this.#last;
    if (last?.state === "built" || last?.state === "committing") await this.#commit(last);
    else if (last?.state !== "pending" && view.pendingRoot === undefined && this.#isDue()) {
      await this.#build(view);
    }
  }

  /** What the vault says about the last epoch that this gateway built. */
  async #reconcile(view: VaultView): Promise<void> {
    const last = this.#last;
    if (!last || !isLive(last)) return;
    const { epoch, root } = last;
    const final = view.finalRoot && rootJson(view.finalRoot);
    const pending = view.pendingRoot && rootJson(view.pendingRoot);
    if (final && sameRoot(final, root)) return await this.#becomesFinal(last);
    if (pending && sameRoot(pending, root)) {
      if (last.state === "pending") return;
      await this.#move(last, "pending", { sinceAt: view.pendingSinceAt });
      this.#options.problem("refused", null);
      this.#options.log.info({ epoch, root: root.root }, "an epoch's root is pending");
      await this.#reached("pending");
      return;
    }
    if (pending?.epoch === epoch || final?.epoch === epoch) {
      this.#options.problem("foreign-root", { epoch });
      this.#options.log.error(
        { code: "FOREIGN_ROOT", epoch },
        "the vault has a root under this number that this gateway did not build: have the guardian veto it, and rotate the commit key",
      );
      return await this.#isGone(last, "the vault has another root under its number");
    }
    if (view.lastEpoch >= epoch) {
      this.#options.problem("root-gone", { epoch });
      return await this.#isGone(last, "vetoed or disputed");
    }
  }

  async #becomesFinal(record: EpochRecord): Promise<void> {
    const { tellOwners, problem, log } = this.#options;
    const tree = this.#live as EpochTree;
    await tellOwners("ready", tree, this.#final);
    await this.#reached("owners-told");
    await this.#move(record, "final");
    this.#final = tree;
    this.#live = undefined;
    problem("root-gone", null);
    log.info({ epoch: record.epoch, committedNano: record.root.committedNano }, "an epoch is final");
    await this.#reached("final");
  }

  async #isGone(record: EpochRecord, note: string): Promise<void> {
    await this.#options.tellOwners("stopped", this.#live as EpochTree, this.#final);
    await this.#reached("owners-told");
    await this.#move(record, "gone", { note });
    this.#live = undefined;
    this.#options.log.error(
      { code: "ROOT_GONE", epoch: record.epoch, note },
      "an epoch will not become final",
    );
    await this.#reached("gone");
  }

  /** Whether this gateway's keys are the vault's. */
  #ours(view: VaultView): boolean {
    const { wallet, ackKey, problem } = this.#options;
    const committer = view.committer.equals(wallet.address);
    const acks = view.ackKey.equals(ackKey);
    if (committer && acks) problem("keys", null);
    else problem("keys", { committer: committer ? "ours" : "another", ackKey: acks ? "ours" : "another" });
    return committer && acks;
  }

  #isDue(): boolean {
    const { now, epochMs } = this.#options;
    return this.#last === undefined || now() - this.#last.snapshotAt >= epochMs;
  }

  async #build(view: VaultView): Promise<void> {
    const { ledger, store, files, domain, now, problem, log, wallet } = this.#options;
    const epoch = view.lastEpoch + 1;
    // First this, then the ledger is read: what was acknowledged for this epoch was in the ledger before.
    this.#ackEpoch = Math.max(this.#ackEpoch, epoch + 1);
    const snapshotAt = Math.max(now(), this.#last?.snapshotAt ?? 0);
    const snapshot = await ledger.snapshot();
    await this.#reached("snapshot-taken");
    const tree = new EpochTree(domain, await this.#content(epoch, view, snapshot, snapshotAt));
    if (!grew(tree, view)) return;
    const covered = view.nodesCreditNano + view.ownerDepositNano;
    if (tree.root.committedNano > covered) {
      problem("uncovered", { missingNano: String(tree.root.committedNano - covered) });
      return;
    }
    problem("uncovered", null);
    if ((await wallet.balanceNano()) < 2n * commitNano) {
      problem("committer-empty", { address: wallet.address.toRawString() });
      return;
    }
    problem("committer-empty", null);
    await files.write(epoch, tree);
    await this.#reached("files-written");
    await store.add({ epoch, root: tree.rootJson, snapshotAt });
    this.#last = { epoch, state: "built", root: tree.rootJson, snapshotAt, sinceAt: null, note: null };
    this.#live = tree;
    this.#attempt = 1;
    this.#doneAt = undefined;
    log.info({ ...tree.rootJson }, "an epoch is built");
    await this.#reached("epoch-built");
    await this.#commit(this.#last);
  }

  async #content(
    epoch: number,
    view: VaultView,
    { nodes, clients }: LedgerSnapshot,
    at: number,
  ): Promise<EpochContent> {
    const { store, accounts, heldMs } = this.#options;
    const [payouts, salts] = [
      await store.payouts(),
      await store.salts(clients.map(({ account }) => account)),
    ];
    const leaves = nodes.map((standing, place) => {
      if (standing.index !== place) throw new Error(`the ledger's place ${place} belongs to nobody`);
      const account = accounts.of(standing.node, payouts.get(standing.node) ?? "");
      if (account === null) return undefined;
      const free = standing.cumulativeNano - heldNano(standing, at, heldMs);
      const before = this.#final?.earnedNano(place) ?? 0n;
      return { account, earned: free > before ? free : before, units: BigInt(standing.units) };
    });
    return {
      epoch,
      leaves,
      clients: clients.map(({ account, chargedNano }) => ({
        salt: Buffer.from(salts.get(account) ?? "", "hex"),
        account: Buffer.from(clientName(account), "hex"),
        amount: chargedNano,
      })),
      units: nodes.reduce((sum, { units }) => sum + BigInt(units), 0n),
      requests: nodes.reduce((sum, { n }) => sum + BigInt(n), 0n),
      depth: view.finalRoot?.depth ?? 0,
    };
  }

  async #commit(record: EpochRecord): Promise<void> {
    const { wallet, domain, pushProofs, now, log } = this.#options;
    const { epoch, root } = record;
    if (this.#pushed !== epoch) {
      await pushProofs(this.#live as EpochTree);
      this.#pushed = epoch;
      await this.#reached("proofs-pushed");
    }
    if (record.state === "built") {
      await this.#move(record, "committing");
      await this.#reached("committing");
    }
    const body = vaultMessages.commitEpoch(rootOf(root));
    const status = await wallet.advance(`commit:${epoch}:${this.#attempt}`, () => [
      internal({ to: domain.vault, value: commitNano, bounce: true, body }),
    ]);
    await this.#reached("commit-sent");
    if (status.state !== "done") return;
    // The wallet has sent it; a second one of the same number is refused, so sending again is safe.
    this.#doneAt ??= now();
    if (now() - this.#doneAt < arrivalMs) return;
    log.error(
      { code: "COMMIT_LOST", epoch, hash: status.hash },
      "a commit has not arrived: it is sent again",
    );
    this.#attempt++;
    this.#doneAt = undefined;
  }

  async #move(
    record: EpochRecord,
    state: EpochRecord["state"],
    detail: { sinceAt?: number; note?: string } = {},
  ): Promise<void> {
    await this.#options.store.move(record.epoch, state, detail);
    this.#last = { ...record, state, ...detail };
  }

  async #reached(step: EpochStep): Promise<void> {
    await this.#options.reached?.(step);
  }

  /** A node's proofs: into the final root, then into the one under way. */
  proofsOf(index: number): NodeProofJson[] {
    return [this.#final, this.#live].flatMap((tree) => tree?.nodeProof(index) ?? []);
  }
}

const isLive = ({ state }: EpochRecord): boolean => state !== "final" && state !== "gone";

/** Whether the vault would learn anything from it. */
const grew = ({ root }: EpochTree, { finalRoot }: VaultView): boolean =>
  finalRoot === undefined
    ? root.requests > 0n
    : root.committedNano > finalRoot.committedNano ||
      root.units > finalRoot.units ||
      root.requests > finalRoot.requests;
