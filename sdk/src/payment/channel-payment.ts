import { BombyxError, type Channel, type ClosingApproval, type SignedReceipt } from "@bombyx/protocol/wire";
import type { GatewayOptions } from "../gateway/gateway-http.ts";
import { delay } from "../session/abortable.ts";
import { ChannelDoor } from "./channel-door.ts";
import type { OwnReceipt } from "./own-receipts.ts";
import type { Payment } from "./payment.ts";
import type { ExpectedCharge } from "./signer-state.ts";
import type { ChargeName, VoucherSigner } from "./voucher-signer.ts";

export interface ChannelPaymentOptions {
  /**
   * Told of every receipt that was checked: what is kept of them lets a lost store go on, see `totalOf`. Awaited
   * before the receipt counts.
   */
  readonly journal?: (receipt: OwnReceipt) => void | Promise<void>;
  /** What went wrong while nobody waited for it. */
  readonly onError?: (error: unknown) => void;
}

/** A voucher that nothing forces is sent when nothing was charged for so long. */
const idleMs = 1_000;
/** Of the gateway's unsigned limit: sent before half of it is used. */
const shareOfLimit = 4n;
const waitMs = 500;
/** Nobody has heard of it, or it was never billed, and will not be. */
const unknownMs = 2 * 60_000;
const unbilledMs = 15 * 60_000;

/**
 * Pays for a client from a channel: counts the receipts that the client has checked, and sends vouchers for their sum.
 *
 * @example
 * const payment = new ChannelPayment(await VoucherSigner.open(fileStore("channel.json")));
 * const client = new BombyxClient({ gateway, apiKey, payment });
 */
export class ChannelPayment implements Payment {
  readonly #signer: VoucherSigner;
  readonly #options: ChannelPaymentOptions;
  readonly #running = new Set<string>();
  #door: ChannelDoor | undefined;
  #now: () => number = Date.now;
  #registered: Promise<void> | undefined;
  #sending: Promise<void> | undefined;
  /** Receipts on their way into the signer. */
  #counting: Promise<unknown> = Promise.resolve();
  #idle: ReturnType<typeof setTimeout> | undefined;
  #sentNano = 0n;
  #sendAboveNano = 0n;
  #closed = false;

  constructor(signer: VoucherSigner, options: ChannelPaymentOptions = {}) {
    this.#signer = signer;
    this.#options = options;
  }

  get channel(): string {
    return this.#signer.identity.channel;
  }

  attach(gateway: GatewayOptions, now: () => number): void {
    this.#door = new ChannelDoor(gateway);
    this.#now = now;
  }

