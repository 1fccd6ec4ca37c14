/**
 * A strict reader of DER (X.690): one-byte tags, definite lengths in their shortest form, nothing
 * behind the value. Certificates and CRLs come through untrusted hands; what is not DER is refused
 * by a RangeError, which the callers turn into their own reason.
 */
export interface Der {
  readonly tag: number;
  readonly content: Uint8Array<ArrayBuffer>;
  /** Tag, length and content as they were signed. */
  readonly raw: Uint8Array<ArrayBuffer>;
}

export const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8String: 0x0c,
  printableString: 0x13,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Walks the values of one constructed value, in order. */
export class DerReader {
  readonly #bytes: Uint8Array<ArrayBuffer>;
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>) {
    this.#bytes = bytes;
  }

  get done(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** Whether the next value has this tag; false at the end. */
  is(tag: number): boolean {
    return this.#bytes[this.#at] === tag;
  }

  /** The next value, whose tag must be `tag`. */
  next(tag: number): Der {
    const start = this.#at;
    if (this.#byte() !== tag) throw new RangeError(`expected DER tag ${tag} at ${start}`);
    const size = this.#length();
    const end = this.#at + size;
    if (end > this.#bytes.length) throw new RangeError("DER value is longer than what holds it");
    const content = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return { tag, content, raw: this.#bytes.subarray(start, end) };
  }

  /** The next value as a reader of its own. */
  enter(tag: number = tags.sequence): DerReader {
    return new DerReader(this.next(tag).content);
  }

  end(): void {
    if (!this.done) throw new RangeError("bytes behind a DER value");
  }

  #byte(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw new RangeError("DER ends in a header");
    this.#at++;
    return byte;
  }

  #length(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    const size = first - 0x80;
    // 0 is indefinite, and never the shortest
    if (size > 3) throw new RangeError("DER length is indefinite or too large");
    let length = 0;
    for (let i = 0; i < size; i++) length = length * 256 + this.#byte();
    if (length < 0x80 || length < 256 ** (size - 1)) throw new RangeError("DER length is not the shortest");
    return length;
  }
}

/** A non-negative INTEGER without leading zeros, big-endian. */
export function unsignedInteger(value: Der): Uint8Array<ArrayBuffer> {
  const { content } = value;
  const [first, second] = content;
  if (first === undefined || first >= 0x80) throw new RangeError("expected a non-negative INTEGER");
  if (first === 0 && second !== undefined) {
    if (second < 0x80) throw new RangeError("INTEGER is not the shortest");
    return content.subarray(1);
  }
  return content;
}

/** A non-negative INTEGER of at most 4 bytes. */
export function smallInteger(value: Der): number {
  const bytes = unsignedInteger(value);
  if (bytes.length > 4) throw new RangeError("INTEGER is too large here");
  return bytes.reduce((sum, byte) => sum * 256 + byte, 0);
}

/** BOOLEAN: DER knows 00 and FF only. */
export function boolean(value: Der): boolean {
  const [byte] = value.content;
  if (value.content.length !== 1 || (byte !== 0 && byte !== 0xff)) throw new RangeError("not a DER BOOLEAN");
  return byte === 0xff;
}

/** The bytes of a BIT STRING that has whole bytes. */
export function wholeBits(value: Der): Uint8Array<ArrayBuffer> {
  if (value.content[0] !== 0) throw new RangeError("BIT STRING has unused bits");
  return value.content.subarray(1);
}

/** UTCTime or GeneralizedTime as RFC 5280 §4.1.2.5 has them: whole seconds, Z. ms since epoch. */
export function nextTime(reader: DerReader): number {
  const short = reader.is(tags.utcTime);
  const { content } = reader.next(short ? tags.utcTime : tags.generalizedTime);
  if (content.length !== (short ? 13 : 15) || content.at(-1) !== 0x5a)
    throw new RangeError("not a time of RFC 5280");
  const pairs: number[] = [];
  for (let i = 0; i < content.length - 1; i += 2) {
    const [tens = 0, ones = 0] = content.subarray(i, i + 2);
    if (tens < 0x30 || tens > 0x39 || ones < 0x30 || ones > 0x39)
      throw new RangeError("not digits in a time");
    pairs.push((tens - 0x30) * 10 + ones - 0x30);
  }
  if (short) pairs.unshift((pairs[0] ?? 0) < 50 ? 20 : 19);
  const [century = 0, year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = pairs;
  const fields = [century * 100 + year, month - 1, day, hour, minute, second] as const;
  const date = new Date(Date.UTC(...fields));
  const read = [
    date.getUTCFullYear(),
    date.getUTCMonth(),
    date.getUTCDate(),
    date.getUTCHours(),
    date.getUTCMinutes(),
    date.getUTCSeconds(),
  ];
  if (fields.some((field, i) => field !== read[i])) throw new RangeError("not a date");
  return date.getTime();
}
