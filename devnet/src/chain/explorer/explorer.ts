import { ClientChannel } from "@bombyx/contracts/client-channel";
import { NodeAccount } from "@bombyx/contracts/node-account";
import type { VaultView } from "@bombyx/contracts/vault";
import { unpackEpochRoot, vaultOps } from "@bombyx/contracts/vault-messages";
import { Address, type Message } from "@ton/core";
import type { TonClient } from "@ton/ton";
import type { Settlement } from "../settlement/deploy.ts";
import { clientInProcess } from "../ton/client.ts";
import type { LocalTon } from "../ton/local-ton.ts";
import type { StoredTransaction } from "../ton/store.ts";
import { transactionIn } from "../ton/toncenter/answers.ts";
import { gram } from "./gram.ts";
import { type NameParty, parties, refusalWords } from "./parties.ts";
import type { AccountReport, EpochReport, Overview, Step, Waiting } from "./report.ts";
import { tellMessage } from "./tell-message.ts";

const recentAtMost = 30;
const stepsAtMost = 200;
const dayMs = 24 * 3_600_000;
const newest = Number.MAX_SAFE_INTEGER;

/** Reads the chain for people. */
export class Explorer {
  readonly ton: LocalTon;
  readonly #settlement: Settlement;
  readonly #client: TonClient;
  readonly #name: NameParty;

  constructor(ton: LocalTon, settlement: Settlement) {
    this.ton = ton;
    this.#settlement = settlement;
    this.#client = clientInProcess(ton);
    this.#name = parties(ton, settlement);
  }

