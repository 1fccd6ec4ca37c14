import sodium from "libsodium-wrappers";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { flipped, prefixFor, publicHalf, sessionPair } from "../../test/session-pair.ts";
import { utf8 } from "../wire/index.ts";
import {
  AnswerOpener,
  AnswerSealer,
  dh,
  equalBytes,
  initiateHandshake,
  type KemKeyPair,
  newKemKeyPair,
  newSigningKeyPair,
  newX25519KeyPair,
  openRequest,
  ready,
  respondToHandshake,
  type SessionKeys,
  sealRequest,
  sign,
  verifySignature,
  zeroKem,
} from "./index.ts";
import { OpeningStream, SealingStream } from "./secret-stream.ts";

/**
 * That secrets go when they have served. Nobody can read what is erased, so these tests watch the erasing:
 * libsodium's memzero, and what its streams leave in WebAssembly's memory when it is given back.
 */
const rawSchema = z.object({
  libsodium: z.object({ HEAPU8: z.instanceof(Uint8Array), _free: z.custom<(address: number) => void>() }),
});
const patched: (() => void)[] = [];
afterEach(() => {
  for (const restore of patched.splice(0)) restore();
});

function patch<T extends object, K extends keyof T>(object: T, key: K, by: (original: T[K]) => T[K]): void {
  const original = object[key];
  object[key] = by(original);
  patched.push(() => {
    object[key] = original;
  });
}

/** How many bytes of secrets `act` zeroes with memzero. */
function zeroedBytes(act: () => unknown): number {
  let bytes = 0;
  patch(sodium, "memzero", (memzero) => (buffer) => {
    bytes += buffer.length;
    memzero(buffer);
  });
  try {
    act();
  } finally {
    patched.pop()?.();
  }
  return bytes;
}

/** Addresses given back while `act` ran, and whether every state of a stream was zero by then. */
function freed(act: () => unknown): { count: number; clean: boolean } {
  const raw = rawSchema.parse(sodium).libsodium;
  const found = { count: 0, clean: true };
  const module = (sodium as unknown as { libsodium: typeof raw }).libsodium;
  const states: number[] = [];
  patch(module, "_free", (free) => (address) => {
    states.push(address);
    if (module.HEAPU8.subarray(address, address + 52).some((byte) => byte !== 0)) found.clean = false;
    free(address);
  });
  try {
    act();
  } finally {
    patched.pop()?.();
  }
  found.count = states.length;
  return found;
}

let keys: KemKeyPair;
let session: SessionKeys;
beforeAll(async () => {
  await ready;
  keys = newKemKeyPair();
  session = (await sessionPair()).client;
});

/** HMAC's two pads and inner hash, for each of HKDF's three HMACs; and HKDF's temporary key. */
const hkdfBytes = 3 * (128 + 128 + 64) + 64;
/** A DH's secret and the spare half of the cipher key's hash, the chaining key before, the cipher key before. */
const mixKeyBytes = (isFirst: boolean) => hkdfBytes + 32 + 64 + 64 + (isFirst ? 0 : 32);
/** Both outputs of the last HKDF, the chaining key, the cipher key. */
const splitBytes = hkdfBytes + 2 * 64 + 64 + 32;
/** The chaining key and the cipher key once more, whatever happened; and the ephemeral key. */
const endBytes = 64 + 32 + 32;

describe("a handshake", () => {
  it.each([1, 2] as const)("of suite %i zeroes every secret on both sides", (suite) => {
    const mixes = mixKeyBytes(true) + (suite === 2 ? mixKeyBytes(false) : 0);
    const prefix = prefixFor(keys, suite);
    let handshake = initiateHandshake(prefix, publicHalf(keys));
    expect(
      zeroedBytes(() => {
        handshake = initiateHandshake(prefix, publicHalf(keys));
      }),
    ).toBe(mixes);
    let message2 = new Uint8Array(0);
    expect(
      zeroedBytes(() => {
        message2 = new Uint8Array(respondToHandshake(handshake.message, keys).message2);
      }),
    ).toBe(mixes + mixKeyBytes(false) + splitBytes + endBytes);
    expect(zeroedBytes(() => handshake.finish(message2))).toBe(mixKeyBytes(false) + splitBytes + endBytes);
  });

  it("that fails zeroes the ephemeral key all the same", () => {
    const ephemeral = newX25519KeyPair();
    const weak = { ...publicHalf(keys), x25519: new Uint8Array(32) };
    expect(() => initiateHandshake(prefixFor(keys, 1), weak, ephemeral)).toThrow();
    expect(ephemeral.privateKey).toEqual(new Uint8Array(32));
  });

  it("needs ids of their lengths, and an X-Wing key for suite 2 alone", () => {
    const prefix = prefixFor(keys, 1);
    const { xwing: _, ...classical } = publicHalf(keys);
    expect(() => initiateHandshake({ ...prefix, attestationId: new Uint8Array(31) }, classical)).toThrow(
      RangeError,
    );
    expect(() => initiateHandshake({ ...prefix, kemId: new Uint8Array(9) }, classical)).toThrow(RangeError);
    expect(() => initiateHandshake(prefix, classical)).not.toThrow();
    expect(() => initiateHandshake({ ...prefix, suite: 2 }, classical)).toThrow(RangeError);
  });

  it("does not leave an all-zero secret to the library", () => {
    patch(sodium, "crypto_scalarmult", () => () => new Uint8Array(32) as never);
    expect(() => dh(new Uint8Array(32).fill(1), new Uint8Array(32).fill(9))).toThrow(/all-zero/);
  });

  it("zeroes an epoch without X-Wing too", () => {
    const { xwing: _, ...classical } = newKemKeyPair();
    expect(zeroedBytes(() => zeroKem(classical))).toBe(32);
  });
});

