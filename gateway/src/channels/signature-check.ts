import { createPublicKey, type KeyObject, verify } from "node:crypto";

/** SubjectPublicKeyInfo around 32 bytes of Ed25519. */
const spki = Buffer.from("302a300506032b6570032100", "hex");
const keysMost = 10_000;

/** Ed25519 by node:crypto; making a key takes longer than using it, so those used lately are kept. */
export class SignatureCheck {
  readonly #keys = new Map<string, KeyObject>();

  /** @param publicKey 32 bytes, hex; @param signature 64 bytes, hex. */
  isSigned(message: Uint8Array, signature: string, publicKey: string): boolean {
    const key = this.#key(publicKey);
    return key !== undefined && verify(null, message, key, Buffer.from(signature, "hex"));
  }

  #key(publicKey: string): KeyObject | undefined {
    let key = this.#keys.get(publicKey);
    if (key === undefined) {
      try {
        key = createPublicKey({
          key: Buffer.concat([spki, Buffer.from(publicKey, "hex")]),
          format: "der",
          type: "spki",
        });
      } catch {
        return undefined;
      }
      const oldest = this.#keys.size >= keysMost ? this.#keys.keys().next() : undefined;
      if (oldest && !oldest.done) this.#keys.delete(oldest.value);
    } else this.#keys.delete(publicKey);
    this.#keys.set(publicKey, key);
    return key;
  }
}
