import { randomBytes } from "node:crypto";
import { keyPairFromSeed } from "@ton/crypto";
import * as z from "zod";
import { globalId } from "../chain/chain-server.ts";
import type { LazyTon } from "../chain/lazy-ton.ts";
import { walletOf } from "../chain/settlement/operator-keys.ts";
import type { StateDirectory } from "../state/state-directory.ts";
import { LocalWallet } from "./local-wallet.ts";

const keySchema = z.strictObject({ v: z.literal(1), seed: z.string().regex(/^[0-9a-f]{64}$/) });

/** `.devnet/wallet.json`: the wallet of the playground's people, worth nothing on any other chain. */
export async function keepWallet(state: StateDirectory, ton: LazyTon): Promise<LocalWallet> {
  const { seed } = await state.keep("wallet.json", keySchema, () => ({
    v: 1 as const,
    seed: randomBytes(32).toString("hex"),
  }));
  const keyed = walletOf(keyPairFromSeed(Buffer.from(seed, "hex")), globalId);
  return new LocalWallet(keyed, globalId, () => ton.open());
}
