import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** Bytes of entropy in a key or token. */
const secretBytes = 32;

/** `kind` and 32 random bytes in base64url: `bx_…`. The kind lets scanners of leaked secrets know it. */
export const newSecret = (kind: string): string =>
  `${kind}_${randomBytes(secretBytes).toString("base64url")}`;

/**
 * What is stored of a secret. A plain hash is enough for what nobody can guess: 32 random bytes, or a
 * pairing code's 60 bits for its 15 minutes. `domain` keeps one kind from passing for another.
 */
export const hashSecret = (domain: string, secret: string): string =>
  createHash("sha256").update(`bombyx/${domain}/v1\0`).update(secret).digest("hex");

/** Constant-time comparison of two hashes as hex. */
export const sameHash = (a: string, b: string): boolean =>
  timingSafeEqual(Buffer.from(a, "hex"), Buffer.from(b, "hex"));
