import { concat } from "../wire/encoding.ts";
import { DerReader, unsignedInteger } from "./der.ts";

const p256 = { name: "ECDSA", namedCurve: "P-256" } as const;
const sha256 = { name: "ECDSA", hash: "SHA-256" } as const;

/** Digest as bytes. */
export async function digest(
  algorithm: "SHA-256" | "SHA-384" | "SHA-512",
  bytes: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest(algorithm, bytes));
}

/** A P-256 public key, x ‖ y (64 bytes), imported when it is first used. */
export class VerificationKey {
  readonly #point: Uint8Array;
  #key: Promise<CryptoKey | undefined> | undefined;

  constructor(point: Uint8Array) {
    this.#point = point;
  }

  /**
   * ECDSA with SHA-256; `signature` is r ‖ s (64 bytes).
   * False, too, when the point is not on the curve or the signature has another length.
   */
  async verifies(message: Uint8Array<ArrayBuffer>, signature: Uint8Array<ArrayBuffer>): Promise<boolean> {
    this.#key ??= importPoint(this.#point);
    const key = await this.#key;
    return key !== undefined && crypto.subtle.verify(sha256, key, signature, message);
  }
}

async function importPoint(point: Uint8Array): Promise<CryptoKey | undefined> {
  try {
    return await crypto.subtle.importKey("raw", concat(Uint8Array.of(4), point), p256, false, ["verify"]);
  } catch {
    return undefined; // not a point of the curve
  }
}

/** r ‖ s of a DER ECDSA-Sig-Value. @throws RangeError when it is not one of P-256. */
export function rawSignature(der: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const outer = new DerReader(der);
  const reader = outer.enter();
  outer.end();
  const raw = new Uint8Array(64);
  for (const end of [32, 64]) {
    const value = unsignedInteger(reader.next(0x02));
    if (value.length > 32) throw new RangeError("signature is longer than P-256's");
    raw.set(value, end - value.length);
  }
  reader.end();
  return raw;
}
