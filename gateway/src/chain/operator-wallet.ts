import {
  type Address,
  beginCell,
  Cell,
  external,
  type MessageRelaxed,
  SendMode,
  storeMessage,
  type Transaction,
} from "@ton/core";
import { type KeyPair, keyPairFromSeed } from "@ton/crypto";
import { WalletContractV5R1 } from "@ton/ton";
import { ChainError } from "./chain-error.ts";
import { externalHash } from "./external-hash.ts";
import type { Place, TonEndpoints } from "./ton-endpoints.ts";

/** A message from outside that was signed for an order; kept before it is sent. */
export interface SignedOrder {
  /** Whose, what for: `commit:12`. */
  readonly id: string;
  readonly seqno: number;
  /** Bag of cells, as it goes to the chain. */
  readonly boc: Uint8Array;
  /** Normalised hash (TEP-467), hex. */
  readonly hash: string;
  readonly validUntilAt: number;
  /** `lapsed`: another message took its seqno; it can never be applied, and the order is signed anew. */
  readonly state: "sent" | "done" | "lapsed";
}

/** Where a wallet's orders outlive the process; every promise resolves when it is on the disk. */
export interface OrderBook {
  find(wallet: string, id: string): Promise<SignedOrder | undefined>;
  /** The one whose fate is not known yet, if any. */
  underWay(wallet: string): Promise<SignedOrder | undefined>;
  /** Keeps an order, in place of an earlier one of the same id. */
  keep(wallet: string, order: SignedOrder): Promise<void>;
}

export type OrderStatus =
  /** Another order of this wallet is under way. */
  | { readonly state: "waiting" }
  | { readonly state: "sent"; readonly hash: string }
  /** The wallet took it. What it ordered leaves only when the wallet has the money: look at where it should arrive. */
  | { readonly state: "done"; readonly hash: string };

export interface OperatorWalletOptions {
  readonly endpoints: TonEndpoints;
  readonly orders: OrderBook;
  /** Ed25519 seed, 32 bytes. */
  readonly seed: Buffer;
  /** -239 mainnet, -3 testnet; part of what is signed. */
  readonly globalId: number;
  /** ms since epoch. */
  readonly now: () => number;
}

interface Standing {
  readonly deployed: boolean;
  readonly seqno: number;
  readonly last: Place | null;
}

const validMs = 300_000;
/** Transactions among which a sent message is looked for. */
const looked = 50;

/**
 * A wallet V5R1 of the operator's. An order is signed once, kept, and then sent as often as needed: the wallet's seqno
 * lets the chain apply it once at most, whatever is killed in between. Orders go one after the other.
 */
