import { beforeAll, describe, expect, it } from "vitest";
import { attestationId, flipped, prefixFor, publicHalf } from "../../test/session-pair.ts";
import { handshakePrefixBytes, toHex } from "../wire/index.ts";
import {
  decodeHandshake,
  initiateHandshake,
  type KemKeyPair,
  newKemKeyPair,
  newX25519KeyPair,
  ready,
  respondToHandshake,
  type Suite,
  sessionIdHex,
  zeroKem,
  zeroSession,
} from "./index.ts";

const refused = expect.objectContaining({ code: "HANDSHAKE_INVALID" });

/** First and last byte of every part of message 1 behind each other, as `name → offset`. */
const partsOfMessage1 = (suite: Suite): [name: string, at: number][] => {
  const ends: [string, number][] = [
    ["attestation id", 33],
    ["kem id", 41],
    ["ephemeral key", 41 + 32],
    ...(suite === 2 ? ([["X-Wing ciphertext", 41 + 32 + 1_120]] as [string, number][]) : []),
    ["mac", 41 + 32 + (suite === 2 ? 1_120 : 0) + 16],
  ];
  return ends.flatMap(([name, end], i) => [
    [`first byte of the ${name}`, i === 0 ? 1 : ends[i - 1]![1]],
    [`last byte of the ${name}`, end - 1],
  ]);
};

describe.each([1, 2] as const)("suite %i", (suite) => {
  let keys: KemKeyPair;
  beforeAll(async () => {
    await ready;
    keys = newKemKeyPair();
  });
  const initiate = () => initiateHandshake(prefixFor(keys, suite), publicHalf(keys));

  it("both ends hold the same keys, and a key per direction", () => {
    const handshake = initiate();
    expect(handshake.message.length).toBe(handshakePrefixBytes + (suite === 1 ? 48 : 48 + 1_120));
    const { message2, session } = respondToHandshake(handshake.message, keys);
    expect(message2.length).toBe(48);
    const client = handshake.finish(message2);
    expect(client).toEqual(session);
    expect(client.clientToNode).not.toEqual(client.nodeToClient);
    expect(sessionIdHex(client)).toBe(toHex(session.sessionId));
  });

  it("the prefix in front of message 1 says which key it is for", () => {
    const { prefix } = decodeHandshake(initiate().message);
    expect(prefix).toEqual({ suite, attestationId, kemId: keys.id });
  });

  it("no two sessions share a key", () => {
    const sessions = [initiate(), initiate()].map((handshake) => respondToHandshake(handshake.message, keys));
    expect(sessions[0]?.session.clientToNode).not.toEqual(sessions[1]?.session.clientToNode);
    expect(sessions[0]?.session.sessionId).not.toEqual(sessions[1]?.session.sessionId);
  });

  it.each(partsOfMessage1(suite))("the node refuses message 1 with another %s", (_name, at) => {
    const { message } = initiate();
    expect(() => respondToHandshake(flipped(message, at), keys)).toThrowError(refused);
    expect(() => respondToHandshake(message, keys)).not.toThrow();
  });

  it("the node refuses message 1 of every other length", () => {
    const { message } = initiate();
    const lengths = [0, 1, handshakePrefixBytes, message.length - 1];
    for (const length of lengths) {
      expect(() => respondToHandshake(message.slice(0, length), keys)).toThrowError(refused);
    }
    const longer = new Uint8Array(message.length + 1);
    longer.set(message);
    expect(() => respondToHandshake(longer, keys)).toThrowError(refused);
  });

  it.each([0, 31, 32, 47])("the client refuses message 2 with another byte %i", (at) => {
    const [tampered, untampered] = [initiate(), initiate()];
    const answer = (message: Uint8Array) => respondToHandshake(message, keys).message2;
    expect(() => tampered.finish(flipped(answer(tampered.message), at))).toThrowError(refused);
    expect(() => untampered.finish(answer(untampered.message))).not.toThrow();
  });

  it("the client refuses message 2 of another handshake, of another length, and a second one", () => {
    const [first, second] = [initiate(), initiate()];
    const answer = respondToHandshake(first.message, keys).message2;
    expect(() => second.finish(answer)).toThrowError(refused);
    expect(() => initiate().finish(answer.slice(0, 47))).toThrowError(refused);
    first.finish(answer);
    expect(() => first.finish(answer)).toThrowError(
      expect.objectContaining({
        code: "HANDSHAKE_INVALID",
        cause: expect.objectContaining({ message: expect.stringContaining("already") }),
      }),
    );
  });

  it("a node without the attested key cannot answer", () => {
    const impostor: KemKeyPair = { ...newKemKeyPair(), id: keys.id };
    expect(() => respondToHandshake(initiate().message, impostor)).toThrowError(refused);
    expect(() => respondToHandshake(initiate().message, keys)).not.toThrow();
  });

  it("a low-order key is refused on both sides", () => {
    const lowOrder = new Uint8Array(32);
    expect(() =>
      initiateHandshake(prefixFor(keys, suite), { ...publicHalf(keys), x25519: lowOrder }),
    ).toThrowError(refused);
    const message = initiate().message.slice();
    message.set(lowOrder, handshakePrefixBytes);
    expect(() => respondToHandshake(message, keys)).toThrowError(refused);
  });
});

describe("keys", () => {
  beforeAll(() => ready);

  it("a gateway that changes the suite makes both handshakes fail: there is no way down", () => {
    const keys = newKemKeyPair();
    const { message } = initiateHandshake(prefixFor(keys, 2), publicHalf(keys));
    const downgraded = message.slice(0, handshakePrefixBytes + 48);
    downgraded[0] = 1;
    expect(() => respondToHandshake(downgraded, keys)).toThrowError(refused);
    expect(() => respondToHandshake(flipped(message, 0), keys)).toThrowError(refused);
    const { xwing: _, ...classical } = publicHalf(keys);
    expect(() => initiateHandshake(prefixFor(keys, 2), classical)).toThrow(RangeError);
  });

  it("an ephemeral key is zeroed when the handshake is over", () => {
    const keys = newKemKeyPair();
    const [mine, theirs] = [newX25519KeyPair(), newX25519KeyPair()];
    const handshake = initiateHandshake(prefixFor(keys, 1), publicHalf(keys), mine);
    expect(mine.privateKey).not.toEqual(new Uint8Array(32));
    handshake.finish(respondToHandshake(handshake.message, keys, theirs).message2);
    expect(mine.privateKey).toEqual(new Uint8Array(32));
    expect(theirs.privateKey).toEqual(new Uint8Array(32));
  });

  it("zeroing an epoch and a session leaves no secret byte", () => {
    const keys = newKemKeyPair();
    const handshake = initiateHandshake(prefixFor(keys, 2), publicHalf(keys));
    const { session } = respondToHandshake(handshake.message, keys);
    zeroKem(keys);
    zeroSession(session);
    const secrets = [keys.x25519, keys.xwing].map((pair) => pair?.privateKey);
    for (const secret of [...secrets, session.clientToNode, session.nodeToClient]) {
      expect(secret?.length).toBeGreaterThan(0);
      expect(secret?.every((byte) => byte === 0)).toBe(true);
    }
  });
});
