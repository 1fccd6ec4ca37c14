import { concat, utf8 } from "../wire/encoding.ts";

/** DER encoding (X.690) of the few types that certificates and CRLs are made of. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const content = concat(...parts);
  const size = content.length;
  const length = size < 0x80 ? [size] : size < 0x100 ? [0x81, size] : [0x82, (size >> 8) & 0xff, size & 0xff];
  return concat(Uint8Array.of(tag, ...length), content);
}

export const sequence = (...parts: readonly Uint8Array[]) => tlv(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]) => tlv(0x31, ...parts);
export const octets = (bytes: Uint8Array) => tlv(0x04, bytes);
export const text = (value: string) => tlv(0x0c, utf8(value));
export const truth = (value: boolean) => tlv(0x01, Uint8Array.of(value ? 0xff : 0));
export const bits = (bytes: Uint8Array, unused = 0) => tlv(0x03, Uint8Array.of(unused), bytes);

/** Context tag, constructed. */
export const tagged = (number: number, ...parts: readonly Uint8Array[]) => tlv(0xa0 | number, ...parts);

/** A non-negative INTEGER, big-endian, with the shortest content. */
export function integer(value: number | Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = typeof value === "number" ? Uint8Array.of(value >> 8, value & 0xff) : value;
  let start = 0;
  while (start < bytes.length - 1 && bytes[start] === 0) start++;
  const shortest = bytes.subarray(start);
  return tlv(0x02, (shortest[0] ?? 0) & 0x80 ? concat(Uint8Array.of(0), shortest) : shortest);
}

export function oid(dotted: string): Uint8Array<ArrayBuffer> {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  const bytes = [first * 40 + second];
  for (const arc of rest) {
    const groups = [arc & 0x7f];
    for (let left = Math.floor(arc / 128); left > 0; left = Math.floor(left / 128))
      groups.unshift((left & 0x7f) | 0x80);
    bytes.push(...groups);
  }
  return tlv(0x06, Uint8Array.from(bytes));
}

/** UTCTime until 2049, GeneralizedTime from 2050 (RFC 5280 §4.1.2.5), whole seconds. */
export function time(at: number): Uint8Array<ArrayBuffer> {
  const digits = `${new Date(at).toISOString().replace(/\D/g, "").slice(0, 14)}Z`;
  return digits < "2050" ? tlv(0x17, utf8(digits.slice(2))) : tlv(0x18, utf8(digits));
}

/** ECDSA-Sig-Value of WebCrypto's raw r ‖ s. */
export const ecdsaSignature = (raw: Uint8Array) =>
  sequence(integer(raw.subarray(0, raw.length / 2)), integer(raw.subarray(raw.length / 2)));
