import { createPrivateKey, type KeyObject } from "node:crypto";
import { readFileSync, statSync } from "node:fs";

/**
 * The 32 bytes of a key's seed: 64 hex digits in a file that nobody but its owner reads.
 * @throws Error that names the file, and never repeats what is in it
 */
export function readSeed(file: string): Buffer {
  const { mode } = statSync(file);
  if ((mode & 0o077) !== 0) {
    throw new Error(`${file} can be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600 it.`);
  }
  const text = readFileSync(file, "utf8").trim();
  if (!/^[0-9a-f]{64}$/i.test(text)) throw new Error(`${file} does not hold a seed of 64 hex digits.`);
  return Buffer.from(text, "hex");
}

/** PKCS #8 around an Ed25519 seed. */
const pkcs8 = Buffer.from("302e020100300506032b657004220420", "hex");

/** The Ed25519 key of a seed, kept by node:crypto, which signs hundreds of times faster than code in JavaScript. */
export const ed25519Key = (seed: Buffer): KeyObject =>
  createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: "der", type: "pkcs8" });
