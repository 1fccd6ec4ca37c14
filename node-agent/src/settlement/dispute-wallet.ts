import { type Address, beginCell, type Cell, external, internal, SendMode, storeMessage } from "@ton/core";
import { type KeyPair, keyPairFromSeed } from "@ton/crypto";
import type { WalletContractV5R1 } from "@ton/ton";
import type { StateDirectory } from "../state/state-directory.ts";

const seedFile = "dispute-wallet.key";

/** With a dispute, most of which comes back: docs/contracts.md has what it costs, now and at the prices of before. */
export const disputeValueNano = 100_000_000n;
/** Below this no dispute leaves the wallet. */
export const disputeLeastNano = 120_000_000n;
/** What the wallet should hold: two disputes, and its own fees. */
export const disputeFundsNano = 250_000_000n;

/** A message of the chain as any wallet can send it. */
export interface Order {
  readonly to: Address;
  readonly valueNano: bigint;
  readonly body: Cell;
  /** Deploys what is not there yet. */
  readonly init?: { readonly code: Cell; readonly data: Cell };
}

/**
 * A small wallet of the node's own, V5R1: nobody is awake when a root must be disputed. Its key lies beside the link key;
 * it moves what its owner put in, and nothing else hangs on it.
 */
export class DisputeWallet {
  readonly #wallet: WalletContractV5R1;
  readonly #keys: KeyPair;

  private constructor(wallet: WalletContractV5R1, keys: KeyPair) {
    this.#wallet = wallet;
    this.#keys = keys;
  }

  /** @throws BombyxError INTERNAL when its key file is damaged */
  static async open(state: StateDirectory, globalId: number): Promise<DisputeWallet> {
    const { WalletContractV5R1 } = await import("@ton/ton");
    const keys = keyPairFromSeed(Buffer.from(await state.secret(seedFile)));
    const { publicKey } = keys;
    return new DisputeWallet(
      WalletContractV5R1.create({ publicKey, walletId: { networkGlobalId: globalId } }),
      keys,
    );
  }

  get address(): Address {
    return this.#wallet.address;
  }

  /** The signed message from outside, as endpoints take it. @param validUntilAt ms of the chain's time */
  signed({ to, valueNano, body, init }: Order, seqno: number, validUntilAt: number): Uint8Array {
    const transfer: Cell = this.#wallet.createTransfer<{
      seqno: number;
      secretKey: Buffer;
      authType: "external";
      timeout: number;
    }>({
      seqno,
      secretKey: this.#keys.secretKey,
      authType: "external",
      timeout: Math.floor(validUntilAt / 1_000),
      sendMode: SendMode.PAY_GAS_SEPARATELY | SendMode.IGNORE_ERRORS,
      messages: [internal({ to, value: valueNano, bounce: true, body, ...(init && { init }) })],
    });
    const message = external({
      to: this.address,
      body: transfer,
      ...(seqno === 0 && { init: this.#wallet.init }),
    });
    return beginCell().store(storeMessage(message)).endCell().toBoc();
  }
}
