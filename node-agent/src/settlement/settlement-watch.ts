import type { NodeAccount } from "@bombyx/contracts/node-account";
import type { EpochRoot } from "@bombyx/contracts/vault-messages";
import { BombyxError, type NodeProofJson } from "@bombyx/protocol/wire";
import { Address } from "@ton/core";
import type { Clock } from "../clock.ts";
import type { NodeLog } from "../log.ts";
import { type DisputeWallet, disputeFundsNano, disputeLeastNano } from "./dispute-wallet.ts";
import { keptIndex, keptProof, proofFor } from "./final-proof.ts";
import { contradiction, type Evidence, type Shown } from "./judge-root.ts";
import type { KeptEvidence } from "./kept-evidence.ts";
import { fetchShown } from "./leaf-file.ts";
import { folds, type NodeProof, proofJson, readProof, rootId } from "./node-proof.ts";
import { disputeOrder, orderFile, shown as shownAddress } from "./orders.ts";
import type { ServeGate } from "./serve-gate.ts";
import type { SettlementStatus } from "./settlement-status.ts";
import type { VaultPin } from "./vault-pin.ts";
import type { ChainReader } from "./vault-reader.ts";

/** A pending root without a proof for this node is served under for half of the time that it has to be disputed. */
export const unprovenMs = 12 * 3_600_000;
/** A dispute that did not show on chain by then is sent once more. */
const disputeAgainMs = 3 * 60_000;
const disputesMost = 5;

export interface WatchOptions {
  readonly gateway: string;
  readonly pin: VaultPin;
  readonly account: NodeAccount;
  readonly chain: ChainReader;
  readonly evidence: KeptEvidence;
  readonly wallet: DisputeWallet;
  readonly gate: ServeGate;
  readonly clock: Clock;
  readonly log: NodeLog;
  readonly fetch: typeof fetch;
  /** Keeps a dispute as a message that any wallet can send. */
  readonly keepOrder: (order: object) => Promise<void>;
  readonly onStatus: (status: SettlementStatus) => void;
  /** After each look, and when a proof came: what is final may have grown. */
  readonly onLooked: () => void;
}

interface Dispute {
  readonly id: string;
  readonly epoch: number;
  sentAt: number;
  sent: number;
}

/**
 * Looks at the vault by itself (SETTLEMENT "Contracts" 2, "Acks"): what is final is kept with its proof, a pending root is
 * compared with what this node was promised, and one that contradicts it is disputed.
 */
export class SettlementWatch {
  readonly #options: WatchOptions;
  readonly #vault: Address;
  #looking: Promise<void> | undefined;
  #again = false;
  #closed = false;
  #lookedAt: number;
  /** What each pending root has at this node's index; a root is asked for once. */
  #shown: { readonly id: string; readonly shown: Shown } | undefined;
  #dispute: Dispute | undefined;
  /** The last root that was seen to take from this node. */
  #unfair: { readonly id: string; readonly epoch: number } | undefined;
  #toldProven: string | undefined;
  #toldUnfunded = false;
  #stop: (() => void) | undefined;

  constructor(options: WatchOptions) {
    this.#options = options;
    this.#vault = Address.parse(options.pin.vault);
    this.#lookedAt = options.clock.monotonicMs();
  }

  start(everyMs: number): void {
    this.#stop = this.#options.clock.every(everyMs, () => void this.look());
    void this.look();
  }

  close(): void {
    this.#closed = true;
    this.#stop?.();
  }

