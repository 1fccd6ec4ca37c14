import canonicalize from "canonicalize";
import { concat, u64be, utf8 } from "../wire/encoding.ts";

/**
 * Canonical JSON (RFC 8785), UTF-8.
 * @throws TypeError for a value that JSON cannot hold.
 */
export function canonicalBytes(value: unknown): Uint8Array<ArrayBuffer> {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("not a JSON value");
  return utf8(text);
}

/** domain ‖ u64be(length) ‖ canonical JSON: what every JSON signature and hash of Bombyx covers. */
export function domainBytes(domain: string, value: unknown): Uint8Array<ArrayBuffer> {
  const bytes = canonicalBytes(value);
  return concat(utf8(domain), u64be(bytes.length), bytes);
}
