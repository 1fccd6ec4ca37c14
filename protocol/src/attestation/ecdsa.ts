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

/**
 * ECDSA P-256 with SHA-256. `point` is x ‖ y (64 bytes), `signature` r ‖ s (64 bytes).
 * False, too, for a point that is not on the curve.
 */
export async function verifyEcdsa(
  point: Uint8Array,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  if (point.length !== 64 || signature.length !== 64) return false;
  let key: CryptoKey;
  try {
    const encoded = concat(Uint8Array.of(4), point);
    key = await crypto.subtle.importKey("raw", encoded, p256, false, ["verify"]);
  } catch {
    return false;
  }
  return crypto.subtle.verify(sha256, key, signature, message);
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
