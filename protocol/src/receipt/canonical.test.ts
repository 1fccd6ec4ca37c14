import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, fromUtf8, u64be, utf8 } from "../wire/index.ts";
import { canonicalBytes, domainBytes } from "./index.ts";

/** The same value with the members of every object in another order. */
function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered);
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, member]) => [name, reordered(member)]),
  );
}

describe("canonical JSON", () => {
  it("sorts names by UTF-16 code units, without white space, as RFC 8785 §3.2.3 shows", () => {
    const value = { "\u20ac": 1, "\r": 2, "\ufb33": 3, "1": 4, "\u{1f600}": 5, "\u0080": 6, "\u00f6": 7 };
    expect(fromUtf8(canonicalBytes(value))).toBe(
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\u{1f600}":5,"\ufb33":3}',
    );
  });

  it("writes numbers and strings as RFC 8785 §3.2.2 shows", () => {
    const value = {
      numbers: [Number("333333333.33333329"), 1e30, 4.5, 2e-3, 0.000000000000000000000000001, -0],
      string: "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"/",
      literals: [null, true, false],
    };
    expect(fromUtf8(canonicalBytes(value))).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27,0],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it("does not depend on the order in which an object was made, and reads back as the same value", () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
        const bytes = canonicalBytes(value);
        expect(canonicalBytes(reordered(value))).toEqual(bytes);
        expect(JSON.parse(fromUtf8(bytes))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it.each([undefined, Number.NaN, Number.POSITIVE_INFINITY, 1n])(
    "refuses %s, which JSON cannot hold",
    (value) => {
      expect(() => canonicalBytes(value)).toThrow();
      expect(() => canonicalBytes({ value: Number.NaN })).toThrow();
    },
  );

  it("behind a domain carries its length, so that no two inputs run together", () => {
    expect(domainBytes("bombyx/x/v1\0", { a: 1 })).toEqual(
      concat(utf8("bombyx/x/v1\0"), u64be(7), utf8('{"a":1}')),
    );
  });
});
