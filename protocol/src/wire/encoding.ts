import * as z from "zod";

const hexOf = (bytes: number) =>
  z.string().regex(new RegExp(`^[0-9a-f]{${bytes * 2}}$`), `expected ${bytes} bytes as lower-case hex`);

/** Lower-case hex of fixed length. Node ids, attestation ids, session ids and hashes are 32 bytes. */
export const hex = { b8: hexOf(8), b16: hexOf(16), b32: hexOf(32), b64: hexOf(64) };

/** Canonical base64: standard alphabet, padded, no stray bits. */
export const base64 = z.string().refine((text) => {
  try {
    return toBase64(fromBase64(text)) === text;
  } catch {
    return false;
  }
}, "expected canonical base64");

/** A count or instant: an integer that JSON and Number hold exactly. */
export const count = z.int().nonnegative();

/** nanoTON on the wire: a decimal string, because JSON numbers are not exact. */
export const nanoText = z.string().regex(/^(0|[1-9][0-9]{0,38})$/, "expected nanoTON as a decimal string");
export const nano = nanoText.transform((text) => BigInt(text));

const hexPairs = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

export function toHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += hexPairs[byte];
  return text;
}

/** @throws RangeError on anything but pairs of lower-case hex digits. */
export function fromHex(text: string): Uint8Array<ArrayBuffer> {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) throw new RangeError("expected lower-case hex");
  const digit = (at: number) => {
    const code = text.charCodeAt(at);
    return code < 0x3a ? code - 0x30 : code - 0x57;
  };
  const bytes = new Uint8Array(text.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = digit(i * 2) * 16 + digit(i * 2 + 1);
  return bytes;
}

/** An array-like is taken as it is; spread, each byte would come through an iterator, ten times slower. */
const characters = (bytes: Uint8Array): string =>
  Reflect.apply(String.fromCharCode, undefined, bytes as unknown as number[]);

export function toBase64(bytes: Uint8Array): string {
  let binary = "";
  for (let i = 0; i < bytes.length; i += 0x8000) binary += characters(bytes.subarray(i, i + 0x8000));
  return btoa(binary);
}

/** @throws DOMException when `text` is not base64. */
export function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}

const encoder = new TextEncoder();
// A byte order mark stays in the text, so that one text has one encoding.
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

export const utf8 = (text: string): Uint8Array<ArrayBuffer> => encoder.encode(text);
/** @throws TypeError when the bytes are not UTF-8. */
export const fromUtf8 = (bytes: Uint8Array): string => decoder.decode(bytes);

export function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

/** @throws RangeError outside 0..2^64-1. */
export function u64be(value: number | bigint): Uint8Array<ArrayBuffer> {
  const integer = BigInt(value);
  if (integer !== BigInt.asUintN(64, integer))
    throw new RangeError(`${value} is not an unsigned 64-bit integer`);
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, integer);
  return bytes;
}
