import fc from "fast-check";
import sodium from "libsodium-wrappers";
import { beforeAll, describe, expect, it } from "vitest";
import * as z from "zod";
import { flipped, sessionPair } from "../../test/session-pair.ts";
import { limits, utf8 } from "../wire/index.ts";
import {
  AnswerOpener,
  type AnswerPart,
  AnswerSealer,
  answerFrameCapacity,
  answerPartHeaderBytes,
  openRequest,
  requestBucketOf,
  type SessionKeys,
  sealRequest,
} from "./index.ts";

let client: SessionKeys;
let node: SessionKeys;
let stranger: SessionKeys;
beforeAll(async () => {
  ({ client, node } = await sessionPair());
  ({ client: stranger } = await sessionPair());
});

/** libsodium's own allocator, under the wrappers. */
const rawSchema = z.object({
  libsodium: z.object({
    _malloc: z.custom<(bytes: number) => number>((value) => typeof value === "function"),
    _free: z.custom<(address: number) => void>((value) => typeof value === "function"),
  }),
});

const notAuthentic = expect.objectContaining({ code: "SEALED_STREAM" });

describe("a sealed request", () => {
  it.each([
    [0, 1_024],
    [1_023, 1_024],
    [1_024, 4_096],
    [4_095, 4_096],
    [16_000, 16_384],
    [65_535, 65_536],
    [262_143, 262_144],
  ])("of %i bytes shows only its bucket of %i, and opens", (bytes, bucket) => {
    const plaintext = new Uint8Array(bytes).fill(0x80);
    const sealed = sealRequest(client, 3, plaintext);
    expect(sealed.length).toBe(bucket + limits.sealedRequestOverheadBytes);
    expect(requestBucketOf(sealed.length)).toBe(bucket);
    expect(openRequest(node, 3, sealed)).toEqual(plaintext);
  });

  it("above the largest bucket is BODY_TOO_LARGE, in words that name the limit", () => {
    expect(() => sealRequest(client, 3, new Uint8Array(262_144))).toThrowError(
      expect.objectContaining({ code: "BODY_TOO_LARGE", message: expect.stringContaining("262143") }),
    );
  });

  it("sealed twice is not the same ciphertext", () => {
    expect(sealRequest(client, 3, utf8("same"))).not.toEqual(sealRequest(client, 3, utf8("same")));
  });

  it("does not open under another id, another session, or as an answer", () => {
    const sealed = sealRequest(client, 3, utf8("hello"));
    expect(() => openRequest(node, 4, sealed)).toThrowError(notAuthentic);
    expect(() => openRequest(stranger, 3, sealed)).toThrowError(notAuthentic);
    const reflected = { ...node, clientToNode: node.nodeToClient, nodeToClient: node.clientToNode };
    expect(() => openRequest(reflected, 3, sealed)).toThrowError(notAuthentic);
    expect(openRequest(node, 3, sealed)).toEqual(utf8("hello"));
  });

  it("does not open with any one bit turned over", () => {
    const sealed = sealRequest(client, 3, utf8("hello"));
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), (at) => {
        expect(() => openRequest(node, 3, flipped(sealed, at))).toThrowError(notAuthentic);
      }),
    );
    expect(openRequest(node, 3, sealed)).toEqual(utf8("hello"));
  });

  it("does not open when it is cut, lengthened or empty", () => {
    const sealed = sealRequest(client, 3, new Uint8Array(2_000));
    const inNoBucket = [0, 1, 24, sealed.length - 1];
    for (const length of inNoBucket) {
      expect(() => openRequest(node, 3, sealed.subarray(0, length))).toThrowError(notAuthentic);
    }
    const cutToBucket = sealed.subarray(0, 1_024 + limits.sealedRequestOverheadBytes);
    expect(() => openRequest(node, 3, cutToBucket)).toThrowError(notAuthentic);
  });

  it.each([-1, 64, 1.5, Number.NaN])("has an id in 0..63, so %d is refused", (request) => {
    expect(() => sealRequest(client, request, utf8("hello"))).toThrow(RangeError);
    expect(() => openRequest(node, request, new Uint8Array(0))).toThrow(RangeError);
  });
});

