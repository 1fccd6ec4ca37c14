import { createHash } from "node:crypto";
import { voucherCell } from "@bombyx/protocol/receipt";
import { BombyxError, type Voucher } from "@bombyx/protocol/wire";
import type { SignatureCheck } from "./signature-check.ts";

/** What a voucher for a channel must say. */
export interface VoucherExpectation {
  readonly globalId: number;
  readonly vault: string;
  readonly channel: string;
  /** Whose vouchers the contract takes; null before it is open. */
  readonly voucherKey: string | null;
  readonly previousKey: { readonly key: string; readonly untilAt: number } | null;
}

/** A voucher of a key that was rotated out must still get to the chain in time. */
const redeemWithinMs = 3_600_000;

/**
 * A voucher is good for one channel on one network into one vault, by a key that the contract takes now.
 * @throws BombyxError VOUCHER_NETWORK, VOUCHER_CHANNEL, VOUCHER_VAULT, VOUCHER_KEY, VOUCHER_SIGNATURE.
 */
export function checkVoucher(
  voucher: Voucher,
  expected: VoucherExpectation,
  signatures: SignatureCheck,
  now: number,
): void {
  const { globalId, channel, vault, voucherKey } = voucher;
  if (globalId !== expected.globalId) {
    throw refused(
      "VOUCHER_NETWORK",
      "globalId",
      `signed for network ${globalId}; this one is ${expected.globalId}`,
    );
  }
  if (channel !== expected.channel) {
    throw refused("VOUCHER_CHANNEL", "channel", `of channel ${channel}, not of ${expected.channel}`);
  }
  if (vault !== expected.vault) {
    throw refused("VOUCHER_VAULT", "vault", `for vault ${vault}; this network's is ${expected.vault}`);
  }
  if (!takes(expected, voucherKey, now)) {
    throw refused("VOUCHER_KEY", "voucherKey", "of a key that the channel does not take (any more)");
  }
  const cell = voucherCell({ globalId, channel, vault, totalNano: BigInt(voucher.total) });
  const hash = createHash("sha256").update(cell).digest();
  if (!signatures.isSigned(hash, voucher.signature, voucherKey)) {
    throw refused("VOUCHER_SIGNATURE", "signature", "not signed over what it says by the key that it names");
  }
}

function takes({ voucherKey, previousKey }: VoucherExpectation, key: string, now: number): boolean {
  if (key === voucherKey) return true;
  return previousKey?.key === key && now < previousKey.untilAt - redeemWithinMs;
}

const refused = (
  code: "VOUCHER_NETWORK" | "VOUCHER_CHANNEL" | "VOUCHER_VAULT" | "VOUCHER_KEY" | "VOUCHER_SIGNATURE",
  field: string,
  why: string,
): BombyxError => new BombyxError(code, `The voucher is refused: it is ${why}.`, { field });
