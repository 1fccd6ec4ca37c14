import { concat } from "../wire/encoding.ts";
import { equalBytes, sodium } from "./sodium.ts";

/** Noise revision 34, §5: CipherState and SymmetricState for 25519, ChaChaPoly and BLAKE2b. */

const hashBytes = 64;
const blockBytes = 128;
const empty = new Uint8Array(0);

const hash = (...parts: Uint8Array[]): Uint8Array =>
  sodium.crypto_generichash(hashBytes, concat(...parts), null);

/** Noise's HKDF is HMAC (RFC 2104) over unkeyed BLAKE2b, not libsodium's keyed hash. */
function hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const block = new Uint8Array(blockBytes);
  block.set(key.length > blockBytes ? hash(key) : key);
  const inner = hash(
    block.map((byte) => byte ^ 0x36),
    ...parts,
  );
  const mac = hash(
    block.map((byte) => byte ^ 0x5c),
    inner,
  );
  sodium.memzero(block);
  return mac;
}

function hkdf(chainingKey: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array] {
  const temp = hmac(chainingKey, input);
  const first = hmac(temp, Uint8Array.of(1));
  const second = hmac(temp, first, Uint8Array.of(2));
  sodium.memzero(temp);
  return [first, second];
}

/** X25519; @throws Error when the result is all zero (a low-order point). */
export function dh(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const shared = sodium.crypto_scalarmult(secretKey, publicKey);
  if (equalBytes(shared, new Uint8Array(32))) throw new Error("X25519 gave an all-zero secret");
  return shared;
}

export class CipherState {
  #key: Uint8Array | undefined;
  #nonce = 0n;

  constructor(key?: Uint8Array) {
    this.#key = key;
  }

  #nextNonce(): Uint8Array {
    const nonce = new Uint8Array(12);
    new DataView(nonce.buffer).setBigUint64(4, this.#nonce++, true);
    return nonce;
  }

  encrypt(ad: Uint8Array, plaintext: Uint8Array): Uint8Array {
    if (!this.#key) return plaintext;
    return sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
      plaintext,
      ad,
      null,
      this.#nextNonce(),
      this.#key,
    );
  }

  /** @throws Error when the ciphertext is not authentic. */
  decrypt(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    if (!this.#key) return ciphertext;
    return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
      null,
      ciphertext,
      ad,
      this.#nextNonce(),
      this.#key,
    );
  }
}

export class SymmetricState {
  #hash: Uint8Array;
  #chainingKey: Uint8Array;
  #cipher = new CipherState();

  /** `protocolName` is at most 64 ASCII characters, so that it is padded, not hashed (Noise §5.2). */
  constructor(protocolName: string) {
    const name = new TextEncoder().encode(protocolName);
    this.#hash = new Uint8Array(hashBytes);
    this.#hash.set(name);
    this.#chainingKey = this.#hash.slice();
  }

  get handshakeHash(): Uint8Array {
    return this.#hash.slice();
  }

  mixHash(data: Uint8Array): void {
    this.#hash = hash(this.#hash, data);
  }

  mixKey(input: Uint8Array): void {
    const [chainingKey, key] = hkdf(this.#chainingKey, input);
    sodium.memzero(this.#chainingKey);
    this.#chainingKey = chainingKey;
    this.#cipher = new CipherState(key.subarray(0, 32));
  }

  encryptAndHash(plaintext: Uint8Array): Uint8Array {
    const ciphertext = this.#cipher.encrypt(this.#hash, plaintext);
    this.mixHash(ciphertext);
    return ciphertext;
  }

  decryptAndHash(ciphertext: Uint8Array): Uint8Array {
    const plaintext = this.#cipher.decrypt(this.#hash, ciphertext);
    this.mixHash(ciphertext);
    return plaintext;
  }

  /** @returns initiator→responder and responder→initiator keys, 32 bytes each. */
  split(): [Uint8Array, Uint8Array] {
    const [first, second] = hkdf(this.#chainingKey, empty);
    sodium.memzero(this.#chainingKey);
    return [first.slice(0, 32), second.slice(0, 32)];
  }
}
