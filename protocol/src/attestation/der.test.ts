import { describe, expect, test } from "vitest";
import * as der from "../simulation/der-writer.ts";
import { fromHex, toHex, utf8 } from "../wire/encoding.ts";
import { boolean, DerReader, nextTime, smallInteger, tags, unsignedInteger } from "./der.ts";
import { rawSignature } from "./ecdsa.ts";

const reader = (hex: string) => new DerReader(fromHex(hex));
const refused = (read: () => unknown) => expect(read).toThrow(RangeError);

describe("a DER value", () => {
  test.each([0, 1, 0x7f, 0x80, 0xff, 0x100, 0xffff])("of %i bytes is read as it was written", (size) => {
    const written = der.octets(new Uint8Array(size).fill(7));
    const value = new DerReader(written).next(tags.octetString);
    expect(value.content.length).toBe(size);
    expect(value.raw).toEqual(written);
  });

  test.each([
    ["an indefinite length", "0480040000"],
    ["a long form where the short one does", "048101ff"],
    ["a leading zero in the length", `04820080${"00".repeat(128)}`],
    ["a length of four bytes", "048400000001ff"],
    ["more content than there is", "0402ff"],
    ["a header without length", "04"],
    ["another tag", "0501ff"],
    ["nothing", ""],
  ])("with %s is refused", (_, hex) => refused(() => reader(hex).next(tags.octetString)));

  test("with bytes behind it is refused", () => {
    const whole = reader("0401ff00");
    whole.next(tags.octetString);
    refused(() => whole.end());
  });
});

describe("an INTEGER", () => {
  test.each([
    ["020100", "00"],
    ["02017f", "7f"],
    ["02020080", "80"],
    ["02020100", "0100"],
  ])("%s is %s", (hex, value) => expect(toHex(unsignedInteger(reader(hex).next(2)))).toBe(value));

  test.each(["0200", "020180", "0202007f", "02020000"])(
    "%s, negative or not the shortest, is refused",
    (hex) => refused(() => unsignedInteger(reader(hex).next(2))),
  );

  test("of more than four bytes is too large for a number", () => {
    expect(smallInteger(reader("0204 7fffffff".replace(" ", "")).next(2))).toBe(0x7fffffff);
    refused(() => smallInteger(reader("02050100000000").next(2)));
  });
});

test("a BOOLEAN is 00 or FF", () => {
  expect(boolean(reader("0101ff").next(1))).toBe(true);
  expect(boolean(reader("010100").next(1))).toBe(false);
  refused(() => boolean(reader("010101").next(1)));
  refused(() => boolean(reader("0102ffff").next(1)));
});

describe("a time", () => {
  const read = (tag: number, text: string) => nextTime(new DerReader(der.tlv(tag, utf8(text))));

  test("is UTCTime until 2049 and GeneralizedTime from 2050", () => {
    for (const at of [Date.UTC(1999, 11, 31, 23, 59, 59), Date.UTC(2049, 11, 31), Date.UTC(2050, 0, 1)]) {
      expect(nextTime(new DerReader(der.time(at)))).toBe(at);
    }
  });

  test("of years 50 to 99 in two digits is of the twentieth century", () =>
    expect(read(tags.utcTime, "500101000000Z")).toBe(Date.UTC(1950, 0, 1)));

  test.each([
    [tags.utcTime, "260230000000Z"],
    [tags.utcTime, "261301000000Z"],
    [tags.utcTime, "260101240000Z"],
    [tags.utcTime, "2601010000Z"],
    [tags.utcTime, "260101000000"],
    [tags.utcTime, "260101000000+0000"],
    [tags.utcTime, "26010100000xZ"],
    [tags.generalizedTime, "20260101000000.5Z"],
    [tags.octetString, "260101000000Z"],
  ])("of tag %i that reads %s is refused", (tag, text) => refused(() => read(tag, text)));
});

test("a signature is two numbers of at most 32 bytes, and nothing else", () => {
  const raw = new Uint8Array(64).fill(0x80);
  raw[0] = 0;
  expect(rawSignature(der.ecdsaSignature(raw))).toEqual(raw);
  const number = der.integer(raw);
  refused(() => rawSignature(der.sequence(der.integer(new Uint8Array(33).fill(1)), number)));
  refused(() => rawSignature(der.sequence(der.integer(1))));
  refused(() => rawSignature(der.sequence(der.integer(1), der.integer(1), der.integer(1))));
});
