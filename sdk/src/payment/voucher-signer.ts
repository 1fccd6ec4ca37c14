import { domainBytes, ready } from "@bombyx/protocol/receipt";
import { newSigningKeyPair, randomBytes, sign, verifySignature } from "@bombyx/protocol/session";
import {
  BombyxError,
  type ChannelRequest,
  channelProofDomain,
  fromHex,
  type SignedReceipt,
  toHex,
  type Voucher,
} from "@bombyx/protocol/wire";
import { chargeOf } from "./check-charge.ts";
import { secondSigner } from "./second-signer.ts";
import {
  type ExpectedCharge,
  type SignerState,
  signerStateSchema,
  type VoucherStore,
} from "./signer-state.ts";
import { voucherHash } from "./voucher-hash.ts";

/** What fixes a channel, as its owner opened it. */
export interface ChannelIdentity {
  readonly globalId: number;
  /** Raw addresses, `0:hex`. */
  readonly channel: string;
  readonly vault: string;
  readonly owner: string;
  /** 64 bits, decimal. */
  readonly salt: string;
}

/** A channel and the secret of its voucher key. */
export interface ChannelBackup extends ChannelIdentity {
  /** Ed25519 seed, hex. */
  readonly seed: string;
}

/** Names a request of one's own. */
export interface ChargeName {
  readonly session: string;
  readonly request: number;
}

/** Requests whose receipts may be outstanding: above it the oldest is given up, and never signed for. */
const expectedMost = 4_096;

/**
 * The one signer of a voucher key. Its total is the sum of the receipts that it has checked; nobody's word raises it,
 * least of all the gateway's. What it signs is kept before it leaves.
 *
 * @example
 * const signer = await VoucherSigner.open(fileStore("channel.json"));
 */
export class VoucherSigner {
  readonly #store: VoucherStore;
  readonly #release: () => void | Promise<void>;
  /** As it is in the store; only this is ever signed. */
  #kept: SignerState;
  /** With the changes that are still to be kept. */
  readonly #draft: SignerState;
  /** Writes in a row: each has everything that was changed before it began. */
  #writing: Promise<void> | undefined;
  #queued: Promise<void> | undefined;
  #dead: BombyxError | undefined;

  private constructor(store: VoucherStore, release: () => void | Promise<void>, state: SignerState) {
    this.#store = store;
    this.#release = release;
    this.#kept = state;
    this.#draft = structuredClone(state);
  }

  /**
   * Makes the key of a channel that is to be opened, and keeps it.
   * @throws BombyxError ALREADY_USED when the store holds a channel, SECOND_SIGNER.
   */
  static async create(identity: ChannelIdentity, store: VoucherStore): Promise<VoucherSigner> {
    await ready;
    return await VoucherSigner.#begin({ ...identity, seed: newSeed() }, "0", store);
  }

  /**
   * Goes on in an empty store with a key that was kept elsewhere.
   * @param checkedNano the total of one's own receipts, see {@link totalOf}: less than was signed is refused by the
   * gateway, and more is never signed for.
   * @throws BombyxError ALREADY_USED when the store holds a channel, SECOND_SIGNER.
   */
  static async restore(
    backup: ChannelBackup,
    checkedNano: bigint,
    store: VoucherStore,
  ): Promise<VoucherSigner> {
    await ready;
    return await VoucherSigner.#begin(backup, checkedNano.toString(), store);
  }

