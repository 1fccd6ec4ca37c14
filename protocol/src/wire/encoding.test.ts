import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  base64,
  bucketFor,
  concat,
  fromBase64,
  fromHex,
  fromUtf8,
  hex,
  limits,
  nano,
  toBase64,
  toHex,
  u64be,
  utf8,
} from "./index.ts";

describe("encodings", () => {
  it("hex and base64 read back every byte string", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes);
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
        expect(base64.safeParse(toBase64(bytes)).success).toBe(true);
      }),
    );
  });

  it("base64 of a whole bundle's size reads back", () => {
    const bytes = new Uint8Array(limits.bundleBytes).map((_, i) => i % 251);
    expect(fromBase64(toBase64(bytes))).toEqual(bytes);
  });

  it.each(["A", "0x00", "0g", "ABCD", "00 00"])("%j is no hex of ours", (text) => {
    expect(() => fromHex(text)).toThrow(RangeError);
  });

  it("hex of fixed length takes exactly that length, lower case, and no line end", () => {
    const id = "ab".repeat(32);
    expect(hex.b32.safeParse(id).success).toBe(true);
    for (const wrong of [id.slice(2), `${id}ab`, id.toUpperCase(), `${id}\n`]) {
      expect(hex.b32.safeParse(wrong).success).toBe(false);
    }
  });

  it.each(["AB==", "AA=", "AA", "AA==\n", " AA==", "AA-_"])("%j is no canonical base64", (text) => {
    expect(base64.safeParse(text).success).toBe(false);
    expect(base64.safeParse("AA==").success).toBe(true);
  });

  it.each([
    ["an overlong encoding", Uint8Array.of(0xc0, 0x80)],
    ["half a surrogate pair", Uint8Array.of(0xed, 0xa0, 0x80)],
    ["a cut sequence", Uint8Array.of(0xe2, 0x82)],
  ])("%s is not UTF-8", (_what, bytes) => {
    expect(() => fromUtf8(bytes)).toThrow(TypeError);
  });

  it("a byte order mark is part of the text, so that one text has one encoding", () => {
    const marked = concat(Uint8Array.of(0xef, 0xbb, 0xbf), utf8("{}"));
    expect(fromUtf8(marked)).toBe("\ufeff{}");
    expect(utf8(fromUtf8(marked))).toEqual(marked);
  });

  it("nanoTON is a decimal string of up to 39 digits", () => {
    expect(nano.parse("0")).toBe(0n);
    expect(nano.parse("9".repeat(39))).toBe(10n ** 39n - 1n);
    for (const wrong of ["", "00", "1e3", "-1", "1".repeat(40)]) {
      expect(nano.safeParse(wrong).success).toBe(false);
    }
  });

  it("u64be is eight bytes, big end first, for exactly the numbers that fit", () => {
    expect([...u64be(0x0102)]).toEqual([0, 0, 0, 0, 0, 0, 1, 2]);
    expect([...u64be(2n ** 64n - 1n)]).toEqual(Array(8).fill(0xff));
    for (const wrong of [-1, 2n ** 64n, 1.5, Number.NaN]) expect(() => u64be(wrong)).toThrow(RangeError);
  });
});

describe("buckets", () => {
  it("the smallest that holds a value is chosen, and the largest is named when none does", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 262_144 }), (value) => {
        const bucket = bucketFor(value, limits.requestBuckets);
        expect(bucket).toBeGreaterThanOrEqual(value);
        const smaller = limits.requestBuckets.filter((size) => size < bucket);
        expect(smaller.every((size) => size < value)).toBe(true);
      }),
    );
    expect(() => bucketFor(65_537, limits.maxTokensBuckets)).toThrow(/65536/);
  });
});
