import { blake2b, equalBytes, sodium, zero } from "./sodium.ts";

/** Noise revision 34, §5: CipherState and SymmetricState for 25519, ChaChaPoly and BLAKE2b. */

const hashBytes = 64;
const blockBytes = 128;
const keyBytes = 32;

const hash = (...parts: Uint8Array[]): Uint8Array => blake2b(hashBytes, ...parts);

/** Noise's HKDF is HMAC (RFC 2104) over unkeyed BLAKE2b, not libsodium's keyed hash. */
function hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  // Every key here is a BLAKE2b-512 hash, so the case of a key longer than a block does not exist.
  const inner = new Uint8Array(blockBytes).fill(0x36);
  const outer = new Uint8Array(blockBytes).fill(0x5c);
  key.forEach((byte, i) => {
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  });
  const innerHash = hash(inner, ...parts);
  const mac = hash(outer, innerHash);
  zero(inner, outer, innerHash);
  return mac;
}

/** Noise §4.3 with two outputs. */
function hkdf(chainingKey: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array] {
  const temp = hmac(chainingKey, input);
  const first = hmac(temp, Uint8Array.of(1));
  const second = hmac(temp, first, Uint8Array.of(2));
  zero(temp);
  return [first, second];
}

/** X25519; @throws Error when the result is all zero (a low-order point). */
export function dh(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const shared = sodium.crypto_scalarmult(secretKey, publicKey);
  // libsodium refuses it itself; the session rests on it, so it is not left to a library's version.
  if (equalBytes(shared, new Uint8Array(keyBytes))) throw new Error("X25519 gave an all-zero secret");
  return shared;
}

export class CipherState {
  readonly #key: Uint8Array | undefined;
  #nonce = 0n;

  /** Without a key it passes bytes through, as Noise has it before the first MixKey. */
  constructor(key?: Uint8Array) {
    this.#key = key?.slice();
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

  /** @throws Error when the ciphertext is not authentic; the nonce stays, as Noise §5.1 wants it. */
  decrypt(ad: Uint8Array, ciphertext: Uint8Array): Uint8Array {
    if (!this.#key) return ciphertext;
    const nonce = this.#nonce;
    try {
      return sodium.crypto_aead_chacha20poly1305_ietf_decrypt(
        null,
        ciphertext,
        ad,
        this.#nextNonce(),
        this.#key,
      );
    } catch (cause) {
      this.#nonce = nonce;
      throw cause;
    }
  }

  erase(): void {
    if (this.#key) zero(this.#key);
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

  /** Takes a shared secret, and zeroes it. */
  mixKey(secret: Uint8Array): void {
    const [chainingKey, key] = hkdf(this.#chainingKey, secret);
    this.erase();
    this.#chainingKey = chainingKey;
    this.#cipher = new CipherState(key.subarray(0, keyBytes));
    zero(secret, key);
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

  /**
   * Ends the handshake; the state holds no secret afterwards.
   * @returns initiator→responder and responder→initiator keys, 32 bytes each.
   */
  split(): [Uint8Array, Uint8Array] {
    const [first, second] = hkdf(this.#chainingKey, new Uint8Array(0));
    const keys: [Uint8Array, Uint8Array] = [first.slice(0, keyBytes), second.slice(0, keyBytes)];
    zero(first, second);
    this.erase();
    return keys;
  }

  /** Zeroes the chaining key and the cipher's. */
  erase(): void {
    zero(this.#chainingKey);
    this.#cipher.erase();
  }
}
