import { randomBytes } from "node:crypto";
import { type KeyPair, keyPairFromSeed } from "@ton/crypto";
import { WalletContractV5R1 } from "@ton/ton";
import * as z from "zod";
import type { StateDirectory } from "../../state/state-directory.ts";

const seed = z.string().regex(/^[0-9a-f]{64}$/);

/** `.devnet/ton-keys.json`: seeds of this devnet's operator, worth nothing on any other chain. */
const keysSchema = z.strictObject({
  v: z.literal(1),
  owner: seed,
  guardian: seed,
  committer: seed,
  ack: seed,
  release: z.tuple([seed, seed, seed]),
  /** Makes the contracts' addresses this devnet's own; 64 bits, hex. */
  salt: z.string().regex(/^[0-9a-f]{16}$/),
});

/** A wallet V5R1 and its key. */
export interface KeyedWallet {
  readonly wallet: WalletContractV5R1;
  readonly keys: KeyPair;
}

export interface Operator {
  readonly owner: KeyedWallet;
  readonly guardian: KeyedWallet;
  readonly committer: KeyedWallet;
  readonly release: readonly [KeyedWallet, KeyedWallet, KeyedWallet];
  readonly ack: KeyPair;
  readonly salt: bigint;
}

export const walletOf = (keys: KeyPair, globalId: number): KeyedWallet => ({
  keys,
  wallet: WalletContractV5R1.create({
    publicKey: keys.publicKey,
    walletId: { networkGlobalId: globalId },
  }),
});

const ownersSchema = z.record(z.string(), seed);

/** Wallets of those who own this devnet's nodes, by the node's name; made once and kept. */
export async function keepOwnerWallets(
  state: StateDirectory,
  names: readonly string[],
  globalId: number,
): Promise<ReadonlyMap<string, KeyedWallet>> {
  const seeds = await state.keep("ton-owners.json", ownersSchema, () =>
    Object.fromEntries(names.map((name) => [name, randomBytes(32).toString("hex")])),
  );
  return new Map(
    Object.entries(seeds).map(([name, hex]) => [
      name,
      walletOf(keyPairFromSeed(Buffer.from(hex, "hex")), globalId),
    ]),
  );
}

/** Files of the two seeds that a gateway has; the others stay where they are. */
export async function writeHotSeeds(
  state: StateDirectory,
): Promise<{ readonly committerSeedFile: string; readonly ackSeedFile: string }> {
  const kept = await state.readJson("ton-keys.json", keysSchema);
  if (!kept) throw new Error("This devnet has no keys yet.");
  return {
    committerSeedFile: await state.write("gateway/committer.seed", `${kept.committer}\n`),
    ackSeedFile: await state.write("gateway/ack.seed", `${kept.ack}\n`),
  };
}

/** Made at the first start, for the user of this machine alone. @throws Error when the file does not parse */
export async function keepOperator(state: StateDirectory, globalId: number): Promise<Operator> {
  const fresh = () => randomBytes(32).toString("hex");
  const kept = await state.keep("ton-keys.json", keysSchema, () => ({
    v: 1 as const,
    owner: fresh(),
    guardian: fresh(),
    committer: fresh(),
    ack: fresh(),
    release: [fresh(), fresh(), fresh()] as [string, string, string],
    salt: randomBytes(8).toString("hex"),
  }));
  const keyPair = (hex: string) => keyPairFromSeed(Buffer.from(hex, "hex"));
  const wallet = (hex: string) => walletOf(keyPair(hex), globalId);
  const [first, second, third] = kept.release;
  return {
    owner: wallet(kept.owner),
    guardian: wallet(kept.guardian),
    committer: wallet(kept.committer),
    release: [wallet(first), wallet(second), wallet(third)],
    ack: keyPair(kept.ack),
    salt: BigInt(`0x${kept.salt}`),
  };
}