export class OperatorWallet {
  readonly #options: OperatorWalletOptions;
  readonly #keys: KeyPair;
  readonly #wallet: WalletContractV5R1;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(options: OperatorWalletOptions) {
    this.#options = options;
    this.#keys = keyPairFromSeed(options.seed);
    this.#wallet = WalletContractV5R1.create({
      publicKey: this.#keys.publicKey,
      walletId: { networkGlobalId: options.globalId },
    });
  }

  get address(): Address {
    return this.#wallet.address;
  }

  /** @throws ChainError */
  async balanceNano(): Promise<bigint> {
    return (await this.#options.endpoints.account(this.address)).balanceNano;
  }

  /**
   * Brings an order one step further: signs it, sends it (again), or finds it on the chain. Call it with the same id
   * until it is done; what it orders is looked at only when it is signed. Idempotent.
   * @throws ChainError when no two endpoints agree about the wallet
   */
  advance(id: string, make: () => readonly MessageRelaxed[]): Promise<OrderStatus> {
    const step = this.#turn.then(() => this.#advance(id, make));
    this.#turn = step.catch(() => undefined);
    return step;
  }

  async #advance(id: string, make: () => readonly MessageRelaxed[]): Promise<OrderStatus> {
    const { orders } = this.#options;
    const wallet = this.address.toRawString();
    const known = await orders.find(wallet, id);
    if (known?.state === "done") return { state: "done", hash: known.hash };
    const other = await orders.underWay(wallet);
    if (other !== undefined && other.id !== id) {
      await this.#follow(other);
      return { state: "waiting" };
    }
    if (known?.state === "sent") {
      const status = await this.#follow(known);
      if (status !== undefined) return status;
    }
    const signed = await this.#sign(id, make());
    await orders.keep(wallet, signed);
    await this.#send(signed);
    return { state: "sent", hash: signed.hash };
  }

  /** What became of a sent order; `undefined` when it can never be applied any more. */
  async #follow(order: SignedOrder): Promise<OrderStatus | undefined> {
    const { orders, now } = this.#options;
    const wallet = this.address.toRawString();
    const { seqno, last } = await this.#standing();
    if (seqno <= order.seqno) {
      // A new one has the same seqno, so that the two can never both be applied, whatever the chain's clock says.
      if (now() > order.validUntilAt) return await this.#lapse(order);
      await this.#send(order);
      return { state: "sent", hash: order.hash };
    }
    const found = await this.#find(order.hash, last);
    if (found === undefined) return await this.#lapse(order);
    await orders.keep(wallet, { ...order, state: "done" });
    return { state: "done", hash: order.hash };
  }

  async #lapse(order: SignedOrder): Promise<undefined> {
    await this.#options.orders.keep(this.address.toRawString(), { ...order, state: "lapsed" });
  }

  async #sign(id: string, messages: readonly MessageRelaxed[]): Promise<SignedOrder> {
    const { deployed, seqno } = await this.#standing();
    const validUntilAt = this.#options.now() + validMs;
    const body: Cell = this.#wallet.createTransfer<{
      seqno: number;
      timeout: number;
      secretKey: Buffer;
      authType: "external";
    }>({
      seqno,
      secretKey: this.#keys.secretKey,
      authType: "external",
      sendMode: SendMode.PAY_GAS_SEPARATELY | SendMode.IGNORE_ERRORS,
      timeout: Math.floor(validUntilAt / 1_000),
      messages: [...messages],
    });
    const init = deployed ? undefined : this.#wallet.init;
    const message = external({ to: this.address, body, ...(init && { init }) });
    const boc = beginCell().store(storeMessage(message)).endCell().toBoc();
    return { id, seqno, boc, hash: externalHash(message), validUntilAt, state: "sent" };
  }

  /** Not taken now is no news: the next step sees what became of it. */
  async #send({ boc }: SignedOrder): Promise<void> {
    try {
      await this.#options.endpoints.send(boc);
    } catch (error) {
      if (!(error instanceof ChainError)) throw error;
    }
  }

  async #standing(): Promise<Standing> {
    const { state, data, last } = await this.#options.endpoints.account(this.address);
    if (state !== "active" || data === null) return { deployed: false, seqno: 0, last };
    // A V5R1's data begins with whether signatures are allowed, then its seqno.
    const [cell] = Cell.fromBoc(data);
    const seqno = cell?.beginParse().skip(1).loadUint(32) ?? 0;
    return { deployed: true, seqno, last };
  }

  /** The wallet's transaction that a message from outside began, as two endpoints that are not behind `last` have it. */
  #find(hash: string, last: Place | null): Promise<Transaction | undefined> {
    return this.#options.endpoints.agree(
      `orders of ${this.address.toRawString()}`,
      async (client) => {
        const recent = await client.getTransactions(this.address, { limit: looked });
        if (last !== null && !recent.some(({ lt }) => lt >= last.lt)) throw new Error("is behind");
        return recent.find(
          ({ inMessage }) => inMessage?.info.type === "external-in" && externalHash(inMessage) === hash,
        );
      },
      (transaction) => transaction?.hash().toString("hex") ?? "none",
    );
  }
}
