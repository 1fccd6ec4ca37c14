import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { checkVoucher, SignatureCheck } from "@bombyx/gateway/channels";
import { voucherCell } from "@bombyx/protocol/receipt";
import type { Voucher } from "@bombyx/protocol/wire";
import { atMost, type Goal } from "../relay/goals.ts";

const rounds = 5_000;
const keys = 200;
const globalId = -239;
const channel = `0:${"11".repeat(32)}`;
const vault = `0:${"22".repeat(32)}`;

/** A voucher from its JSON to its verdict: the cell's hash, and one Ed25519 signature; among many keys, each first and warm. */
export async function benchVoucher({ say }: { say: (line: string) => void }): Promise<{
  readonly figures: Record<string, number>;
  readonly goals: readonly Goal[];
  readonly missing: readonly string[];
}> {
  say(`${keys} keys, ${rounds} vouchers`);
  const signers = Array.from({ length: keys }, () => generateKeyPairSync("ed25519"));
  const voucherKeys = signers.map(({ publicKey }) =>
    Buffer.from(publicKey.export({ format: "jwk" }).x ?? "", "base64url").toString("hex"),
  );
  const vouchers = Array.from({ length: rounds }, (_, n): Voucher => {
    const key = n % keys;
    const totalNano = BigInt(n + 1) * 20_000n;
    const hash = createHash("sha256").update(voucherCell({ globalId, channel, vault, totalNano })).digest();
    const signature = sign(null, hash, signers[key]?.privateKey ?? "").toString("hex");
    return { globalId, channel, vault, total: `${totalNano}`, voucherKey: voucherKeys[key] ?? "", signature };
  });
  const signatures = new SignatureCheck();
  const check = (voucher: Voucher): number => {
    const expected = { globalId, channel, vault, voucherKey: voucher.voucherKey, previousKey: null };
    const startedAt = performance.now();
    checkVoucher(voucher, expected, signatures, 0);
    return performance.now() - startedAt;
  };
  const first = sorted(vouchers.slice(0, keys).map(check));
  const warm = sorted(vouchers.slice(keys).map(check));
  // What does not hold is refused, so that something was measured.
  const forged = { ...(vouchers[0] as Voucher), total: "1" };
  let refused = false;
  try {
    check(forged);
  } catch {
    refused = true;
  }
  if (!refused) throw new Error("a forged voucher was taken");
  const p50 = at(warm, 0.5);
  const p99 = at(warm, 0.99);
  return {
    figures: {
      "voucher check p50 ms": p50,
      "voucher check p99 ms": p99,
      "voucher check with a new key p50 ms": at(first, 0.5),
    },
    goals: [atMost("voucher check, p50", p50, 0.3, "ms")],
    missing: [],
  };
}

const sorted = (values: number[]): number[] => values.sort((a, b) => a - b);
const at = (values: readonly number[], share: number): number =>
  values[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;
