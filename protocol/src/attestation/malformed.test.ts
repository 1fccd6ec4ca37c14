import { beforeAll, describe, expect, test } from "vitest";
import { Ground, now } from "../../test/attacks/ground.ts";
import { mintCertificate, mintCrl, pem, sgxExtension } from "../simulation/certificate.ts";
import * as der from "../simulation/der-writer.ts";
import { concat, fromHex, toHex, utf8 } from "../wire/encoding.ts";
import { parseCertificate, parsePemChain } from "./certificate.ts";
import { parseCrl } from "./crl.ts";
import { DerReader, nextTime, tags } from "./der.ts";
import { rawSignature } from "./ecdsa.ts";
import { readCollateral } from "./index.ts";
import { readPlatform } from "./platform.ts";

/** Documents that are almost right: each differs from one that is read in one place. */
let ground: Ground;
let certificate: Uint8Array<ArrayBuffer>;
let ca: Uint8Array<ArrayBuffer>;
let crl: Uint8Array<ArrayBuffer>;
beforeAll(async () => {
  ground = await Ground.prepare();
  certificate = await ground.world.pckCertificate();
  ca = parsePemChain(ground.collateral.pck_crl_issuer_chain)[0]!.der;
  crl = await mintCrl(
    {
      issuer: "CA",
      thisUpdate: now,
      nextUpdate: now + 1_000,
      revoked: [Uint8Array.of(1), Uint8Array.of(2)],
    },
    ground.world.keys.root,
  );
});

const null_ = Uint8Array.of(0x05, 0x00);

/** The document with a NULL behind the last value of each constructed one, as `[path, document]`. */
function stuffed(document: Uint8Array): [path: string, bytes: Uint8Array<ArrayBuffer>][] {
  const tag = document[0] ?? 0;
  if ((tag & 0x20) === 0) return [];
  const parts: Uint8Array<ArrayBuffer>[] = [];
  for (const reader = new DerReader(new Uint8Array(document)).enter(tag); !reader.done; ) {
    for (let any = 0; any < 256; any++) {
      if (!reader.is(any)) continue;
      parts.push(new Uint8Array(reader.next(any).raw));
      break;
    }
  }
  const within = parts.flatMap((part, i) =>
    stuffed(part).map(([path, bytes]): [string, Uint8Array<ArrayBuffer>] => [
      `${i}.${path}`,
      der.tlv(tag, ...parts.with(i, bytes)),
    ]),
  );
  return [["end", der.tlv(tag, ...parts, null_)], ...within];
}

/** Replaces the only or last place where `from` stands. Both are hex of one length. */
function replaced(bytes: Uint8Array, from: string, to: string): Uint8Array<ArrayBuffer> {
  const hex = toHex(bytes);
  const at = hex.lastIndexOf(from);
  expect(at).toBeGreaterThan(0);
  return fromHex(hex.slice(0, at) + to + hex.slice(at + from.length));
}

const refusedAs = (reason: string) => expect.objectContaining({ reason });