  async overview(): Promise<Overview> {
    const { ton } = this;
    const vault = await this.#client.open(this.#settlement.vault).getVault();
    return {
      seqno: ton.seqno(),
      time: ton.time(),
      skippedMs: ton.skippedMs,
      blockDelay: ton.blockDelay,
      transactions: ton.transactions.count(),
      vault: [
        ["nodes' share", String(vault.nodesCreditNano)],
        ["paid to nodes", String(vault.paidNano)],
        ["operator's fee", String(vault.feeDueNano)],
        ["operator's deposit", String(vault.ownerDepositNano)],
      ],
      accounts: await Promise.all(ton.addresses().map((address) => this.account(address))),
      epochs: this.#epochs(vault),
      recent: [
        ...this.#waitingOutside(),
        ...ton.transactions.roots(recentAtMost).map((root) => this.#step(root)),
      ],
    };
  }

  async account(address: Address): Promise<AccountReport> {
    const party = this.#name(address);
    return {
      party,
      balanceNano: String(this.ton.balance(address)),
      state: this.ton.account(address)?.storage.state.type ?? "nothing there",
      facts: await this.#facts(address, party.kind),
    };
  }

  /** Newest first: what an account took in, with all that came of it. */
  history(address: Address): (Step | Waiting)[] {
    const waiting = this.ton
      .pending()
      .filter(({ message }) => message.info.type !== "external-out" && message.info.dest.equals(address))
      .map(({ message, due }) => this.#waiting(message, due));
    const found = this.ton.transactions.transactionsOf(address.toRawString(), newest, 0, recentAtMost);
    return [...waiting, ...found.map((one) => this.#step(one))];
  }

  /** The whole tree that a transaction belongs to. @param hash of any of it, or of the message that began it; hex */
  tree(hash: string): Step | undefined {
    let found = this.ton.transactions.byHash(hash);
    if (!found) return undefined;
    for (let up: StoredTransaction | undefined = found; up?.source; ) {
      up = this.ton.transactions.sourceOf(up.source, up.createdLt);
      if (up) found = up;
    }
    return this.#step(found);
  }

  async #facts(address: Address, kind: string): Promise<AccountReport["facts"]> {
    if (kind === "channel") {
      const view = await this.#client.open(new ClientChannel(address)).getChannel();
      return [
        ["state", view.state],
        ["redeemed", gram(view.redeemedNano)],
        ["owner", view.owner.toString()],
        ...(view.closesAt === undefined ? [] : [["closes", new Date(view.closesAt).toISOString()] as const]),
      ];
    }
    if (kind === "node-account") {
      const view = await this.#client.open(new NodeAccount(address)).getAccount();
      return [
        ["claimed", gram(view.claimedNano)],
        ["owner", view.owner.toString()],
        ["node", view.nodeId.toString(16).padStart(64, "0")],
      ];
    }
    return [];
  }

  #epochs(vault: VaultView): EpochReport[] {
    const commits = this.ton.transactions
      .transactionsOf(this.#settlement.vault.address.toRawString(), newest, 0, 1_000)
      .flatMap((stored) => {
        const transaction = transactionIn(stored);
        const body = transaction.inMessage?.body.beginParse();
        if (!body || body.remainingBits < 96 || body.remainingRefs < 1) return [];
        if (body.loadUint(32) !== vaultOps.commitEpoch || refusalWords(transaction) !== undefined) return [];
        return [{ stored, root: unpackEpochRoot(body.loadRef()) }];
      });
    const latest = new Map<number, Uint8Array>();
    for (const { root } of commits) if (!latest.has(root.epoch)) latest.set(root.epoch, root.root);
    return commits.map(({ stored, root }): EpochReport => {
      const isPending = vault.pendingRoot?.epoch === root.epoch && equal(vault.pendingRoot?.root, root.root);
      const isFinal =
        vault.finalRoot !== undefined &&
        root.epoch <= vault.finalRoot.epoch &&
        equal(latest.get(root.epoch), root.root);
      return {
        epoch: root.epoch,
        committedNano: String(root.committedNano),
        units: String(root.units),
        requests: String(root.requests),
        root: Buffer.from(root.root).toString("hex"),
        at: stored.utime * 1_000,
        hash: stored.hash,
        state: isPending ? "pending" : isFinal ? "final" : "stopped",
        finalAt: isPending ? vault.pendingSinceAt + dayMs : undefined,
      };
    });
  }

  #waitingOutside(): Waiting[] {
    return this.ton
      .pending()
      .filter(({ message }) => message.info.type === "external-in")
      .map(({ message, due }) => this.#waiting(message, due));
  }

  #waiting(message: Message, due: number): Waiting {
    const { info } = message;
    if (info.type === "external-out") throw new TypeError("nobody on this chain waits for that");
    return {
      waiting: true,
      due,
      to: this.#name(info.dest),
      from: info.type === "internal" ? this.#name(info.src) : undefined,
      valueNano: String(info.type === "internal" ? info.value.coins : 0n),
      told: tellMessage(message),
    };
  }

  #step(stored: StoredTransaction, left = { steps: stepsAtMost }): Step {
    left.steps--;
    const transaction = transactionIn(stored);
    const message = transaction.inMessage;
    const inner = message?.info.type === "internal" ? message.info : undefined;
    const next = transaction.outMessages.values().flatMap((out): (Step | Waiting)[] => {
      if (out.info.type !== "internal" || left.steps <= 0) return [];
      const arrived = this.ton.transactions.resultOf(stored.account, Number(out.info.createdLt));
      if (arrived) return [this.#step(arrived, left)];
      return [this.#waiting(out, this.#dueOf(out, stored))];
    });
    return {
      hash: stored.hash,
      lt: stored.lt,
      seqno: stored.seqno,
      at: stored.utime * 1_000,
      account: this.#name(Address.parseRaw(stored.account)),
      from: inner && this.#name(inner.src),
      valueNano: String(inner?.value.coins ?? 0n),
      told: message ? tellMessage(message) : { title: "Transaction", facts: [] },
      feeNano: String(transaction.totalFees.coins),
      refused: refusalWords(transaction),
      next,
    };
  }

  #dueOf(out: Message, stored: StoredTransaction): number {
    const { info } = out;
    const waiting = this.ton
      .pending()
      .find(
        ({ message }) =>
          message.info.type === "internal" &&
          info.type === "internal" &&
          message.info.createdLt === info.createdLt &&
          message.info.src.equals(info.src),
      );
    return waiting?.due ?? stored.seqno;
  }
}

const equal = (a: Uint8Array | undefined, b: Uint8Array): boolean =>
  a !== undefined && Buffer.from(a).equals(b);
