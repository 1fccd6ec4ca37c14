import { readFileSync } from "node:fs";
import { type KeyPair, keyPairFromSeed, mnemonicToPrivateKey, mnemonicValidate } from "@ton/crypto";
import { WalletContractV5R1 } from "@ton/ton";
import { CommandError } from "./command-error.ts";

/** A wallet V5R1 of one network, with its key. */
export interface PayingWallet {
  readonly wallet: WalletContractV5R1;
  readonly keys: KeyPair;
}

/**
 * @param path of a file with 24 words, or a seed as 64 hex digits; what is in it is never printed
 * @throws {CommandError} KEY_MISSING, KEY_INVALID
 */
export async function readWallet(path: string, globalId: number): Promise<PayingWallet> {
  let text: string;
  try {
    text = readFileSync(path, "utf8").trim();
  } catch (error) {
    throw new CommandError("KEY_MISSING", `WALLET_KEY_FILE names ${path}, which cannot be read`, error);
  }
  const keys = await keysOf(text);
  if (keys === undefined)
    throw new CommandError(
      "KEY_INVALID",
      `${path} holds neither a wallet's 24 words nor a seed of 64 hex digits`,
    );
  const wallet = WalletContractV5R1.create({
    publicKey: keys.publicKey,
    walletId: { networkGlobalId: globalId },
  });
  return { wallet, keys };
}

async function keysOf(text: string): Promise<KeyPair | undefined> {
  if (/^[0-9a-f]{64}$/i.test(text)) return keyPairFromSeed(Buffer.from(text, "hex"));
  const words = text.split(/\s+/);
  if (words.length !== 24 || !(await mnemonicValidate(words))) return undefined;
  return mnemonicToPrivateKey(words);
}
