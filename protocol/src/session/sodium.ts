import sodium from "libsodium-wrappers";

/** Resolves when libsodium's WebAssembly is ready; everything else in this package needs it. */
export const ready: Promise<void> = sodium.ready;
export { sodium };

/** Unkeyed BLAKE2b of the parts in a row, without a copy that joins them. */
export function blake2b(bytes: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const state = sodium.crypto_generichash_init(null, bytes);
  for (const part of parts) sodium.crypto_generichash_update(state, part);
  return sodium.crypto_generichash_final(state, bytes);
}

/** BLAKE2b-256 of the parts in a row. Callers separate domains and hash lengths themselves. */
export const blake2b256 = (...parts: readonly Uint8Array[]): Uint8Array => blake2b(32, ...parts);

/** Constant-time equality; different lengths are unequal. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && sodium.memcmp(a, b);
}

/**
 * Zeroes key material in place. The best that JavaScript can do: libsodium's own memory and the garbage
 * collector may have held copies.
 */
export function zero(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) sodium.memzero(secret);
}
