import { BombyxError, limits, type NodeProofJson } from "@bombyx/protocol/wire";
import { Address } from "@ton/core";
import type { Clock } from "../clock.ts";
import type { AckTerms } from "../link/ack-book.ts";
import type { NodeLog } from "../log.ts";
import type { StateDirectory } from "../state/state-directory.ts";
import type { SignedAck } from "./ack-cell.ts";
import { DisputeWallet } from "./dispute-wallet.ts";
import { gramText } from "./gram.ts";
import { KeptEvidence } from "./kept-evidence.ts";
import { shown } from "./orders.ts";
import { nowhere, payoutAccount } from "./payout-account.ts";
import { ServeGate } from "./serve-gate.ts";
import type { SettlementStatus } from "./settlement-status.ts";
import { SettlementWatch } from "./settlement-watch.ts";
import { fetchTerms, pinVault, readVaultAddress, type VaultPin } from "./vault-pin.ts";
import type { ChainReader } from "./vault-reader.ts";

/** What an owner says about his money. */
export interface SettlementOptions {
  /** The chain by endpoints that the gateway's operator does not run. */
  readonly chain: ChainReader;
  /** The vault that pays this node, raw or friendly. @default the one that the gateway names at first, fixed from then on */
  readonly vault?: string;
  /** Not-final earnings at which the node stops serving. @default 10 GRAM where something is settled on chain */
  readonly maxUnpaidNano?: bigint;
  /** How often the vault is looked at. @default 60 s */
  readonly watchEveryMs?: number;
  /** For the gateway's own pages. @default the global one */
  readonly fetch?: typeof fetch;
}

/** About two days of a busy GPU; SETTLEMENT: what an owner can lose is the limit that he set. */
export const defaultMaxUnpaidNano = 10_000_000_000n;
const defaultWatchEveryMs = 60_000;

interface Parts {
  readonly gateway: string;
  /** Node id, hex. */
  readonly node: string;
  /** The owner's wallet as the node says it to the gateway. */
  readonly payout: string;
  readonly state: StateDirectory;
  readonly clock: Clock;
  readonly log: NodeLog;
  readonly onStatus: (status: SettlementStatus) => void;
}

/** The node's side of settlement: which vault pays it, what it was promised and shown, and whether it serves on. */
export class NodeSettlement {
  readonly #parts: Parts;
  readonly #options: SettlementOptions | undefined;
  readonly #evidence: KeptEvidence;
  readonly gate = new ServeGate();
  #watch: SettlementWatch | undefined;
  #watched: VaultPin | undefined;
  #waiting = 0;
  #closed = false;

  private constructor(parts: Parts, options: SettlementOptions | undefined, evidence: KeptEvidence) {
    this.#parts = parts;
    this.#options = options;
    this.#evidence = evidence;
    this.gate.onChange((hold) => parts.onStatus(hold ? { state: "held", ...hold } : { state: "serving" }));
  }

  /** @param options without them, only a gateway that settles nothing on chain is served. @throws BombyxError INTERNAL when what is kept is damaged */
  static async open(parts: Parts, options: SettlementOptions | undefined): Promise<NodeSettlement> {
    return new NodeSettlement(parts, options, await KeptEvidence.open(parts.state, parts.node));
  }

  get evidence(): KeptEvidence {
    return this.#evidence;
  }