describe("a stream", () => {
  it("zeroes its key when it begins, and its state in memory when it ends", () => {
    const key = new Uint8Array(32).fill(7);
    const sealing = new SealingStream(key.slice());
    expect(zeroedBytes(() => new SealingStream(key.slice()).erase())).toBe(32);
    const last = freed(() => sealing.seal(utf8("x"), utf8(""), true));
    expect(last.count).toBeGreaterThan(0);
    const sealed = new SealingStream(key.slice());
    const frames = [sealed.seal(utf8("a"), utf8(""), false), sealed.seal(utf8("b"), utf8(""), true)];
    const opening = () => new OpeningStream(sealed.header, key.slice());
    expect(zeroedBytes(() => opening().erase())).toBe(32);
    const erased = freed(() => opening().erase());
    expect(erased.clean || erased.count > 1).toBe(true);
    const whole = opening();
    expect(whole.open(frames[0]!, utf8("")).final).toBe(false);
    expect(whole.open(frames[1]!, utf8("")).final).toBe(true);
  });

  /** Whether a stream still has its state: it can be erased exactly once. */
  const hasState = (stream: SealingStream | OpeningStream) => {
    const count = (act: () => unknown) => freed(act).count;
    return count(() => stream.erase()) > 0;
  };

  it("has no state left after its last frame, a frame that is not authentic, or one of another tag", () => {
    const key = new Uint8Array(32).fill(7);
    const sealing = new SealingStream(key.slice());
    const { header } = sealing;
    const frame = sealing.seal(utf8("a"), utf8(""), false);
    expect(hasState(sealing)).toBe(true);
    const ended = new SealingStream(key.slice());
    const only = ended.seal(utf8("a"), utf8(""), true);
    expect(hasState(ended)).toBe(false);
    const done = new OpeningStream(ended.header, key.slice());
    done.open(only, utf8(""));
    expect(hasState(done)).toBe(false);
    const dead = new OpeningStream(header, key.slice());
    expect(() => dead.open(flipped(frame, 3), utf8(""))).toThrow();
    expect(hasState(dead)).toBe(false);
    const { state, header: pushed } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
    const push = sodium.crypto_secretstream_xchacha20poly1305_TAG_PUSH;
    const odd = sodium.crypto_secretstream_xchacha20poly1305_push(state, utf8("a"), utf8(""), push);
    const strange = new OpeningStream(pushed, key.slice());
    expect(() => strange.open(odd, utf8(""))).toThrow(/tag/);
    expect(hasState(strange)).toBe(false);
    const open = new OpeningStream(header, key.slice());
    open.open(frame, utf8(""));
    expect(hasState(open)).toBe(true);
  });

  it("leaves zeros where its state was", () => {
    const module = (sodium as unknown as { libsodium: { HEAPU8: Uint8Array; _free(address: number): void } })
      .libsodium;
    const stream = new SealingStream(new Uint8Array(32).fill(7));
    let left: Uint8Array | undefined;
    patch(module, "_free", (free) => (address) => {
      left ??= module.HEAPU8.slice(address, address + 52);
      free(address);
    });
    stream.erase();
    expect(left).toEqual(new Uint8Array(52));
  });

  it("zeroes the padded words on both ends", () => {
    const bucket = 1_024;
    let sealed = new Uint8Array(0);
    expect(
      zeroedBytes(() => {
        sealed = new Uint8Array(sealRequest(session, 3, utf8("hello")));
      }),
    ).toBe(32 + bucket);
    expect(zeroedBytes(() => openRequest(session, 3, sealed))).toBe(32);
    const sealer = new AnswerSealer(session, 3);
    expect(zeroedBytes(() => sealer.seal([]))).toBe(256);
  });
});

describe("an answer", () => {
  it("has an id in 0..63 at both ends", () => {
    for (const id of [-1, 64, 0.5]) {
      expect(() => new AnswerSealer(session, id)).toThrow(RangeError);
      expect(() => new AnswerOpener(session, id)).toThrow(RangeError);
    }
    expect(sealRequest(session, 0, utf8("first")).length).toBeGreaterThan(0);
    expect(sealRequest(session, 63, utf8("last")).length).toBeGreaterThan(0);
  });

  it("that was whole stays whole when its key is forgotten, and one that was not is cut and keyless", async () => {
    const { client, node } = await sessionPair();
    const sealer = new AnswerSealer(node, 5);
    const [first, last] = [sealer.seal([]), sealer.seal([], true)];
    const whole = new AnswerOpener(client, 5);
    whole.open(first);
    whole.open(last);
    whole.erase();
    expect(whole.final).toBe(true);
    expect(() => whole.end()).not.toThrow();
    const cut = new AnswerOpener(client, 5);
    expect(zeroedBytes(() => expect(() => cut.end()).toThrow())).toBe(32);
    const dead = new AnswerOpener(client, 5);
    // the stream's own copy when it begins, then the opener's
    expect(zeroedBytes(() => expect(() => dead.open(flipped(first, 100))).toThrow())).toBeGreaterThanOrEqual(
      64,
    );
  });
});

describe("signatures and comparisons", () => {
  it("of a wrong length are false, not an error", () => {
    const { publicKey, privateKey } = newSigningKeyPair();
    const message = utf8("hello");
    const signature = sign(message, privateKey);
    expect(verifySignature(signature, message, publicKey)).toBe(true);
    expect(verifySignature(signature.subarray(1), message, publicKey)).toBe(false);
    expect(verifySignature(signature, message, publicKey.subarray(1))).toBe(false);
    expect(equalBytes(Uint8Array.of(1), Uint8Array.of(1, 2))).toBe(false);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
  });
});
