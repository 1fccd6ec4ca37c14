import { fromHex, toHex } from "../wire/encoding.ts";
import { type Certificate, readExtensions } from "./certificate.ts";
import { DerReader, nextTime, smallInteger, tags, unsignedInteger } from "./der.ts";
import { AttestationError, demand, refusal } from "./error.ts";
import { openSigned } from "./signed-der.ts";

/** A certificate revocation list, v2 (RFC 5280 §5). */
export interface Crl {
  readonly tbs: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
  /** Hex of the Name's DER. */
  readonly issuer: string;
  /** CRL number; 0 when the list carries none. */
  readonly number: bigint;
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  /** Serial numbers as hex, without leading zeros. */
  readonly revoked: ReadonlySet<string>;
}

/** A critical extension may narrow what the list covers (delta, partitions): none is accepted. */
const unknownExtension = (id: string) =>
  refusal("CRL_EXTENSION", `A revocation list has the critical extension ${id}, which may narrow it.`);

function read(der: Uint8Array<ArrayBuffer>): Crl {
  const { tbs, signature, readAlgorithm } = openSigned(der);
  const reader = new DerReader(tbs.content);
  if (smallInteger(reader.next(tags.integer)) !== 1) throw new RangeError("not version 2");
  readAlgorithm(reader);
  const issuer = toHex(reader.next(tags.sequence).raw);
  const thisUpdate = nextTime(reader);
  const nextUpdate = nextTime(reader);
  const revoked = new Set<string>();
  if (reader.is(tags.sequence)) {
    for (const entries = reader.enter(); !entries.done; ) {
      const entry = entries.enter();
      revoked.add(toHex(unsignedInteger(entry.next(tags.integer))));
      nextTime(entry);
      if (!entry.done) readExtensions(entry.enter(), [], unknownExtension);
      entry.end();
    }
  }
  const wrapper = reader.enter(0xa0);
  reader.end();
  const extensions = readExtensions(wrapper.enter(), [], unknownExtension);
  wrapper.end();
  const number = crlNumberOf(extensions.get(crlNumberOid));
  return { tbs: tbs.raw, signature, issuer, number, thisUpdate, nextUpdate, revoked };
}

/** 2.5.29.20, hex of its content. */
const crlNumberOid = "551d14";

function crlNumberOf(bytes: Uint8Array<ArrayBuffer> | undefined): bigint {
  if (bytes === undefined) return 0n;
  const reader = new DerReader(bytes);
  const number = unsignedInteger(reader.next(tags.integer));
  reader.end();
  if (number.length > 20) throw new RangeError("a CRL number has at most 20 bytes");
  return BigInt(`0x0${toHex(number)}`);
}

/** @throws AttestationError CRL_FORMAT, CRL_EXTENSION */
export function parseCrl(hex: string): Crl {
  try {
    return read(fromHex(hex));
  } catch (cause) {
    if (cause instanceof AttestationError) throw cause;
    throw refusal(
      "CRL_FORMAT",
      "A revocation list is missing or is not a v2 CRL in DER, as lower-case hex.",
      cause,
    );
  }
}

/**
 * PROTOCOL §4 step 3: the list is `issuer`'s own and current at `now`.
 * @throws AttestationError of step "crl"
 */
export async function verifyCrl(crl: Crl, issuer: Certificate, now: number): Promise<void> {
  const of = `The revocation list of "${issuer.commonName}"`;
  demand(
    crl.issuer === issuer.subject && issuer.may("cRLSign"),
    "CRL_ISSUER",
    `A revocation list is not one of "${issuer.commonName}".`,
  );
  demand(
    crl.thisUpdate <= now,
    "CRL_NOT_YET_VALID",
    `${of} is dated in the future; is this device's clock right?`,
  );
  demand(now < crl.nextUpdate, "CRL_EXPIRED", `${of} is out of date; the node must fetch a new one.`);
  demand(await issuer.key.verifies(crl.tbs, crl.signature), "CRL_SIGNATURE", `${of} is not signed by it.`);
}

/** @throws AttestationError CERT_REVOKED when a certificate stands on any of the lists. */
export function demandNotRevoked(certificates: readonly Certificate[], lists: readonly Crl[]): void {
  for (const { serial, commonName } of certificates) {
    demand(
      !lists.some(({ revoked }) => revoked.has(serial)),
      "CERT_REVOKED",
      `The certificate of "${commonName}" has been revoked.`,
    );
  }
}
