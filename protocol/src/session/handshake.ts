import { concat, toHex, utf8 } from "../wire/encoding.ts";
import { BombyxError } from "../wire/error.ts";
import { handshakePrefixBytes } from "../wire/gateway-api.ts";
import { dh, SymmetricState } from "./noise.ts";
import { blake2b256, sodium, zero } from "./sodium.ts";

/**
 * PROTOCOL §5: Noise_NK_25519_ChaChaPoly_BLAKE2b. Suite 2 mixes an X-Wing secret into message 1
 * between `es` and the payload. The 41 bytes that precede message 1 are in the prologue, so a
 * gateway that changes suite, attestation or key makes the handshake fail on both sides.
 */
export type Suite = 1 | 2;
export const noiseName = "Noise_NK_25519_ChaChaPoly_BLAKE2b";
const keyBytes = 32;
const macBytes = 16;
const xwingCiphertextBytes = 1_120;
/** Noise messages with empty payloads; message 1 stands behind the prefix. */
const message1Bytes: ReadonlyMap<number | undefined, number> = new Map([
  [1, keyBytes + macBytes],
  [2, keyBytes + xwingCiphertextBytes + macBytes],
]);
const message2Bytes = keyBytes + macBytes;

export interface KeyPair {
  readonly publicKey: Uint8Array;
  readonly privateKey: Uint8Array;
}

/** The public half of an epoch's key, as a statement lists it. */
export interface KemPublicKey {
  readonly id: Uint8Array;
  readonly x25519: Uint8Array;
  /** Present exactly for suite 2. */
  readonly xwing?: Uint8Array;
}

/** The epoch's secrets; they never leave the enclave. */
export interface KemKeyPair {
  readonly id: Uint8Array;
  readonly x25519: KeyPair;
  readonly xwing?: KeyPair;
}

/** What both ends hold afterwards. `zeroSession` erases it. */
export interface SessionKeys {
  /** 32 bytes, public: names the session on the wire and in receipts. */
  readonly sessionId: Uint8Array;
  readonly handshakeHash: Uint8Array;
  readonly clientToNode: Uint8Array;
  readonly nodeToClient: Uint8Array;
}

export interface HandshakePrefix {
  readonly suite: Suite;
  readonly attestationId: Uint8Array;
  readonly kemId: Uint8Array;
}

export const newX25519KeyPair = (): KeyPair => sodium.crypto_box_keypair();
export const newXWingKeyPair = (): KeyPair => sodium.crypto_kem_xwing_keypair();

/** Makes an epoch's keys: an 8-byte id, X25519 and X-Wing. */
export function newKemKeyPair(): KemKeyPair {
  const x25519 = newX25519KeyPair();
  const xwing = newXWingKeyPair();
  const id = blake2b256(utf8("bombyx/kem-id/v1\0"), x25519.publicKey, xwing.publicKey).slice(0, 8);
  return { id, x25519, xwing };
}

export function zeroKem(keys: KemKeyPair): void {
  zero(keys.x25519.privateKey);
  if (keys.xwing) zero(keys.xwing.privateKey);
}

export function zeroSession(keys: SessionKeys): void {
  zero(keys.clientToNode, keys.nodeToClient, keys.handshakeHash);
}

function encodePrefix({ suite, attestationId, kemId }: HandshakePrefix): Uint8Array {
  if (attestationId.length !== 32 || kemId.length !== 8)
    throw new RangeError("attestation id is 32 bytes, kem id 8");
  return concat(Uint8Array.of(suite), attestationId, kemId);
}

/** @throws BombyxError HANDSHAKE_INVALID on an unknown suite or a message of another length than that suite's. */
export function decodeHandshake(message: Uint8Array): { prefix: HandshakePrefix; noise: Uint8Array } {
  const suite = message[0];
  // no message has a length that is not a number
  const noiseBytes = message1Bytes.get(suite) ?? Number.NaN;
  if (message.length !== handshakePrefixBytes + noiseBytes) {
    throw new BombyxError(
      "HANDSHAKE_INVALID",
      "A handshake is a suite (1 or 2), an attestation id, a kem id and Noise message 1.",
    );
  }
  return {
    prefix: {
      suite: suite as Suite,
      attestationId: message.slice(1, 33),
      kemId: message.slice(33, handshakePrefixBytes),
    },
    noise: message.subarray(handshakePrefixBytes),
  };
}

function begin(prefix: HandshakePrefix, responderKey: Uint8Array): SymmetricState {
  const state = new SymmetricState(noiseName);
  state.mixHash(concat(utf8("bombyx/1\0"), encodePrefix(prefix)));
  state.mixHash(responderKey);
  return state;
}

