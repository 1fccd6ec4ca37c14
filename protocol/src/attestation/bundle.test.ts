import { beforeAll, describe, expect, test } from "vitest";
import { attestedNode, SimulatedWorld } from "../simulation/index.ts";
import { concat, fromUtf8, utf8 } from "../wire/encoding.ts";
import { type Bundle, encodeBundle, parseBundle } from "./index.ts";

let bundle: Bundle;
let bytes: Uint8Array;
let text: string;
beforeAll(async () => {
  const now = Date.UTC(2026, 10, 1);
  const world = await SimulatedWorld.create({ now });
  const beacon = { chain: "bombyx-devnet", seqno: 1, hash: "ab".repeat(32) };
  const node = await attestedNode({ world, now, beacon, manifests: [] });
  ({ bundle, bytes } = node);
  text = fromUtf8(bytes);
});

const refused = (value: Uint8Array | string, reason: string) =>
  expect(() => parseBundle(typeof value === "string" ? utf8(value) : value)).toThrow(
    expect.objectContaining({ name: "AttestationError", step: "parse", reason }),
  );
const edited = (from: string, to: string) => {
  expect(text).toContain(from);
  return text.replace(from, to);
};

test("a bundle is read back as it was written, byte for byte", () => {
  expect(parseBundle(bytes)).toEqual(bundle);
  expect(encodeBundle(parseBundle(bytes))).toEqual(bytes);
});

describe("a bundle has one encoding", () => {
  test("a duplicate key is refused", () =>
    refused(edited('"tee":"tdx"', '"tee":"none","tee":"tdx"'), "BUNDLE_JSON"));
  test("a duplicate key deep inside is refused", () =>
    refused(edited('"payout":"owner"', '"payout":"owner","payout":"owner"'), "BUNDLE_JSON"));
  test("white space is refused", () => refused(`${text} `, "BUNDLE_JSON"));
  test("trailing data is refused", () => refused(`${text}{}`, "BUNDLE_JSON"));
  test("a byte order mark is refused", () =>
    refused(concat(Uint8Array.of(0xef, 0xbb, 0xbf), bytes), "BUNDLE_JSON"));
  test("another order of keys is refused", () => refused(JSON.stringify(bundle), "BUNDLE_JSON"));
  test("an escape that is not needed is refused", () =>
    refused(edited('"tdx"', '"\\u0074dx"'), "BUNDLE_JSON"));
  test("half a surrogate pair, which UTF-8 cannot hold, is refused", () =>
    refused(edited('"owner"', '"\\ud800"'), "BUNDLE_JSON"));
  test("a hundred thousand brackets are refused", () => refused("[".repeat(100_000), "BUNDLE_JSON"));
  test("bytes that are not UTF-8 are refused", () => refused(Uint8Array.of(0xff), "BUNDLE_JSON"));
  test("an empty body is refused", () => refused("", "BUNDLE_JSON"));
});

describe("every field has one spelling", () => {
  const changed = (change: object) => JSON.stringify(sorted({ ...bundle, ...change }));
  const sorted = (value: object) =>
    Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));

  test("an unchanged bundle passes the same way", () => {
    const link = sorted(bundle.link);
    const collateral = sorted(bundle.collateral);
    expect(parseBundle(utf8(changed({ link, collateral })))).toEqual(bundle);
  });
  test.each<[string, (good: Bundle) => object]>([
    ["an unknown TEE", () => ({ tee: "tdx-sim" })],
    ["another version", () => ({ v: 2 })],
    ["an unknown field", () => ({ zeal: 1 })],
    ["base64 with stray bits", ({ quote }) => ({ quote: `${quote.slice(0, -4)}AB==` })],
    ["base64 without padding", () => ({ statement: "AA" })],
    ["URL-safe base64", () => ({ statement: "__8=" })],
    ["upper-case hex", ({ link }) => ({ link: sorted({ ...link, linkPk: "AB".repeat(32) }) })],
    [
      "a missing collateral field",
      ({ collateral: { pck_crl: _, ...rest } }) => ({ collateral: sorted(rest) }),
    ],
    ["a release that nothing signs", () => ({ release: {} })],
  ])("%s is refused", (_, change) => {
    const rest = { link: sorted(bundle.link), collateral: sorted(bundle.collateral) };
    refused(changed({ ...rest, ...change(bundle) }), "BUNDLE_FIELD");
  });
});

test("a bundle that calls itself one of the open tier is refused as that", () =>
  refused(edited('"tee":"tdx"', '"tee":"none"'), "TEE"));

test("a bundle above 256 KB is refused unread", () =>
  refused(new Uint8Array(256 * 1024 + 1), "BUNDLE_TOO_LARGE"));
