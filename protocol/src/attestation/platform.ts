import { concat, toHex, utf8 } from "../wire/encoding.ts";
import { type Certificate, oids } from "./certificate.ts";
import { DerReader, smallInteger, tags } from "./der.ts";
import { digest } from "./ecdsa.ts";
import { refusal } from "./error.ts";

/** What a PCK certificate says of its machine (Intel's PCK certificate profile, SGX extension). */
export interface Platform {
  readonly ppid: Uint8Array<ArrayBuffer>;
  /** 16 component SVNs. */
  readonly svns: readonly number[];
  readonly pceSvn: number;
  readonly pceId: Uint8Array<ArrayBuffer>;
  /** Lower-case hex. */
  readonly fmspc: string;
}

/** Values of SEQUENCE { OID, value }*, by the arcs behind `prefix` as hex; each stands once. */
function byArc(reader: DerReader, prefix: string): Map<string, DerReader> {
  const values = new Map<string, DerReader>();
  while (!reader.done) {
    const entry = reader.enter();
    const id = toHex(entry.next(tags.oid).content);
    const arc = id.slice(prefix.length);
    if (!id.startsWith(prefix) || values.has(arc))
      throw new RangeError("unexpected or repeated object identifier");
    values.set(arc, entry);
  }
  return values;
}

function take(values: Map<string, DerReader>, arc: number): DerReader {
  const value = values.get(arc.toString(16).padStart(2, "0"));
  if (value === undefined) throw new RangeError(`no value ${arc} in the SGX extension`);
  return value;
}

function octets(reader: DerReader, size: number): Uint8Array<ArrayBuffer> {
  const { content } = reader.next(tags.octetString);
  if (content.length !== size) throw new RangeError(`expected ${size} bytes in the SGX extension`);
  return content;
}

/** @throws AttestationError PLATFORM_FORMAT */
export function readPlatform(pck: Certificate | undefined): Platform {
  try {
    const bytes = pck?.extensions.get(oids.sgx);
    if (bytes === undefined) throw new RangeError("no SGX extension");
    const outer = new DerReader(bytes);
    const values = byArc(outer.enter(), oids.sgx);
    outer.end();
    const tcb = byArc(take(values, 2).enter(), `${oids.sgx}02`);
    return {
      ppid: octets(take(values, 1), 16),
      svns: Array.from({ length: 16 }, (_, i) => smallInteger(take(tcb, i + 1).next(tags.integer))),
      pceSvn: smallInteger(take(tcb, 17).next(tags.integer)),
      pceId: octets(take(values, 3), 2),
      fmspc: toHex(octets(take(values, 4), 6)),
    };
  } catch (cause) {
    throw refusal("PLATFORM_FORMAT", "The PCK certificate does not say which platform it belongs to.", cause);
  }
}

/** PROTOCOL §4 step 11: SHA-256("bombyx/platform/v1\0" ‖ PPID ‖ PCEID), lower-case hex. */
export async function platformId({ ppid, pceId }: Platform): Promise<string> {
  return toHex(await digest("SHA-256", concat(utf8("bombyx/platform/v1\0"), ppid, pceId)));
}