  /** The gateway knows the channel, and nobody else has signed with its key. */
  ready(): Promise<void> {
    this.#registered ??= this.#introduce().catch((error: unknown) => {
      this.#registered = undefined;
      throw error;
    });
    return this.#registered;
  }

  async expect(charge: ExpectedCharge): Promise<void> {
    await this.ready();
    await this.#signer.expect(charge);
    this.#running.add(nameOf(charge));
  }

  checked(signed: SignedReceipt): void {
    this.#count(async () => {
      const expected = this.#signer.expected.find((known) => nameOf(known) === nameOf(signed.receipt));
      if (!expected) return;
      await this.#options.journal?.({ expected: { ...expected }, signed });
      await this.#signer.charge(signed);
      this.#schedule();
    });
  }

  unpaid(name: ChargeName): void {
    this.#count(() => this.#signer.forget([name]));
  }

  ended(name: ChargeName): void {
    this.#running.delete(nameOf(name));
  }

  async pay(refusal: BombyxError, signal: AbortSignal): Promise<void> {
    await this.flush();
    signal.throwIfAborted();
    const wanted = BigInt(refusal.totalNano ?? "0");
    if (wanted <= this.#sentNano) {
      // It has it by now; what only runs has to end first.
      if (refusal.retryAfterMs !== undefined) await delay(refusal.retryAfterMs, signal);
      return;
    }
    // Receipts that are on their way may still say so.
    if (this.#running.size > 0) return await delay(waitMs, signal);
    // The last of them came while the voucher before it was on its way.
    await this.flush();
    if (wanted <= this.#sentNano) return;
    throw new BombyxError(
      "VOUCHER_REQUIRED",
      `The gateway wants a voucher over ${wanted} nanoTON; the receipts that came and were right say ${this.#signer.checkedNano}. Nothing more is signed.`,
      { totalNano: wanted.toString(), cause: refusal },
    );
  }

  /** Sends a voucher for everything that was checked. @throws BombyxError SECOND_SIGNER and what the gateway refuses. */
  async flush(): Promise<void> {
    await this.#counting;
    clearTimeout(this.#idle);
    this.#idle = undefined;
    const upTo = this.#signer.checkedNano;
    // What is being sent already may have been signed before the last receipt came.
    do {
      this.#sending ??= this.#send().finally(() => {
        this.#sending = undefined;
      });
      await this.#sending;
    } while (this.#sentNano < upTo);
  }

  /**
   * Asks the operator to let the channel be closed at once: the gateway serves nothing on it from then on.
   * @returns what the owner's wallet sends to the channel, within ten minutes.
   */
  async approveClosing(): Promise<ClosingApproval> {
    await this.flush();
    return await this.#gateway.approveClosing(this.channel);
  }

  /** Sends the last voucher, and lets the store go. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    try {
      if (this.#door) await this.flush();
    } catch (error) {
      this.#options.onError?.(error);
    } finally {
      clearTimeout(this.#idle);
      await this.#signer.close();
    }
  }

  get #gateway(): ChannelDoor {
    if (this.#door) return this.#door;
    throw new RangeError("a payment is attached by its client first");
  }

  #count(work: () => Promise<unknown>): void {
    this.#counting = this.#counting.then(work).catch((error: unknown) => this.#options.onError?.(error));
  }

  /** Sooner rather than later when much is unsigned; else when it is quiet. */
  #schedule(): void {
    if (this.#closed || this.#idle !== undefined) return;
    const unsent = this.#signer.checkedNano - this.#sentNano;
    if (unsent <= 0n) return;
    const send = () => {
      this.#idle = undefined;
      this.flush().catch((error: unknown) => this.#options.onError?.(error));
    };
    this.#idle = setTimeout(send, unsent >= this.#sendAboveNano ? 0 : idleMs);
    // A program that is done does not wait for it: `close` sends it.
    if (typeof this.#idle === "object") this.#idle.unref();
  }

  async #introduce(): Promise<void> {
    const own = this.#signer.identity;
    const { account, globalId, vault, channels } = await this.#gateway.channels();
    if (globalId !== own.globalId) {
      throw new BombyxError(
        "VOUCHER_NETWORK",
        `This channel is on network ${own.globalId}; the gateway settles on ${globalId}.`,
        { field: "globalId" },
      );
    }
    if (vault !== own.vault) {
      throw new BombyxError("VOUCHER_VAULT", "This channel pays into another vault than this gateway's.", {
        field: "vault",
      });
    }
    let known = channels.find(({ address }) => address === own.channel);
    if (known?.voucherKey) await this.#signer.adopt(known.voucherKey);
    if (!known || (known.voucherKey !== null && known.voucherKey !== this.#signer.voucherKey)) {
      known = await this.#gateway.register(this.#signer.register(account, this.#now()));
      if (known.address !== own.channel) {
        throw new BombyxError("VOUCHER_CHANNEL", `The gateway took the channel for ${known.address}.`, {
          field: "channel",
        });
      }
    }
    await this.#heard(known);
  }

  /** What the gateway says of the channel. It raises nothing; it may show that somebody else signs. */
  async #heard({ voucher, voucherKey, unsignedLimitNano }: Channel): Promise<void> {
    if (voucherKey !== null) await this.#signer.adopt(voucherKey);
    this.#sendAboveNano = BigInt(unsignedLimitNano) / shareOfLimit;
    if (voucher) await this.#signer.confront(voucher);
  }

  async #send(): Promise<void> {
    await this.ready();
    for (let rounds = 0; ; rounds++) {
      const voucher = await this.#signer.voucher();
      if (!voucher) {
        if (rounds > 0 || !(await this.#reconcile())) return;
        continue;
      }
      const channel = await this.#put();
      await this.#heard(channel);
      const lags = BigInt(channel.spentNano) > this.#signer.checkedNano;
      if (rounds > 0 || !lags || !(await this.#reconcile())) return;
    }
  }

  async #put(): Promise<Channel> {
    for (let tries = 0; ; tries++) {
      const voucher = await this.#signer.voucher();
      if (!voucher) throw new RangeError("there is nothing to sign");
      try {
        const channel = await this.#gateway.putVoucher(voucher);
        this.#sentNano = BigInt(voucher.total);
        return channel;
      } catch (error) {
        if (!(error instanceof BombyxError) || tries > 0) throw error;
        if (error.code !== "VOUCHER_LOWER" && error.code !== "VOUCHER_KEY") throw error;
        const { channels } = await this.#gateway.channels();
        const known = channels.find(({ address }) => address === voucher.channel);
        if (!known) throw error;
        await this.#heard(known);
        const rotated = known.voucherKey !== null && (await this.#signer.adopt(known.voucherKey));
        if (!rotated) throw error;
      }
    }
  }

  /** Asks for receipts that never came: of answers that were cut off, cancelled, or of a process before this one. */
  async #reconcile(): Promise<boolean> {
    const before = this.#signer.checkedNano;
    const gone: ChargeName[] = [];
    for (const expected of [...this.#signer.expected]) {
      if (this.#running.has(nameOf(expected))) continue;
      const age = this.#now() - expected.at;
      try {
        const signed = await this.#gateway.receipt(expected);
        await this.#options.journal?.({ expected: { ...expected }, signed });
        await this.#signer.charge(signed);
      } catch (error) {
        if (!(error instanceof BombyxError)) throw error;
        if (error.code === "SECOND_SIGNER" || error.code === "GATEWAY_UNREACHABLE") throw error;
        if (error.code === "REQUEST_UNKNOWN" && age > unknownMs) gone.push(expected);
        else if (error.code === "NOT_FOUND" && age > unbilledMs) gone.push(expected);
        else if (error.code === "RECEIPT_INVALID") {
          gone.push(expected);
          this.#options.onError?.(error);
        }
      }
    }
    await this.#signer.forget(gone);
    return this.#signer.checkedNano > before;
  }
}

const nameOf = ({ session, request }: ChargeName): string => `${session}/${request}`;
