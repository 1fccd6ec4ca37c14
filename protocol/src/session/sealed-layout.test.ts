import sodium from "libsodium-wrappers";
import { beforeAll, describe, expect, it } from "vitest";
import { sessionPair } from "../../test/session-pair.ts";
import { concat, fromUtf8, u64be, utf8 } from "../wire/index.ts";
import { AnswerOpener, AnswerSealer, openRequest, type SessionKeys, sealRequest } from "./index.ts";

/** The byte layout of docs/protocol.md §6, written a second time with libsodium alone. */
let client: SessionKeys;
let node: SessionKeys;
beforeAll(async () => {
  ({ client, node } = await sessionPair());
});

const request = 9;
const notAuthentic = expect.objectContaining({ code: "SEALED_STREAM" });
const keyOf = (key: Uint8Array, label: string) =>
  sodium.crypto_generichash(32, concat(utf8(label), u64be(request)), key);
const additionalData = (session: SessionKeys, direction: 0 | 1) =>
  concat(session.handshakeHash, u64be(request), Uint8Array.of(direction));

function sealedByHand(
  key: Uint8Array,
  ad: Uint8Array,
  padded: Uint8Array,
  tag = sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL,
): Uint8Array {
  const { state, header } = sodium.crypto_secretstream_xchacha20poly1305_init_push(key);
  return concat(header, sodium.crypto_secretstream_xchacha20poly1305_push(state, padded, ad, tag));
}

function openedByHand(key: Uint8Array, ad: Uint8Array, sealed: Uint8Array) {
  const state = sodium.crypto_secretstream_xchacha20poly1305_init_pull(sealed.subarray(0, 24), key);
  const opened = sodium.crypto_secretstream_xchacha20poly1305_pull(state, sealed.subarray(24), ad);
  if (!opened) throw new Error("not authentic");
  return opened;
}

/** `text`, 0x80, zeros: ISO/IEC 7816-4 up to `bytes`. */
function padded(text: Uint8Array, bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  whole.set(text);
  whole[text.length] = 0x80;
  return whole;
}

describe("a request sealed by hand, as documented", () => {
  const byHand = (tag?: number, plaintext = padded(utf8("hello"), 1_024)) =>
    sealedByHand(
      keyOf(client.clientToNode, "bombyx/1 req\0"),
      additionalData(client, 0),
      plaintext,
      ...(tag === undefined ? [] : [tag]),
    );

  it("opens", () => {
    expect(fromUtf8(openRequest(node, request, byHand()))).toBe("hello");
  });

  it.each(["MESSAGE", "PUSH", "REKEY"] as const)(
    "is refused with TAG_%s: its end could have been cut off",
    (name) => {
      const tag = sodium[`crypto_secretstream_xchacha20poly1305_TAG_${name}`];
      expect(() => openRequest(node, request, byHand(tag))).toThrowError(notAuthentic);
    },
  );

  it("is refused without its padding, or when it is no bucket's length", () => {
    expect(() => openRequest(node, request, byHand(undefined, new Uint8Array(1_024)))).toThrowError(
      notAuthentic,
    );
    expect(() => openRequest(node, request, byHand(undefined, padded(utf8("hello"), 2_048)))).toThrowError(
      notAuthentic,
    );
  });

  it("is what sealRequest makes", () => {
    const { message, tag } = openedByHand(
      keyOf(node.clientToNode, "bombyx/1 req\0"),
      additionalData(node, 0),
      sealRequest(client, request, utf8("hello")),
    );
    expect(message).toEqual(padded(utf8("hello"), 1_024));
    expect(tag).toBe(sodium.crypto_secretstream_xchacha20poly1305_TAG_FINAL);
  });
});

describe("an answer sealed by hand, as documented", () => {
  const part = concat(Uint8Array.of(1, 0, 5), utf8("hello"));
  const byHand = (plaintext: Uint8Array, tag?: number) =>
    sealedByHand(
      keyOf(node.nodeToClient, "bombyx/1 resp\0"),
      additionalData(node, 1),
      plaintext,
      ...(tag === undefined ? [] : [tag]),
    );
  const open = (sealed: Uint8Array) => new AnswerOpener(client, request).open(sealed);

  it("opens", () => {
    const { parts, final } = open(byHand(padded(part, 256)));
    expect(parts).toEqual([{ type: 1, payload: utf8("hello") }]);
    expect(final).toBe(true);
  });

  it.each(["PUSH", "REKEY"] as const)("is refused with TAG_%s, which nobody sends", (name) => {
    const tag = sodium[`crypto_secretstream_xchacha20poly1305_TAG_${name}`];
    expect(() => open(byHand(padded(part, 256), tag))).toThrowError(notAuthentic);
  });

  it("is refused, though authentic, when a part is cut, has half a header, or no padding follows", () => {
    const wrong = [
      padded(concat(part, Uint8Array.of(2, 0, 1)), 256),
      padded(concat(part, Uint8Array.of(2, 0)), 256),
      new Uint8Array(256),
    ];
    for (const plaintext of wrong) expect(() => open(byHand(plaintext))).toThrowError(notAuthentic);
  });

  it("is what AnswerSealer makes", () => {
    const { message, tag } = openedByHand(
      keyOf(client.nodeToClient, "bombyx/1 resp\0"),
      additionalData(client, 1),
      new AnswerSealer(node, request).seal([{ type: 1, payload: utf8("hello") }]),
    );
    expect(message).toEqual(padded(part, 256));
    expect(tag).toBe(sodium.crypto_secretstream_xchacha20poly1305_TAG_MESSAGE);
  });
});
