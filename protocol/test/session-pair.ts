import {
  type HandshakePrefix,
  initiateHandshake,
  type KemKeyPair,
  type KemPublicKey,
  newKemKeyPair,
  ready,
  respondToHandshake,
  type SessionKeys,
  type Suite,
} from "../src/session/index.ts";

export const attestationId: Uint8Array = new Uint8Array(32).fill(7);

export const publicHalf = (keys: KemKeyPair): KemPublicKey => ({
  id: keys.id,
  x25519: keys.x25519.publicKey,
  ...(keys.xwing && { xwing: keys.xwing.publicKey }),
});

export const prefixFor = (keys: KemKeyPair, suite: Suite): HandshakePrefix => ({
  suite,
  attestationId,
  kemId: keys.id,
});

/** Both ends of one session, each with its own copy of the keys. */
export async function sessionPair(suite: Suite = 2): Promise<{ client: SessionKeys; node: SessionKeys }> {
  await ready;
  const keys = newKemKeyPair();
  const handshake = initiateHandshake(prefixFor(keys, suite), publicHalf(keys));
  const { message2, session } = respondToHandshake(handshake.message, keys);
  return { client: handshake.finish(message2), node: session };
}

/** `bytes` with one bit of byte `at` turned over. */
export function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const copy = bytes.slice();
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