describe("a certificate", () => {
  test("that is whole is read", () => {
    expect(parseCertificate(certificate).commonName).toBe("Bombyx Simulated PCK Certificate");
    expect(parseCertificate(ca).pathLength).toBe(0);
  });

  test("with anything more in any of its structures is refused, but for the issuer's name", () => {
    for (const document of [certificate, ca]) {
      const cases = stuffed(document);
      expect(cases.length).toBeGreaterThan(15);
      for (const [path, bytes] of cases) {
        // the issuer's name is compared as it stands, and an extension's value is its own document
        if (path.startsWith("0.3.")) continue;
        expect(() => parseCertificate(bytes), path).toThrow(refusedAs("CERT_FORMAT"));
      }
    }
  });

  test("whose basic constraints hold more than they may is refused", async () => {
    const whole = der.sequence(der.truth(true), der.integer(0));
    const constrained = (constraints: Uint8Array) => ground.inWorld({ pckCa: { constraints } });
    await expect(constrained(whole)).resolves.toBeDefined();
    const wrong = [der.sequence(der.truth(true), der.integer(0), null_), concat(whole, null_)];
    for (const constraints of wrong)
      await expect(constrained(constraints)).rejects.toMatchObject({ reason: "CERT_FORMAT" });
  });

  test("whose key usage holds more than it may is refused", async () => {
    const bits = der.bits(Uint8Array.of(0xc0), 6);
    await expect(ground.inWorld({ tcbSigner: { usage: bits } })).resolves.toBeDefined();
    await expect(ground.inWorld({ tcbSigner: { usage: concat(bits, null_) } })).rejects.toMatchObject({
      reason: "CERT_FORMAT",
    });
  });

  test("on another curve, or signed by another algorithm, is refused", () => {
    const p256 = toHex(der.oid("1.2.840.10045.3.1.7"));
    expect(() => parseCertificate(replaced(certificate, p256, `${p256.slice(0, -2)}06`))).toThrow(
      refusedAs("CERT_FORMAT"),
    );
    const sha384 = toHex(certificate).replaceAll("06082a8648ce3d040302", "06082a8648ce3d040303");
    expect(() => parseCertificate(fromHex(sha384))).toThrow(refusedAs("CERT_FORMAT"));
  });

  test("may write its name as PrintableString, once, and must write it", () => {
    const name = utf8("Bombyx Simulated PCK Certificate");
    const asUtf8 = toHex(der.tlv(0x0c, name));
    const printable = parseCertificate(replaced(certificate, asUtf8, toHex(der.tlv(0x13, name))));
    expect(printable.commonName).toBe("Bombyx Simulated PCK Certificate");
    expect(() => parseCertificate(replaced(certificate, asUtf8, toHex(der.tlv(0x16, name))))).toThrow(
      refusedAs("CERT_FORMAT"),
    );
    // the organisation's attribute becomes a second common name, or the first one an organisation
    const [commonName, organisation] = [toHex(der.oid("2.5.4.3")), toHex(der.oid("2.5.4.10"))];
    expect(() => parseCertificate(replaced(certificate, organisation, commonName))).toThrow(
      refusedAs("CERT_FORMAT"),
    );
    expect(() => parseCertificate(replaced(certificate, commonName, organisation))).toThrow(
      refusedAs("CERT_FORMAT"),
    );
  });

  test("in PEM with stray bits in its last digit is refused", async () => {
    let padded = certificate;
    for (let i = 0; padded.length % 3 === 0; i++)
      padded = await ground.world.pckCertificate({ pckCertificate: { subject: "x".repeat(i + 1) } });
    const good = pem(padded);
    expect(parsePemChain(good)).toHaveLength(1);
    const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const stray = good.replace(/(.)(==?\n-)/, (_, digit: string, end: string) => {
      return (digits[digits.indexOf(digit) + 1] ?? "") + end;
    });
    expect(() => parsePemChain(stray)).toThrow(refusedAs("CERT_FORMAT"));
  });

  test("that may sign certificates and data signs no data; one that may sign neither, neither", async () => {
    const refused = (usage: "both" | "lists") =>
      expect(ground.inWorld({ tcbSigner: { usage } })).rejects.toMatchObject({ reason: "CERT_KEY_USAGE" });
    await refused("both");
    await refused("lists");
  });

  test("of a CA without a path length admits any, and one that may sign no lists signs none", async () => {
    await expect(ground.inWorld({ root: { pathLength: "unlimited" } })).resolves.toBeDefined();
    await expect(ground.inWorld({ pckCa: { usage: "certificates" } })).rejects.toMatchObject({
      reason: "CRL_ISSUER",
    });
  });
});

