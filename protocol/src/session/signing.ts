import type { KeyPair } from "./handshake.ts";
import { sodium } from "./sodium.ts";

/** Ed25519. The private key is libsodium's 64 bytes, seed and public key. */
export const newSigningKeyPair = (seed?: Uint8Array): KeyPair =>
  seed === undefined ? sodium.crypto_sign_keypair() : sodium.crypto_sign_seed_keypair(seed);

/** 64 bytes; `message` carries its own domain. */
export const sign = (message: Uint8Array, privateKey: Uint8Array): Uint8Array =>
  sodium.crypto_sign_detached(message, privateKey);

/** False for a signature or key of the wrong length, too. */
export function verifySignature(signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array): boolean {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  return sodium.crypto_sign_verify_detached(signature, message, publicKey);
}

/** Random bytes from libsodium's generator. */
export const randomBytes = (count: number): Uint8Array => sodium.randombytes_buf(count);
