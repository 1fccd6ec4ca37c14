import type { Cell, StateInit } from "@ton/core";

/** What the data of a wallet says about who may sign, and for which network. */
export interface WalletData {
  /** Ed25519, 32 bytes. */
  readonly publicKey: Uint8Array;
  /** Of wallets that are made for one network (V5R1), if it is the first of its key there. */
  readonly globalId?: number;
}

/** Code hashes of wallets whose data we can read; a test compares them with those of @ton/ton. */
const readers: Readonly<Record<string, (data: Cell) => WalletData>> = {
  // V3R2 and V4R2: seqno, subwallet, key
  "84dafa449f98a6987789ba232358072bc0f76dc4524002a5d0918b9a75d2d599": afterSeqnoAndSubwallet,
  feb5ff6820e2ff0d9483e7e0d62c817d846789fb4ae580c878866d959dabd5c0: afterSeqnoAndSubwallet,
  // V5R1: signature allowed, seqno, wallet id, key
  "20834b7b72b112147e1b2fb457b84e74d1a30f04f737d4f62a668e9552d2b72f": v5r1,
};

/**
 * @returns `undefined` for code that is none of the known wallets'
 * @throws Error when the data is not what that wallet keeps
 */
export function readWallet({ code, data }: StateInit): WalletData | undefined {
  const reader = code && readers[code.hash().toString("hex")];
  if (!reader) return undefined;
  if (!data) throw new Error("a wallet's StateInit has data");
  return reader(data);
}

function afterSeqnoAndSubwallet(data: Cell): WalletData {
  const slice = data.beginParse().skip(64);
  return { publicKey: slice.loadBuffer(32) };
}

/** What V5R1 mixes into the global id: made by an app, workchain 0, version 0, subwallet 0. */
const clientContext = 0x8000_0000;

function v5r1(data: Cell): WalletData {
  const slice = data.beginParse().skip(33);
  const walletId = slice.loadInt(32);
  return { publicKey: slice.loadBuffer(32), globalId: (walletId ^ clientContext) | 0 };
}

const publicNetworks: readonly number[] = [-239, -3];

/**
 * Whether a V5R1 was made for another network than `globalId`. Subwallets change the low bits of a wallet id, in
 * which the public networks differ as well: only what is exactly another public one is told apart.
 */
export const isForeign = (made: number, globalId: number): boolean =>
  made !== globalId && publicNetworks.includes(made);