describe("a revocation list", () => {
  test("that is whole is read", () => {
    expect([...parseCrl(toHex(crl)).revoked]).toEqual(["01", "02"]);
  });

  test("with anything more in any of its structures is refused, but for the issuer's name", () => {
    const cases = stuffed(crl);
    expect(cases.length).toBeGreaterThan(10);
    for (const [path, bytes] of cases) {
      if (path.startsWith("0.2.")) continue;
      expect(() => parseCrl(toHex(bytes)), path).toThrow(refusedAs("CRL_FORMAT"));
    }
  });

  const listOf = (number: Uint8Array) =>
    mintCrl(
      { issuer: "CA", thisUpdate: now, nextUpdate: now + 1_000, revoked: [], number },
      ground.world.keys.root,
    );

  test("has a number of at most 20 bytes and nothing behind it", async () => {
    const twenty = new Uint8Array(20).fill(0x7f);
    expect(parseCrl(toHex(await listOf(twenty))).number).toBe(BigInt(`0x${toHex(twenty)}`));
    const tooLong = toHex(await listOf(new Uint8Array(21).fill(0x7f)));
    expect(() => parseCrl(tooLong)).toThrow(refusedAs("CRL_FORMAT"));
    // 02 02 0107 becomes 02 01 07 and a stray byte
    const followed = replaced(await listOf(Uint8Array.of(1, 7)), "02020107", "02010705");
    expect(() => parseCrl(toHex(followed))).toThrow(refusedAs("CRL_FORMAT"));
  });

  test("without a number counts as number 0, and then falls under every floor", async () => {
    const withoutNumber = replaced(await listOf(Uint8Array.of(7)), "0603551d14", "0603551d15");
    expect(parseCrl(toHex(withoutNumber)).number).toBe(0n);
  });

  test("whose entry has an unknown critical extension is refused", () => {
    const entry = (critical: boolean, ...more: Uint8Array[]) =>
      der.sequence(
        der.integer(1),
        der.time(now),
        der.sequence(
          der.sequence(der.oid("1.2.3"), ...(critical ? [der.truth(true)] : []), der.octets(null_)),
        ),
        ...more,
      );
    const plain = toHex(der.sequence(der.integer(1), der.time(now)));
    const withEntry = (critical: boolean, ...more: Uint8Array[]) => {
      const whole = new DerReader(crl).enter();
      const tbs = new DerReader(whole.next(tags.sequence).content);
      const head = [tbs.next(tags.integer).raw, tbs.next(tags.sequence).raw, tbs.next(tags.sequence).raw];
      const times = [tbs.next(tags.utcTime).raw, tbs.next(tags.utcTime).raw];
      const entries = tbs.next(tags.sequence).raw;
      expect(toHex(entries)).toContain(plain);
      const rest = [whole.next(tags.sequence).raw, whole.next(tags.bitString).raw];
      const list = der.sequence(entry(critical, ...more));
      return toHex(der.sequence(der.sequence(...head, ...times, list, tbs.next(0xa0).raw), ...rest));
    };
    expect([...parseCrl(withEntry(false)).revoked]).toEqual(["01"]);
    expect(() => parseCrl(withEntry(true))).toThrow(refusedAs("CRL_EXTENSION"));
    expect(() => parseCrl(withEntry(false, null_))).toThrow(refusedAs("CRL_FORMAT"));
  });
});

describe("DER", () => {
  test("a length of 0x80 is indefinite, not 128", () => {
    const bytes = concat(Uint8Array.of(4, 0x80), new Uint8Array(128));
    expect(() => new DerReader(bytes).next(4)).toThrow(RangeError);
  });
  test("a length may take three bytes and not four", () => {
    const three = concat(Uint8Array.of(4, 0x83, 0x01, 0, 0), new Uint8Array(0x10000));
    expect(new DerReader(three).next(4).content.length).toBe(0x10000);
    const four = concat(Uint8Array.of(4, 0x84, 0x01, 0, 0, 0), new Uint8Array(0x1000000));
    expect(() => new DerReader(four).next(4)).toThrow(RangeError);
  });
  test.each(["261101000000z", ":01101000000Z", "/01101000000Z", "2:1101000000Z", "2/1101000000Z"])(
    "%s is no time",
    (text) => {
      const wrong = new DerReader(der.tlv(tags.utcTime, utf8(text)));
      expect(() => nextTime(wrong)).toThrow(RangeError);
      expect(nextTime(new DerReader(der.tlv(tags.utcTime, utf8("261101000000Z"))))).toBe(Date.UTC(2026, 10));
    },
  );
  test("a signature has nothing behind it", () => {
    const good = der.ecdsaSignature(new Uint8Array(64).fill(1));
    expect(rawSignature(good)).toEqual(new Uint8Array(64).fill(1));
    expect(() => rawSignature(concat(good, null_))).toThrow(RangeError);
  });
});

