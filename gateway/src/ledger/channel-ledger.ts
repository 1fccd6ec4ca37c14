/**
 * A channel's money in the ledger: account `channel:ADDRESS`. What the chain says comes as totals since the beginning
 * and only raises them, so that a deposit or a redeem shown twice, late or in another order changes nothing.
 */
export interface ChannelLedger {
  /**
   * Raises what was paid in to `depositedNano`; less than what is known changes nothing.
   * @param entry.key names the transaction that says so, once for each account.
   */
  creditChannel(entry: {
    account: string;
    depositedNano: bigint;
    key: string;
    at: number;
  }): Promise<ChannelAccount>;
  /** Raises what the chain has paid to the vault: it was signed, by whatever voucher. */
  redeemedFromChannel(entry: { account: string; totalNano: bigint }): Promise<ChannelAccount>;
  /**
   * Keeps a voucher whose signature its caller has checked. The same again changes nothing.
   * @throws BombyxError CHANNEL_UNKNOWN, VOUCHER_LOWER (names the total that is known), VOUCHER_ABOVE_DEPOSIT.
   */
  acceptVoucher(voucher: KeptVoucher & { account: string }): Promise<ChannelAccount>;
  /**
   * Serves the channel's requests from `pausedUntilAt` on, within `unsignedLimitNano` above what is signed; 0 serves
   * at once, {@link neverAgain} not at all.
   * @throws BombyxError CHANNEL_UNKNOWN.
   */
  setChannelTerms(terms: {
    account: string;
    unsignedLimitNano: bigint;
    pausedUntilAt: number;
  }): Promise<ChannelAccount>;
  /** Moves what is available out: the owner has it on chain. Once per `key`. */
  drainChannel(entry: { account: string; key: string; at: number }): Promise<ChannelAccount>;
  channelAccount(account: string): Promise<ChannelAccount | undefined>;
}

export interface KeptVoucher {
  readonly totalNano: bigint;
  /** Hex. */
  readonly voucherKey: string;
  readonly signature: string;
}

export interface ChannelAccount {
  readonly account: string;
  /** Ever paid in, and ever taken out by the owner. */
  readonly depositedNano: bigint;
  readonly withdrawnNano: bigint;
  /** What settled requests have cost, and what running ones hold. */
  readonly spentNano: bigint;
  readonly reservedNano: bigint;
  readonly availableNano: bigint;
  /** The highest total that is known to be signed: the best voucher's, or what the chain has redeemed. */
  readonly signedNano: bigint;
  readonly redeemedNano: bigint;
  readonly voucher: KeptVoucher | null;
  readonly unsignedLimitNano: bigint;
  readonly pausedUntilAt: number;
}

/** `pausedUntilAt` of a channel that is closing or closed. */
export const neverAgain = 2 ** 52;

export const channelAccount = (address: string): string => `channel:${address}`;
export const isChannelAccount = (account: string): boolean => account.startsWith("channel:");
