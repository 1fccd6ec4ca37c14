import sodium from "libsodium-wrappers";
import { beforeAll, describe, expect, it } from "vitest";
import { prefixFor, publicHalf } from "../../test/session-pair.ts";
import { concat, utf8 } from "../wire/index.ts";
import { initiateHandshake, type KemKeyPair, newKemKeyPair, ready, type Suite } from "./index.ts";

/** The handshake of docs/protocol.md §5, written a second time with libsodium alone: a responder by hand. */
const hash = (...parts: Uint8Array[]) => sodium.crypto_generichash(64, concat(...parts), null);
function hmac(key: Uint8Array, ...parts: Uint8Array[]): Uint8Array {
  const padded = new Uint8Array(128);
  padded.set(key);
  const inner = padded.map((byte) => byte ^ 0x36);
  const outer = padded.map((byte) => byte ^ 0x5c);
  return hash(outer, hash(inner, ...parts));
}
function hkdf(chainingKey: Uint8Array, input: Uint8Array): [Uint8Array, Uint8Array] {
  const temp = hmac(chainingKey, input);
  const one = hmac(temp, Uint8Array.of(1));
  return [one, hmac(temp, one, Uint8Array.of(2))];
}
const nonce = new Uint8Array(12);

/** Answers message 1 as the document says, and returns message 2 with the keys of the session. */
function respondByHand(message: Uint8Array, keys: KemKeyPair, suite: Suite) {
  const noise = message.subarray(41);
  let h: Uint8Array = new Uint8Array(64);
  h.set(utf8("Noise_NK_25519_ChaChaPoly_BLAKE2b"));
  let chainingKey: Uint8Array = h;
  h = hash(h, utf8("bombyx/1\0"), message.subarray(0, 41));
  h = hash(h, keys.x25519.publicKey);
  const remote = noise.subarray(0, 32);
  h = hash(h, remote);
  let key: Uint8Array;
  [chainingKey, key] = hkdf(chainingKey, sodium.crypto_scalarmult(keys.x25519.privateKey, remote));
  let at = 32;
  if (suite === 2) {
    const ciphertext = noise.subarray(at, at + 1_120);
    at += 1_120;
    h = hash(h, ciphertext);
    const secret = sodium.crypto_kem_xwing_dec(ciphertext, keys.xwing?.privateKey ?? new Uint8Array(0));
    [chainingKey, key] = hkdf(chainingKey, secret);
  }
  const mac = noise.subarray(at);
  const payload = sodium.crypto_aead_chacha20poly1305_ietf_decrypt(null, mac, h, nonce, key.subarray(0, 32));
  expect(payload.length).toBe(0);
  h = hash(h, mac);
  const ephemeral = sodium.crypto_box_keypair();
  h = hash(h, ephemeral.publicKey);
  [chainingKey, key] = hkdf(chainingKey, sodium.crypto_scalarmult(ephemeral.privateKey, remote));
  const mac2 = sodium.crypto_aead_chacha20poly1305_ietf_encrypt(
    new Uint8Array(0),
    h,
    null,
    nonce,
    key.subarray(0, 32),
  );
  h = hash(h, mac2);
  const [clientToNode, nodeToClient] = hkdf(chainingKey, new Uint8Array(0));
  return {
    message2: concat(ephemeral.publicKey, mac2),
    session: {
      sessionId: sodium.crypto_generichash(32, concat(utf8("bombyx/session/v1\0"), h), null),
      handshakeHash: h,
      clientToNode: clientToNode.subarray(0, 32),
      nodeToClient: nodeToClient.subarray(0, 32),
    },
  };
}

describe.each([1, 2] as const)("suite %i", (suite) => {
  beforeAll(() => ready);
  it("is what the document says, byte for byte", () => {
    const keys = newKemKeyPair();
    const handshake = initiateHandshake(prefixFor(keys, suite), publicHalf(keys));
    const { message2, session } = respondByHand(handshake.message, keys, suite);
    expect(handshake.finish(message2)).toEqual(session);
  });
});

describe("a second transport message", () => {
  it("has the next nonce, little-endian in the last eight bytes", async () => {
    await ready;
    const { CipherState } = await import("./index.ts");
    const key = new Uint8Array(32).fill(3);
    const cipher = new CipherState(key);
    const byHand = (count: number) => {
      const counted = new Uint8Array(12);
      counted[4] = count;
      return sodium.crypto_aead_chacha20poly1305_ietf_encrypt(utf8("x"), utf8("ad"), null, counted, key);
    };
    expect(cipher.encrypt(utf8("ad"), utf8("x"))).toEqual(byHand(0));
    expect(cipher.encrypt(utf8("ad"), utf8("x"))).toEqual(byHand(1));
  });
});
