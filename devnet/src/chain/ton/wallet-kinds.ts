import type { Cell } from "@ton/core";
import { WalletContractV3R2, WalletContractV4, WalletContractV5R1 } from "@ton/ton";

const anyKey = Buffer.alloc(32);

/** Wallet code by its hash, under toncenter's names. */
const kinds = new Map<string, string>(
  [
    [WalletContractV3R2.create({ workchain: 0, publicKey: anyKey }), "wallet v3 r2"],
    [WalletContractV4.create({ workchain: 0, publicKey: anyKey }), "wallet v4 r2"],
    [WalletContractV5R1.create({ publicKey: anyKey }), "wallet v5 r1"],
  ].flatMap(([wallet, kind]) =>
    typeof wallet === "object" && typeof kind === "string" && wallet.init.code
      ? [[wallet.init.code.hash().toString("hex"), kind] as const]
      : [],
  ),
);

/** `undefined` for code that is no wallet's, or one that people rarely use. */
export const walletKind = (code: Cell): string | undefined => kinds.get(code.hash().toString("hex"));