  static async #begin(backup: ChannelBackup, total: string, store: VoucherStore): Promise<VoucherSigner> {
    const { globalId, channel, vault, owner, salt, seed } = backup;
    const state = signerStateSchema.parse({
      v: 1,
      globalId,
      channel,
      vault,
      owner,
      salt,
      seed,
      nextSeed: null,
      pastKeys: [],
      checkedNano: total,
      signedNano: total,
      expected: [],
      revision: 0,
      writer: newWriter(),
    } satisfies SignerState);
    const release = await store.acquire();
    try {
      if (!(await store.replace(undefined, state))) {
        throw new BombyxError(
          "ALREADY_USED",
          "This store holds a channel already: take another for another.",
        );
      }
      return new VoucherSigner(store, release, state);
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** @throws BombyxError NOT_FOUND (an empty store), SECOND_SIGNER (somebody is at it), BAD_REQUEST (no state). */
  static async open(store: VoucherStore): Promise<VoucherSigner> {
    await ready;
    const release = await store.acquire();
    try {
      const kept = await store.read();
      if (kept === undefined) throw new BombyxError("NOT_FOUND", "This store holds no channel: create one.");
      const signer = new VoucherSigner(store, release, kept);
      signer.#draft.writer = newWriter();
      await signer.#change(() => undefined);
      return signer;
    } catch (error) {
      await release();
      throw error;
    }
  }

  get identity(): ChannelIdentity {
    const { globalId, channel, vault, owner, salt } = this.#kept;
    return { globalId, channel, vault, owner, salt };
  }

  /** What must survive the store, in a safe place: with it and one's receipts {@link restore} goes on. Secret. */
  get backup(): ChannelBackup {
    return { ...this.identity, seed: this.#kept.seed };
  }

  /** Public key of the vouchers that it signs now; hex. */
  get voucherKey(): string {
    return publicKeyOf(this.#kept.seed);
  }

  /** What its receipts say that was spent. */
  get checkedNano(): bigint {
    return BigInt(this.#kept.checkedNano);
  }

  /** The highest total that it ever signed. */
  get signedNano(): bigint {
    return BigInt(this.#kept.signedNano);
  }

  /** Requests whose receipts it has not seen. */
  get expected(): readonly ExpectedCharge[] {
    return this.#kept.expected;
  }

  /** Proves to a gateway that who has `account` there has this channel's key. */
  register(account: string, now: number): ChannelRequest {
    const { channel, globalId, vault, owner, salt, seed } = this.#kept;
    const message = domainBytes(channelProofDomain, { account, channel, globalId, vault, at: now });
    const { privateKey } = newSigningKeyPair(fromHex(seed));
    return {
      owner,
      salt,
      voucherKey: publicKeyOf(seed),
      at: now,
      signature: toHex(sign(message, privateKey)),
    };
  }

  /** Before a request is sent: its receipt will be waited for, also by a successor of this process. */
  async expect(charge: ExpectedCharge): Promise<void> {
    await this.#change(({ expected }) => {
      if (expected.some((known) => sameName(known, charge))) return;
      expected.push(charge);
      if (expected.length > expectedMost) expected.shift();
    });
  }

  /**
   * Raises the total by what a receipt charges for an expected request, once.
   * @returns by how much; 0 for a request that is not expected (any more).
   * @throws BombyxError RECEIPT_INVALID: nothing is raised, and the request stays expected.
   */
  async charge(signed: SignedReceipt): Promise<bigint> {
    const { receipt } = signed;
    const expected = this.#draft.expected.find((known) => sameName(known, receipt));
    if (!expected) return 0n;
    const nano = chargeOf(expected, signed);
    const before = BigInt(expected.chargedNano ?? "0");
    const more = nano > before ? nano - before : 0n;
    await this.#change((state) => {
      state.checkedNano = (BigInt(state.checkedNano) + more).toString();
      // What a lost node has signed so far may still be followed by its last word.
      if (receipt.finish === "running") expected.chargedNano = (before + more).toString();
      else state.expected = state.expected.filter((known) => known !== expected);
    });
    return more;
  }

  /** Nothing (more) will be paid for these requests. */
  async forget(names: readonly ChargeName[]): Promise<void> {
    if (names.length === 0) return;
    await this.#change((state) => {
      state.expected = state.expected.filter((known) => !names.some((name) => sameName(known, name)));
    });
  }

  /** A voucher for everything that was checked, kept before it is returned; undefined before the first charge. */
  async voucher(): Promise<Voucher | undefined> {
    if (this.#dead) throw this.#dead;
    if (this.checkedNano === 0n && this.signedNano === 0n) return undefined;
    await this.#change((state) => {
      if (BigInt(state.checkedNano) > BigInt(state.signedNano)) state.signedNano = state.checkedNano;
    });
    const { globalId, channel, vault, seed, signedNano } = this.#kept;
    const hash = await voucherHash({ globalId, channel, vault, totalNano: BigInt(signedNano) });
    const { privateKey } = newSigningKeyPair(fromHex(seed));
    return {
      globalId,
      channel,
      vault,
      total: signedNano,
      voucherKey: publicKeyOf(seed),
      signature: toHex(sign(hash, privateKey)),
    };
  }

  /**
   * Somebody shows a voucher of this channel. One above all that this store ever signed, and by its own key, was
   * signed by somebody else; one that only claims to be is nothing.
   * @throws BombyxError SECOND_SIGNER, and from then on for everything.
   */
  async confront(shown: Voucher): Promise<void> {
    const { globalId, channel, vault, seed, nextSeed, pastKeys, signedNano } = this.#kept;
    const totalNano = BigInt(shown.total);
    if (totalNano <= BigInt(signedNano)) return;
    const own = [seed, ...(nextSeed === null ? [] : [nextSeed])].map(publicKeyOf);
    if (![...own, ...pastKeys].includes(shown.voucherKey)) return;
    const hash = await voucherHash({ globalId, channel, vault, totalNano });
    if (!verifySignature(fromHex(shown.signature), hash, fromHex(shown.voucherKey))) return;
    this.#dead = secondSigner(
      `The gateway has a voucher over ${shown.total} nanoTON by this key; this store has signed ${signedNano}.`,
    );
    throw this.#dead;
  }

  /**
   * Makes the next voucher key; the owner's wallet sends it to the channel (SetKey). Until the chain has it, vouchers
   * are signed by the key before.
   * @returns its public key, the same one until it is adopted.
   */
  async rotate(): Promise<string> {
    await this.#change((state) => {
      state.nextSeed ??= newSeed();
    });
    return publicKeyOf(this.#kept.nextSeed ?? "");
  }

  /** The channel has this key now. @returns whether it was the next one, which signs from here on. */
  async adopt(voucherKey: string): Promise<boolean> {
    const { nextSeed } = this.#kept;
    if (nextSeed === null || publicKeyOf(nextSeed) !== voucherKey) return false;
    await this.#change((state) => {
      state.pastKeys.push(publicKeyOf(state.seed));
      state.seed = nextSeed;
      state.nextSeed = null;
    });
    return true;
  }

  /** Keeps what is still to be kept, and lets the store go. */
  async close(): Promise<void> {
    await this.#queued?.catch(() => undefined);
    await this.#writing?.catch(() => undefined);
    await this.#release();
  }

  /** Changes the state, and resolves when it is kept. Changes made while a write runs share the next one. */
  async #change(change: (draft: SignerState) => void): Promise<void> {
    if (this.#dead) throw this.#dead;
    change(this.#draft);
    this.#queued ??= this.#write(this.#writing);
    await this.#queued;
  }

  async #write(before: Promise<void> | undefined): Promise<void> {
    await before?.catch(() => undefined);
    this.#writing = this.#queued;
    this.#queued = undefined;
    if (this.#dead) throw this.#dead;
    const next = { ...structuredClone(this.#draft), revision: this.#kept.revision + 1 };
    if (!(await this.#store.replace(this.#kept, next))) {
      this.#dead = secondSigner("Somebody else has written to this signer's store.");
      throw this.#dead;
    }
    this.#kept = next;
  }
}

const newSeed = (): string => toHex(randomBytes(32));
const newWriter = (): string => toHex(randomBytes(8));
const publicKeyOf = (seed: string): string => toHex(newSigningKeyPair(fromHex(seed)).publicKey);
const sameName = (a: ChargeName, b: ChargeName): boolean =>
  a.session === b.session && a.request === b.request;