function finish(state: SymmetricState): SessionKeys {
  const handshakeHash = state.handshakeHash;
  const [clientToNode, nodeToClient] = state.split();
  return {
    sessionId: blake2b256(utf8("bombyx/session/v1\0"), handshakeHash),
    handshakeHash,
    clientToNode,
    nodeToClient,
  };
}

export interface InitiatedHandshake {
  /** Prefix and Noise message 1: the body to post. */
  readonly message: Uint8Array;
  /**
   * Takes Noise message 2, which proves that the attested key is alive.
   * @throws BombyxError HANDSHAKE_INVALID when it does not decrypt; nothing may be sent then.
   */
  finish(message2: Uint8Array): SessionKeys;
}

/**
 * Client side. `ephemeral` may be prepared ahead, and is used once.
 * @throws BombyxError HANDSHAKE_INVALID when the node's key is of low order.
 * @throws RangeError for suite 2 without an X-Wing key: there is no way down to suite 1.
 */
export function initiateHandshake(
  prefix: HandshakePrefix,
  node: KemPublicKey,
  ephemeral: KeyPair = newX25519KeyPair(),
): InitiatedHandshake {
  if (prefix.suite === 2 && !node.xwing) throw new RangeError("suite 2 needs the node's X-Wing key");
  const state = begin(prefix, node.x25519);
  const parts = [encodePrefix(prefix), ephemeral.publicKey];
  try {
    state.mixHash(ephemeral.publicKey);
    state.mixKey(dh(ephemeral.privateKey, node.x25519));
    if (prefix.suite === 2 && node.xwing) {
      const { ciphertext, sharedSecret } = sodium.crypto_kem_xwing_enc(node.xwing);
      state.mixHash(ciphertext);
      state.mixKey(sharedSecret);
      parts.push(ciphertext);
    }
    parts.push(state.encryptAndHash(new Uint8Array(0)));
  } catch (cause) {
    zero(ephemeral.privateKey);
    throw new BombyxError("HANDSHAKE_INVALID", "The node's key cannot be used for a handshake.", { cause });
  }
  let finished = false;
  return {
    message: concat(...parts),
    finish(message2) {
      try {
        if (finished) throw new Error("this handshake has already been finished");
        finished = true;
        if (message2.length !== message2Bytes) throw new RangeError(`message 2 of ${message2.length} bytes`);
        const remote = message2.subarray(0, keyBytes);
        state.mixHash(remote);
        state.mixKey(dh(ephemeral.privateKey, remote));
        state.decryptAndHash(message2.subarray(keyBytes));
        return finish(state);
      } catch (cause) {
        throw new BombyxError(
          "HANDSHAKE_INVALID",
          "The node did not prove that it holds the attested key; nothing was sent.",
          { cause },
        );
      } finally {
        zero(ephemeral.privateKey);
        state.erase();
      }
    },
  };
}

/**
 * Node side: answers a handshake for `keys`, whose ids the caller has matched with the prefix.
 * @throws BombyxError HANDSHAKE_INVALID on anything but an authentic message 1.
 */
export function respondToHandshake(
  message: Uint8Array,
  keys: KemKeyPair,
  ephemeral: KeyPair = newX25519KeyPair(),
): { message2: Uint8Array; session: SessionKeys } {
  const { prefix, noise } = decodeHandshake(message);
  const state = begin(prefix, keys.x25519.publicKey);
  try {
    const remote = noise.subarray(0, keyBytes);
    state.mixHash(remote);
    state.mixKey(dh(keys.x25519.privateKey, remote));
    let at = keyBytes;
    if (prefix.suite === 2) {
      if (!keys.xwing) throw new RangeError("no X-Wing key in this epoch");
      const ciphertext = noise.subarray(at, at + xwingCiphertextBytes);
      at += xwingCiphertextBytes;
      state.mixHash(ciphertext);
      state.mixKey(sodium.crypto_kem_xwing_dec(ciphertext, keys.xwing.privateKey));
    }
    state.decryptAndHash(noise.subarray(at));
    state.mixHash(ephemeral.publicKey);
    state.mixKey(dh(ephemeral.privateKey, remote));
    const message2 = concat(ephemeral.publicKey, state.encryptAndHash(new Uint8Array(0)));
    return { message2, session: finish(state) };
  } catch (cause) {
    throw new BombyxError("HANDSHAKE_INVALID", "This handshake is not authentic for the key it names.", {
      cause,
    });
  } finally {
    zero(ephemeral.privateKey);
    state.erase();
  }
}

/** The session id as it stands in URLs and receipts. */
export const sessionIdHex = (keys: SessionKeys): string => toHex(keys.sessionId);