describe("what a machine's certificate says of it", () => {
  const platform = {
    ppid: new Uint8Array(16),
    svns: Array<number>(16).fill(1),
    pceSvn: 2,
    pceId: new Uint8Array(2),
    fmspc: new Uint8Array(6),
  };
  const certified = async (extension: Uint8Array) =>
    parseCertificate(
      await mintCertificate(
        {
          subject: "machine",
          issuer: "CA",
          serial: Uint8Array.of(1),
          notBefore: now,
          notAfter: now,
          point: ground.world.keys.pck.point,
          pathLength: undefined,
          extensions: [extension],
        },
        ground.world.keys.pckCa,
      ),
    );
  const value = () => {
    const reader = new DerReader(new Uint8Array(sgxExtension(platform))).enter();
    reader.next(tags.oid);
    return reader.next(tags.octetString).content;
  };
  const wrapped = (content: Uint8Array) =>
    der.sequence(der.oid("1.2.840.113741.1.13.1"), der.octets(content));

  test("is read as it stands, and refused with anything more, doubled, or from elsewhere", async () => {
    expect(readPlatform(await certified(wrapped(value()))).pceSvn).toBe(2);
    const entries: Uint8Array[] = [];
    for (const reader = new DerReader(value()).enter(); !reader.done; )
      entries.push(reader.next(tags.sequence).raw);
    const [ppid] = entries;
    const foreign = der.sequence(der.oid("1.2.840.113741.1.14.1.77"), der.octets(new Uint8Array(16)));
    const wrong = [
      concat(value(), null_),
      der.sequence(...entries, ppid!),
      der.sequence(...entries, foreign),
      der.sequence(...entries.slice(1)),
    ];
    for (const [i, content] of wrong.entries()) {
      const bad = await certified(wrapped(content));
      expect(() => readPlatform(bad), `case ${i}`).toThrow(refusedAs("PLATFORM_FORMAT"));
    }
  });
});

describe("a quote", () => {
  test("with anything behind its certificates, inside its lengths, is refused", async () => {
    const at = { signature: 632, certification: 636 + 128 + 2 };
    const longer = concat(ground.quote, Uint8Array.of(0));
    const view = new DataView(longer.buffer);
    for (const place of Object.values(at)) view.setUint32(place, view.getUint32(place, true) + 1, true);
    await expect(ground.verify({ quote: longer })).rejects.toMatchObject({ reason: "QUOTE_FORMAT" });
  });
  test("of exactly 16 KB is read, one byte more is not", async () => {
    const tail = new Uint8Array(16_384 - ground.quote.length);
    await expect(ground.withQuote({ tail })).resolves.toBeDefined();
    await expect(ground.withQuote({ tail: new Uint8Array(tail.length + 1) })).rejects.toMatchObject({
      reason: "QUOTE_TOO_LARGE",
    });
  });
  test.each([0, 1, 4, 0xffff])("of version 5 with body type %i is refused", async (type) => {
    const v5 = await ground.world.quote(new Uint8Array(64), { header: { version: 5, bodyType: 2 } });
    new DataView(v5.buffer).setUint16(48, type, true);
    await expect(ground.verify({ quote: v5 })).rejects.toMatchObject({ reason: "QUOTE_FORMAT" });
  });
});

describe("collateral in JSON", () => {
  const text = () => JSON.stringify(ground.collateral);
  const refused = (value: string, reason: string, words = "") =>
    expect(() => readCollateral(value)).toThrow(
      expect.objectContaining({ reason, message: expect.stringContaining(words) }),
    );
  test("is read with nine strings, or with the PCK chain as the tenth", () => {
    expect(readCollateral(text())).toEqual(ground.collateral);
    const ten = JSON.stringify({ ...ground.collateral, pck_certificate_chain: "x" });
    expect(readCollateral(ten)).toEqual(ground.collateral);
  });
  test("is refused with words that name what is wrong", () => {
    const { pck_crl: _, ...eight } = ground.collateral;
    refused("{", "COLLATERAL_FIELD", "not JSON");
    refused("1", "COLLATERAL_FIELD", "JSON form: ");
    refused(JSON.stringify(eight), "COLLATERAL_FIELD", "(pck_crl)");
    refused(JSON.stringify({ ...ground.collateral, zeal: 1, zest: 2 }), "COLLATERAL_FIELD", "(zeal, zest)");
  });
  test("is not read beyond 512 KB", () => {
    const most = 512 * 1_024;
    refused(" ".repeat(most), "COLLATERAL_FIELD");
    refused(" ".repeat(most + 1), "COLLATERAL_TOO_LARGE");
  });
});
