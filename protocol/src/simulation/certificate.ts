import { concat, toBase64, utf8 } from "../wire/encoding.ts";
import * as der from "./der-writer.ts";
import type { SigningKey } from "./signing-key.ts";

const sgxOid = "1.2.840.113741.1.13.1";
const ecdsaWithSha256 = der.sequence(der.oid("1.2.840.10045.4.3.2"));

/** keyUsage as its BIT STRING. */
const keyUsage = {
  ca: der.bits(Uint8Array.of(0x06), 1), // keyCertSign, cRLSign
  signer: der.bits(Uint8Array.of(0xc0), 6), // digitalSignature, nonRepudiation
  /** keyCertSign alone, cRLSign alone, and digitalSignature with keyCertSign. */
  certificates: der.bits(Uint8Array.of(0x04), 2),
  lists: der.bits(Uint8Array.of(0x02), 1),
  both: der.bits(Uint8Array.of(0x84), 2),
};

const usageOf = (usage: keyof typeof keyUsage | Uint8Array): Uint8Array =>
  typeof usage === "string" ? keyUsage[usage] : usage;

export interface CertificateFields {
  readonly subject: string;
  readonly issuer: string;
  readonly serial: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  /** The subject's public point, 64 bytes. */
  readonly point: Uint8Array;
  /** `undefined` for an end entity, else the path length constraint. */
  readonly pathLength: number | "unlimited" | undefined;
  /** Overrides for certificates that a verifier must refuse. */
  readonly usage?: keyof typeof keyUsage | Uint8Array;
  /** DER of basicConstraints. */
  readonly constraints?: Uint8Array;
  readonly extensions?: readonly Uint8Array[];
}

const name = (commonName: string) =>
  der.sequence(
    der.set(der.sequence(der.oid("2.5.4.3"), der.text(commonName))),
    der.set(der.sequence(der.oid("2.5.4.10"), der.text("Bombyx simulation, not Intel"))),
  );

export const extension = (id: string, critical: boolean, value: Uint8Array) =>
  der.sequence(der.oid(id), ...(critical ? [der.truth(true)] : []), der.octets(value));

async function signed(tbs: Uint8Array<ArrayBuffer>, key: SigningKey): Promise<Uint8Array<ArrayBuffer>> {
  return der.sequence(tbs, ecdsaWithSha256, der.bits(der.ecdsaSignature(await key.sign(tbs))));
}

/** An X.509 v3 certificate in DER, of the profile that Intel's certificates have. */
export function mintCertificate(
  fields: CertificateFields,
  key: SigningKey,
): Promise<Uint8Array<ArrayBuffer>> {
  const isCa = fields.pathLength !== undefined;
  const constraints = isCa
    ? der.sequence(
        der.truth(true),
        ...(typeof fields.pathLength === "number" ? [der.integer(fields.pathLength)] : []),
      )
    : der.sequence();
  const spki = der.sequence(
    der.sequence(der.oid("1.2.840.10045.2.1"), der.oid("1.2.840.10045.3.1.7")),
    der.bits(concat(Uint8Array.of(4), fields.point)),
  );
  const tbs = der.sequence(
    der.tagged(0, der.integer(2)),
    der.integer(fields.serial),
    ecdsaWithSha256,
    name(fields.issuer),
    der.sequence(der.time(fields.notBefore), der.time(fields.notAfter)),
    name(fields.subject),
    spki,
    der.tagged(
      3,
      der.sequence(
        extension("2.5.29.15", true, usageOf(fields.usage ?? (isCa ? "ca" : "signer"))),
        extension("2.5.29.19", true, fields.constraints ?? constraints),
        ...(fields.extensions ?? []),
      ),
    ),
  );
  return signed(tbs, key);
}

export interface PlatformIdentity {
  /** 16 bytes. */
  readonly ppid: Uint8Array;
  /** 16 component SVNs. */
  readonly svns: readonly number[];
  readonly pceSvn: number;
  /** 2 bytes. */
  readonly pceId: Uint8Array;
  /** 6 bytes. */
  readonly fmspc: Uint8Array;
}

/** The SGX extension of a PCK certificate (Intel's PCK certificate profile, §1.3.5). */
export function sgxExtension(platform: PlatformIdentity): Uint8Array {
  const entry = (path: string, value: Uint8Array) => der.sequence(der.oid(`${sgxOid}.${path}`), value);
  const value = der.sequence(
    entry("1", der.octets(platform.ppid)),
    entry(
      "2",
      der.sequence(
        ...platform.svns.map((svn, i) => entry(`2.${i + 1}`, der.integer(svn))),
        entry("2.17", der.integer(platform.pceSvn)),
        entry("2.18", der.octets(Uint8Array.from(platform.svns))),
      ),
    ),
    entry("3", der.octets(platform.pceId)),
    entry("4", der.octets(platform.fmspc)),
    entry("5", der.tlv(0x0a, Uint8Array.of(1))),
  );
  return extension(sgxOid, false, value);
}

export interface CrlFields {
  readonly issuer: string;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly revoked: readonly Uint8Array[];
  /** @default 1, as Intel numbers all of its lists */
  readonly number?: number | Uint8Array;
  readonly extensions?: readonly Uint8Array[];
}

/** A v2 CRL in DER. */
export function mintCrl(fields: CrlFields, key: SigningKey): Promise<Uint8Array<ArrayBuffer>> {
  const entries = fields.revoked.map((serial) =>
    der.sequence(der.integer(serial), der.time(fields.thisUpdate)),
  );
  const tbs = der.sequence(
    der.integer(1),
    ecdsaWithSha256,
    name(fields.issuer),
    der.time(fields.thisUpdate),
    der.time(fields.nextUpdate),
    ...(entries.length > 0 ? [der.sequence(...entries)] : []),
    der.tagged(
      0,
      der.sequence(
        extension("2.5.29.20", false, der.integer(fields.number ?? 1)),
        ...(fields.extensions ?? []),
      ),
    ),
  );
  return signed(tbs, key);
}

/** One PEM block per certificate, leaf first. */
export const pem = (...chain: readonly Uint8Array[]): string =>
  chain
    .map((der) => {
      const lines = toBase64(der).match(/.{1,64}/g) ?? [];
      return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
    })
    .join("");

export const pemBytes = (...chain: readonly Uint8Array[]): Uint8Array => utf8(pem(...chain));