const text = (words: string): AnswerPart => ({ type: 1, payload: utf8(words) });

/** Frames of an answer with `count` parts, the last one final. */
function answer(session: SessionKeys, request: number, count: number): Uint8Array[] {
  const sealer = new AnswerSealer(session, request);
  return Array.from({ length: count }, (_, i) => sealer.seal([text(`part ${i}`)], i === count - 1));
}

describe("a sealed answer", () => {
  it("whatever is said or not said, every frame behind the first has one length", () => {
    const parts = fc.array(fc.record({ type: fc.nat(255), payload: fc.uint8Array({ maxLength: 120 }) }), {
      maxLength: 2,
    });
    fc.assert(
      fc.property(fc.array(parts, { minLength: 1, maxLength: 8 }), (frames) => {
        const sealer = new AnswerSealer(node, 5);
        const opener = new AnswerOpener(client, 5);
        frames.forEach((frameParts, i) => {
          const final = i === frames.length - 1;
          const sealed = sealer.seal(frameParts, final);
          expect(sealed.length).toBe((i === 0 ? 24 : 0) + limits.answerFrameBytes + 17);
          expect(opener.open(sealed)).toEqual({ parts: frameParts, final });
        });
        expect(opener.frames).toBe(frames.length);
        expect(opener.final).toBe(true);
        opener.end();
      }),
    );
  });

  it("fills a frame to its capacity and not a byte further", () => {
    const full = new Uint8Array(answerFrameCapacity - answerPartHeaderBytes);
    const sealer = new AnswerSealer(node, 5);
    expect(() => sealer.seal([{ type: 1, payload: new Uint8Array(full.length + 1) }])).toThrow(RangeError);
    expect(sealer.frames).toBe(0);
    const opened = new AnswerOpener(client, 5).open(sealer.seal([{ type: 1, payload: full }]));
    expect(opened.parts).toEqual([{ type: 1, payload: full }]);
  });

  it("without its final frame is TRUNCATED", () => {
    const opener = new AnswerOpener(client, 5);
    for (const frame of answer(node, 5, 3).slice(0, 2)) opener.open(frame);
    expect(() => opener.end()).toThrowError(expect.objectContaining({ code: "TRUNCATED" }));
    expect(opener.final).toBe(false);
  });

  it("that never began is TRUNCATED", () => {
    expect(() => new AnswerOpener(client, 5).end()).toThrowError(
      expect.objectContaining({ code: "TRUNCATED" }),
    );
  });

  it("has nothing behind its final frame", () => {
    const sealer = new AnswerSealer(node, 5);
    const last = sealer.seal([], true);
    expect(() => sealer.seal([])).toThrow(RangeError);
    const opener = new AnswerOpener(client, 5);
    opener.open(last);
    expect(() => opener.open(last)).toThrowError(notAuthentic);
    expect(opener.final).toBe(false);
  });

  /** Each attack on four frames of one answer; `other` and `foreign` are answers of the same shape. */
  const attacks: [
    string,
    (frames: Uint8Array[], other: Uint8Array[], foreign: Uint8Array[]) => Uint8Array[],
  ][] = [
    ["two frames change places", ([a, b, c, d]) => [a!, c!, b!, d!]],
    ["a frame comes twice", ([a, b, c, d]) => [a!, b!, b!, c!, d!]],
    ["a frame is left out", ([a, , c, d]) => [a!, c!, d!]],
    ["the first frame is left out", ([, b, c, d]) => [b!, c!, d!]],
    ["the first frame comes again", ([a, b, c, d]) => [a!, a!, b!, c!, d!]],
    ["a frame comes from another request", ([a, , c, d], other) => [a!, other[1]!, c!, d!]],
    ["all frames come from another request", (_, other) => other],
    ["all frames come from another session", (_own, _other, foreign) => foreign],
    ["garbage of a frame's length lies between", ([a, b, c, d]) => [a!, b!, new Uint8Array(273), c!, d!]],
    ["an empty frame lies between", ([a, b, c, d]) => [a!, b!, new Uint8Array(0), c!, d!]],
    ["a frame is cut", ([a, b, c, d]) => [a!, b!.subarray(0, 200), c!, d!]],
    ["a bit of the stream's header is turned over", ([a, b, c, d]) => [flipped(a!, 3), b!, c!, d!]],
    ["a bit of a frame is turned over", ([a, b, c, d]) => [a!, flipped(b!, 100), c!, d!]],
    ["a bit of the tag is turned over", ([a, b, c, d]) => [a!, flipped(b!, 0), c!, d!]],
    ["a bit of the MAC is turned over", ([a, b, c, d]) => [a!, b!, c!, flipped(d!, 272)]],
  ];

  it.each(attacks)("is cut for good when %s", (_what, attack) => {
    const frames = answer(node, 5, 4);
    const untampered = new AnswerOpener(client, 5);
    for (const frame of frames) untampered.open(frame);
    untampered.end();

    const opener = new AnswerOpener(client, 5);
    const attacked = attack(frames, answer(node, 6, 4), answer(stranger, 5, 4));
    expect(() => {
      for (const frame of attacked) opener.open(frame);
    }).toThrowError(notAuthentic);
    // Dead stays dead: not even the frame that would have been next is taken.
    const next = frames[opener.frames];
    expect(() => opener.open(next!)).toThrowError(notAuthentic);
    expect(() => opener.end()).toThrowError(expect.objectContaining({ code: "TRUNCATED" }));
  });

  it("is not a request, nor the other way round", () => {
    const reflected = { ...client, clientToNode: client.nodeToClient, nodeToClient: client.clientToNode };
    const frames = answer(reflected, 5, 1);
    expect(() => new AnswerOpener(client, 5).open(frames[0]!)).toThrowError(notAuthentic);
    expect(() => new AnswerOpener(client, 5).open(answer(node, 5, 1)[0]!)).not.toThrow();
  });

  it("given up by the client takes no frame any more", () => {
    const [first, second] = answer(node, 5, 2);
    const opener = new AnswerOpener(client, 5);
    opener.open(first!);
    opener.erase();
    expect(() => opener.open(second!)).toThrowError(notAuthentic);
  });

  it("given up by the node makes no frame any more", () => {
    const sealer = new AnswerSealer(node, 5);
    sealer.seal([]);
    sealer.erase();
    expect(() => sealer.seal([])).toThrow(RangeError);
  });

  it("leaves nothing in WebAssembly's memory, whether it ended, died or was given up", () => {
    const raw = rawSchema.parse(sodium).libsodium;
    const nextFree = (): number => {
      const address = raw._malloc(52);
      raw._free(address);
      return address;
    };
    const streams = 600;
    const before = nextFree();
    let died = 0;
    for (let i = 0; i < streams; i++) {
      const sealer = new AnswerSealer(node, 5);
      const opener = new AnswerOpener(client, 5);
      const frame = sealer.seal([], i % 3 === 0);
      try {
        opener.open(i % 3 === 1 ? flipped(frame, 30) : frame);
      } catch {
        died++;
      }
      sealer.erase();
      opener.erase();
    }
    expect(died).toBe(streams / 3);
    // States kept, 52 bytes each, would have pushed the next free place up by all of them.
    expect(nextFree() - before).toBeLessThan(52 * 10);
    for (let i = 0; i < 20; i++) new AnswerSealer(node, 5).seal([]);
    expect(nextFree() - before).toBeGreaterThan(52 * 10);
  });
});
