import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const algorithm = "aes-256-gcm";
const version = 1;
const nonceBytes = 12;
const tagBytes = 16;
const headBytes = 1 + nonceBytes + tagBytes;
export const keyBytes = 32;

/** Where sealed text lies: a row that was moved to another chat or row does not open. */
export type Place = readonly [table: string, column: string, ...row: (string | number)[]];

/** A text that this key, or this place, does not open. */
export class SealBrokenError extends Error {
  override readonly name = "SealBrokenError";
}

/** Encrypts what people wrote before it reaches the disk: AES-256-GCM, bound to the chat and row that holds it. */
export class Sealer {
  readonly #key: Uint8Array;

  /** @param key 32 bytes. */
  constructor(key: Uint8Array) {
    if (key.length !== keyBytes) throw new RangeError(`a store key has ${keyBytes} bytes, not ${key.length}`);
    this.#key = key;
  }

  seal(text: string, place: Place): Uint8Array {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, this.#key, nonce).setAAD(associated(place));
    const sealed = Buffer.concat([cipher.update(text, "utf8"), cipher.final()]);
    return Buffer.concat([Uint8Array.of(version), nonce, cipher.getAuthTag(), sealed]);
  }

  /** @throws SealBrokenError */
  open(sealed: Uint8Array, place: Place): string {
    try {
      if (sealed[0] !== version || sealed.length < headBytes) throw new RangeError("not a sealed text");
      const decipher = createDecipheriv(algorithm, this.#key, sealed.subarray(1, 1 + nonceBytes))
        .setAAD(associated(place))
        .setAuthTag(sealed.subarray(1 + nonceBytes, headBytes));
      return Buffer.concat([decipher.update(sealed.subarray(headBytes)), decipher.final()]).toString("utf8");
    } catch (cause) {
      throw new SealBrokenError(`What is stored at ${place.join("/")} does not open with this key.`, {
        cause,
      });
    }
  }
}

const associated = (place: Place): Uint8Array =>
  Buffer.from(JSON.stringify(["bombyx-bot/1", ...place]), "utf8");

/** The key in the data directory, readable by its user only; made at the first start. */
export function keepStoreKey(dataDir: string): Uint8Array {
  const file = join(dataDir, "store.key");
  try {
    writeFileSync(file, randomBytes(keyBytes).toString("hex"), { mode: 0o600, flag: "wx" });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  return Buffer.from(readFileSync(file, "utf8").trim(), "hex");
}
