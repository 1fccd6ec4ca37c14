import { fromBase64, toBase64, toHex } from "../wire/encoding.ts";
import { boolean, type Der, DerReader, nextTime, smallInteger, tags, unsignedInteger } from "./der.ts";
import { VerificationKey } from "./ecdsa.ts";
import { AttestationError, refusal } from "./error.ts";
import { openSigned } from "./signed-der.ts";

/** SubjectPublicKeyInfo of an uncompressed P-256 point, up to the point. */
const p256Prefix = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";

/** Object identifiers as hex of their content. */
export const oids = {
  commonName: "550403",
  keyUsage: "551d0f",
  basicConstraints: "551d13",
  /** 1.2.840.113741.1.13.1, the SGX extension of a PCK certificate. */
  sgx: "2a864886f84d010d01",
} as const;

const usageBits = { digitalSignature: 0x80, keyCertSign: 0x04, cRLSign: 0x02 } as const;

/** What this verifier reads of an X.509 v3 certificate. */
export interface Certificate {
  readonly der: Uint8Array<ArrayBuffer>;
  /** The bytes that the issuer signed. */
  readonly tbs: Uint8Array<ArrayBuffer>;
  /** r ‖ s. */
  readonly signature: Uint8Array<ArrayBuffer>;
  /** Serial number as hex, without leading zeros. */
  readonly serial: string;
  /** Names as hex of their DER: they chain by byte equality. */
  readonly issuer: string;
  readonly subject: string;
  readonly commonName: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly key: VerificationKey;
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
  may(usage: keyof typeof usageBits): boolean;
  /** Values by object identifier (hex). */
  readonly extensions: ReadonlyMap<string, Uint8Array<ArrayBuffer>>;
}

/**
 * Extensions of a certificate, a CRL or a CRL entry, by hex of their object identifier.
 * @throws RangeError when one stands twice; `unknown` when a critical one is not in `known`.
 */
export function readExtensions(
  reader: DerReader,
  known: readonly string[],
  unknown: (id: string) => Error,
): Map<string, Uint8Array<ArrayBuffer>> {
  const extensions = new Map<string, Uint8Array<ArrayBuffer>>();
  while (!reader.done) {
    const extension = reader.enter();
    const id = toHex(extension.next(tags.oid).content);
    const critical = extension.is(tags.boolean) && boolean(extension.next(tags.boolean));
    const { content } = extension.next(tags.octetString);
    extension.end();
    if (extensions.has(id)) throw new RangeError("an extension stands twice");
    if (critical && !known.includes(id)) throw unknown(id);
    extensions.set(id, content);
  }
  return extensions;
}

/** The one common name of a Name. */
function commonNameOf(name: Der): string {
  const found: string[] = [];
  for (const sets = new DerReader(name.content); !sets.done; ) {
    for (const attributes = sets.enter(tags.set); !attributes.done; ) {
      const attribute = attributes.enter();
      const isCommonName = toHex(attribute.next(tags.oid).content) === oids.commonName;
      const utf8 = attribute.is(tags.utf8String);
      const value = attribute.next(utf8 ? tags.utf8String : tags.printableString);
      attribute.end();
      if (!isCommonName) continue;
      found.push(new TextDecoder("utf-8", { fatal: true }).decode(value.content));
    }
  }
  const [only] = found;
  if (only === undefined || found.length > 1) throw new RangeError("a name has one common name");
  return only;
}

function basicConstraintsOf(bytes: Uint8Array<ArrayBuffer> | undefined) {
  if (bytes === undefined) return { isCa: false, pathLength: undefined };
  const outer = new DerReader(bytes);
  const reader = outer.enter();
  outer.end();
  const isCa = reader.is(tags.boolean) && boolean(reader.next(tags.boolean));
  const pathLength = reader.is(tags.integer) ? smallInteger(reader.next(tags.integer)) : undefined;
  reader.end();
  return { isCa, pathLength };
}

function keyUsageOf(bytes: Uint8Array<ArrayBuffer> | undefined): number {
  if (bytes === undefined) return 0;
  const outer = new DerReader(bytes);
  const { content } = outer.next(tags.bitString);
  outer.end();
  return content[1] ?? 0;
}

function read(der: Uint8Array<ArrayBuffer>): Certificate {
  const { tbs, signature, readAlgorithm } = openSigned(der);
  const reader = new DerReader(tbs.content);
  const version = reader.enter(0xa0);
  if (smallInteger(version.next(tags.integer)) !== 2) throw new RangeError("not version 3");
  version.end();
  const serial = toHex(unsignedInteger(reader.next(tags.integer)));
  readAlgorithm(reader);
  const issuer = reader.next(tags.sequence);
  const validity = reader.enter();
  const notBefore = nextTime(validity);
  const notAfter = nextTime(validity);
  validity.end();
  const subject = reader.next(tags.sequence);
  const key = reader.next(tags.sequence).raw;
  const prefixBytes = p256Prefix.length / 2;
  // the prefix holds the lengths, so what follows it are the 64 bytes of the point
  if (toHex(key.subarray(0, prefixBytes)) !== p256Prefix)
    throw new RangeError("the key is not an uncompressed P-256 point");
  const wrapper = reader.enter(0xa3);
  reader.end();
  const extensions = readExtensions(wrapper.enter(), [oids.keyUsage, oids.basicConstraints], (id) =>
    refusal(
      "CERT_EXTENSION",
      `A certificate has the critical extension ${id}, which this verifier does not know.`,
    ),
  );
  wrapper.end();
  const usage = keyUsageOf(extensions.get(oids.keyUsage));
  return {
    der,
    tbs: tbs.raw,
    signature,
    serial,
    issuer: toHex(issuer.raw),
    subject: toHex(subject.raw),
    commonName: commonNameOf(subject),
    notBefore,
    notAfter,
    key: new VerificationKey(key.subarray(prefixBytes)),
    ...basicConstraintsOf(extensions.get(oids.basicConstraints)),
    may: (name) => (usage & usageBits[name]) !== 0,
    extensions,
  };
}

/** @throws AttestationError CERT_FORMAT, CERT_EXTENSION */
export function parseCertificate(der: Uint8Array<ArrayBuffer>): Certificate {
  try {
    return read(der);
  } catch (cause) {
    if (cause instanceof AttestationError) throw cause;
    throw refusal(
      "CERT_FORMAT",
      "A certificate is not DER of the profile that Intel's certificates have.",
      cause,
    );
  }
}

const block = /-----BEGIN CERTIFICATE-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END CERTIFICATE-----/y;

/**
 * The certificates of a PEM chain, leaf first, at most `most`. Between the blocks stand line ends
 * only; at the end of Intel's chains also a NUL.
 * @throws AttestationError CERT_FORMAT
 */
export function parsePemChain(text: string, most = 4): Certificate[] {
  const chain: Certificate[] = [];
  let at = 0;
  for (;;) {
    while (/[\r\n\0]/.test(text.charAt(at))) at++;
    if (at === text.length) return chain;
    block.lastIndex = at;
    const match = block.exec(text);
    const body = match?.[1]?.replace(/\r?\n/g, "");
    let der: Uint8Array<ArrayBuffer> | undefined;
    try {
      der = body === undefined ? undefined : fromBase64(body);
    } catch {
      der = undefined;
    }
    if (der === undefined || toBase64(der) !== body || chain.length === most)
      throw refusal("CERT_FORMAT", `A certificate chain is not PEM of at most ${most} certificates.`);
    chain.push(parseCertificate(der));
    at = block.lastIndex;
  }
}