  /**
   * What the Acks of this link must name; asked with each link, since a gateway may have changed meanwhile.
   * @param ackPk the key that the link named, hex
   * @throws BombyxError VAULT_MISMATCH for good; ACK_KEY_UNKNOWN, CHAIN_UNAVAILABLE or GATEWAY_UNREACHABLE for now
   */
  async terms(ackPk: string): Promise<AckTerms> {
    const nothing = { globalId: 0, vault: nowhere, account: nowhere, ackPk };
    if (this.#options === undefined) return nothing;
    const { chain, vault } = this.#options;
    const { gateway, node, payout } = this.#parts;
    const pinned = this.#evidence.pin;
    const terms = await fetchTerms(gateway, this.#options.fetch ?? fetch);
    const given = vault === undefined ? undefined : readVaultAddress(vault);
    const pin = await pinVault({ terms, ackPk, pinned, given }, chain);
    if (pin === undefined) return nothing;
    const fresh = pinned === undefined;
    if (pin !== pinned) await this.#evidence.keepPin({ ...pin, node, payout });
    const address = Address.parse(pin.vault);
    const account = payoutAccount(address, node, payout);
    await this.#watchOver(pin);
    this.#parts.onStatus({
      state: "vault",
      vault: shown(address, pin.globalId),
      account: account && shown(account.address, pin.globalId),
      fresh,
    });
    return {
      globalId: pin.globalId,
      vault: address.hash.toString("hex"),
      account: account?.address.hash.toString("hex") ?? nowhere,
      ackPk,
    };
  }

  /** Resolves when the Ack, or a newer one, is on disk. */
  async acknowledged(signed: SignedAck): Promise<void> {
    await this.#evidence.keepAck(signed);
    this.#weigh();
  }

  /** Final receipts that wait for an Ack. */
  waiting(count: number): void {
    if (count === this.#waiting) return;
    this.#waiting = count;
    this.gate.set(
      "unacknowledged",
      count >= limits.unacknowledgedReceipts
        ? `The gateway has not acknowledged ${limits.unacknowledgedReceipts} receipts; nothing is served before it does.`
        : undefined,
    );
  }

  async proof(json: NodeProofJson): Promise<void> {
    if (!this.#watch) return;
    const refusal = await this.#watch.take(json);
    if (refusal === undefined) return;
    this.#parts.log.error("proof.refused", { epoch: json.root.epoch, code: refusal });
    const message = `a proof of the gateway for epoch ${json.root.epoch} does not hold (${refusal}); another is waited for.`;
    this.#parts.onStatus({ state: "trouble", message });
  }

  /** Looks at the chain now. */
  async look(): Promise<void> {
    await this.#watch?.look();
  }

  close(): void {
    this.#closed = true;
    this.#watch?.close();
  }

  async #watchOver(pin: VaultPin): Promise<void> {
    if (this.#options === undefined || this.#watched?.ackPk === pin.ackPk || this.#closed) return;
    const { gateway, node, payout, state, clock, log, onStatus } = this.#parts;
    const account = payoutAccount(Address.parse(pin.vault), node, payout);
    // Nothing can be claimed without a wallet, so nothing needs to be watched either.
    if (account === undefined) return;
    const wallet = await DisputeWallet.open(state, pin.globalId);
    this.#watch?.close();
    this.#watched = pin;
    this.#watch = new SettlementWatch({
      gateway,
      pin,
      account,
      chain: this.#options.chain,
      evidence: this.#evidence,
      wallet,
      gate: this.gate,
      clock,
      log,
      fetch: this.#options.fetch ?? fetch,
      keepOrder: (order) => state.keep("dispute.json", order),
      onStatus,
      onLooked: () => this.#weigh(),
    });
    this.#watch.start(this.#options.watchEveryMs ?? defaultWatchEveryMs);
    this.#weigh();
  }

  /** SETTLEMENT "Acks": not-final earnings against the owner's own limit. */
  #weigh(): void {
    const limit = this.#options?.maxUnpaidNano ?? (this.#watch ? defaultMaxUnpaidNano : undefined);
    const last = this.#evidence.lastAck;
    if (limit === undefined || last === undefined) return;
    const unpaid = BigInt(last.cumulativeNano) - BigInt(this.#evidence.finalProof?.leaf.earnedNano ?? 0);
    this.gate.set(
      "unpaid",
      unpaid >= limit
        ? `${gramText(unpaid)} GRAM are earned and not final, and --max-unpaid is ${gramText(limit)}. The node serves again when an epoch becomes final.`
        : undefined,
    );
  }
}

/** Whether a refusal of {@link NodeSettlement.terms} holds however often one asks. */
export const isForGood = (error: unknown): boolean =>
  error instanceof BombyxError && error.code === "VAULT_MISMATCH";