  /** Looks now, and once more after a look that is under way; never rejects. */
  look(): Promise<void> {
    if (this.#looking !== undefined) {
      this.#again = true;
      return this.#looking;
    }
    this.#looking = this.#lookUntilDone().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #lookUntilDone(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#lookOnce();
        this.#lookedAt = this.#options.clock.monotonicMs();
        this.#options.gate.set("chain", undefined);
      } catch (error) {
        this.#onFailure(error);
      }
      this.#options.onLooked();
    } while (this.#again && !this.#closed);
  }

  #onFailure(error: unknown): void {
    const { clock, gate, log } = this.#options;
    const code = error instanceof BombyxError ? error.code : "INTERNAL";
    log.warn("settlement.unseen", { code });
    if (clock.monotonicMs() - this.#lookedAt < unprovenMs) return;
    gate.set(
      "chain",
      "The vault could not be read for 12 hours, so nobody looks after what this node earns. Compare --chain-endpoints.",
    );
  }

  /**
   * Takes a proof that the gateway pushed; resolves when it is on disk.
   * @returns why it was not taken
   */
  async take(json: NodeProofJson): Promise<"index" | "fold" | "format" | undefined> {
    const { account, evidence, log } = this.#options;
    const index = keptIndex(this.#options.evidence);
    if (index !== undefined && json.leaf.index !== index) return "index";
    let proof: NodeProof;
    try {
      proof = readProof(json, account.address);
      if (!folds(this.#domain, json.leaf.index, proof.leaf, proof.path, proof.root)) return "fold";
    } catch {
      return "format";
    }
    // One that is below what was promised is kept as well: it is half of a dispute.
    const lacks = contradiction(proof.root, leafShown(proof), account.address, {
      final: undefined,
      acks: evidence.acks,
    });
    if (lacks) log.error("proof.low", { epoch: json.root.epoch, code: lacks.kind });
    await evidence.keepProof(json);
    void this.look();
    return undefined;
  }

  get #domain() {
    return { globalId: this.#options.pin.globalId, vault: this.#vault };
  }

  async #lookOnce(): Promise<void> {
    const { chain, pin, gate, account, evidence } = this.#options;
    const { view, at } = await chain.vault(this.#vault);
    const onChain = view.ackKey.toString("hex");
    gate.set(
      "ack-key",
      onChain === pin.ackPk
        ? undefined
        : "The vault's ack key is no longer the one that this gateway signs with: its Acks could not be disputed. It is compared again with the next link.",
    );
    const index = keptIndex(this.#options.evidence);
    if (view.finalRoot) await this.#onFinal(view.finalRoot, at);
    const { pendingRoot } = view;
    if (!pendingRoot) {
      this.#onNothingPending(view.finalRoot);
      return;
    }
    const id = rootId(pendingRoot);
    const found = index === undefined ? undefined : await this.#find(id, pendingRoot, index);
    if (index !== undefined && found === undefined) {
      gate.set(
        "unproven",
        at - view.pendingSinceAt >= unprovenMs
          ? `For 12 hours the gateway has shown no proof for the pending root of epoch ${pendingRoot.epoch}. Claim what is final before it replaces the final root: bombyx-node claim.`
          : undefined,
      );
      return;
    }
    gate.set("unproven", undefined);
    if (index === undefined || found === undefined) return;
    const final = this.#finalProof(view.finalRoot);
    const against = contradiction(pendingRoot, found, account.address, { final, acks: evidence.acks });
    if (against === undefined) {
      gate.set("contradicted", undefined);
      this.#onFair(id, pendingRoot, found);
      return;
    }
    this.#unfair = { id, epoch: pendingRoot.epoch };
    gate.set(
      "contradicted",
      `The operator committed a root that takes earnings of this node away (epoch ${pendingRoot.epoch}). It is disputed on chain; nothing more is served to this gateway before it is gone.`,
    );
    await this.#send(id, pendingRoot, index, found, against, at);
  }

  /** What the pending tree has at our index: by the gateway's push, else by the published file; undefined without both. */
  async #find(id: string, root: EpochRoot, index: number): Promise<Shown | undefined> {
    if (this.#shown?.id === id) return this.#shown.shown;
    const { gateway, fetch, log, account, evidence } = this.#options;
    const pushed = keptProof(root, account, evidence);
    try {
      const shown: Shown = pushed
        ? leafShown(pushed)
        : await fetchShown(gateway, this.#domain, root, index, fetch);
      this.#shown = { id, shown };
      return shown;
    } catch (error) {
      log.warn("leaves.unavailable", {
        epoch: root.epoch,
        code: error instanceof BombyxError ? error.code : "INTERNAL",
      });
      return undefined;
    }
  }

  #finalProof(finalRoot: EpochRoot | undefined): NodeProof | undefined {
    const { account, evidence } = this.#options;
    if (!finalRoot || !evidence.finalProof) return undefined;
    const proof = readProof(evidence.finalProof, account.address);
    return rootId(proof.root) === rootId(finalRoot) ? proof : undefined;
  }

  async #onFinal(root: EpochRoot, at: number): Promise<void> {
    const { account, evidence, gateway, fetch, log, onStatus } = this.#options;
    if (this.#finalProof(root) || keptIndex(evidence) === undefined) return;
    const proof = await proofFor(root, this.#domain, account, evidence, { gateway, fetch });
    if (!proof) {
      log.warn("final.unproven", { epoch: root.epoch });
      return;
    }
    await evidence.keepFinal(proofJson(proof), at);
    onStatus({ state: "final", epoch: root.epoch, earnedNano: proof.leaf.earned });
  }

  #onFair(id: string, root: EpochRoot, shown: Shown): void {
    if (this.#toldProven === id || shown.at !== "leaf" || !shown.leaf) return;
    this.#toldProven = id;
    const { evidence, onStatus, account } = this.#options;
    if (!shown.leaf.account.equals(account.address)) return;
    void evidence.keepProof(proofJson({ root, leaf: shown.leaf, path: shown.path })).catch(() => undefined);
    onStatus({ state: "proven", epoch: root.epoch, earnedNano: shown.leaf.earned });
  }

  #onNothingPending(final: EpochRoot | undefined): void {
    const { gate, onStatus } = this.#options;
    gate.set("unproven", undefined);
    this.#shown = undefined;
    if (final && this.#unfair?.id === rootId(final)) {
      gate.set(
        "contradicted",
        `The root of epoch ${this.#unfair.epoch}, which takes earnings of this node away, has become final: no dispute got through in 24 hours. Nothing more is served to this gateway; the Acks of the state folder say what it owes.`,
      );
      return;
    }
    gate.set("contradicted", undefined);
    if (!this.#dispute) return;
    onStatus({ state: "upheld", epoch: this.#dispute.epoch });
    this.#dispute = undefined;
  }

  async #send(
    id: string,
    root: EpochRoot,
    index: number,
    shown: Shown,
    against: Evidence,
    at: number,
  ): Promise<void> {
    const { chain, wallet, pin, keepOrder, onStatus, log } = this.#options;
    const before = this.#dispute?.id === id ? this.#dispute : undefined;
    if (before && (before.sent >= disputesMost || at - before.sentAt < disputeAgainMs)) return;
    const order = disputeOrder(this.#vault, index, shown, against);
    // Whoever has a wallet can send it, too: its owner, or anybody who is asked.
    await keepOrder(orderFile("dispute", pin.globalId, order));
    if ((await chain.balanceNano(wallet.address)) < disputeLeastNano) {
      if (this.#toldUnfunded) return;
      this.#toldUnfunded = true;
      onStatus({
        state: "unfunded",
        wallet: shownAddress(wallet.address, pin.globalId, false),
        neededNano: disputeFundsNano,
      });
      return;
    }
    this.#toldUnfunded = false;
    const seqno = await chain.seqno(wallet.address);
    await chain.send(wallet.signed(order, seqno, at + disputeAgainMs));
    this.#dispute = { id, epoch: root.epoch, sentAt: at, sent: (before?.sent ?? 0) + 1 };
    log.warn("root.disputed", { epoch: root.epoch, code: against.kind, attempt: this.#dispute.sent });
    if (!before) onStatus({ state: "disputed", epoch: root.epoch, evidence: against.kind });
  }
}

const leafShown = ({ leaf, path }: NodeProof): Shown => ({ at: "leaf", leaf, path });
