import { concat, fromBase64, fromHex, toBase64, toHex } from "../../src/wire/index.ts";
import type { Random } from "../random.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Lengths and counts that parsers have stumbled over. */
const edges = [0, 1, 2, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0xffff, 0x10000, 0x7fffffff, 0xffffffff];

/** Some change of bytes that know no structure. */
export function bend(bytes: Uint8Array, random: Random): Bytes {
  const copy = new Uint8Array(bytes);
  const at = random.below(Math.max(1, copy.length));
  switch (random.below(7)) {
    case 0:
      for (let flips = 1 + random.below(3); flips > 0; flips--) {
        const place = random.below(Math.max(1, copy.length));
        copy[place] = (copy[place] ?? 0) ^ (1 << random.below(8));
      }
      return copy;
    case 1:
      return copy.slice(0, at);
    case 2:
      return concat(copy.slice(0, at), random.bytes(1 + random.below(8)), copy.slice(at));
    case 3:
      return concat(copy.slice(0, at), copy.slice(at + 1 + random.below(8)));
    case 4: {
      const view = new DataView(copy.buffer);
      if (at + 4 <= copy.length) view.setUint32(at, random.pick(edges), random.below(2) === 0);
      return copy;
    }
    case 5: {
      const size = random.below(64);
      copy.copyWithin(at, random.below(Math.max(1, copy.length)), at + size);
      return copy;
    }
    default:
      return concat(copy, random.bytes(random.below(100)));
  }
}

interface Value {
  readonly start: number;
  readonly content: number;
  readonly end: number;
}

/** Every DER value inside `bytes`, however deep. */
function values(bytes: Uint8Array, from = 0, to = bytes.length): Value[] {
  const found: Value[] = [];
  for (let at = from; at + 1 < to; ) {
    const tag = bytes[at] ?? 0;
    const first = bytes[at + 1] ?? 0;
    const more = first < 0x80 ? 0 : first - 0x80;
    let size = first < 0x80 ? first : 0;
    for (let i = 0; i < more; i++) size = size * 256 + (bytes[at + 2 + i] ?? 0);
    const content = at + 2 + more;
    const end = content + size;
    if (more > 3 || end > to) return found;
    found.push({ start: at, content, end });
    if ((tag & 0x20) !== 0) found.push(...values(bytes, content, end));
    at = end;
  }
  return found;
}

/** Changes one value of a DER document, and mends no length around it, or all of them. */
export function operate(document: Uint8Array, random: Random): Bytes {
  const bytes = new Uint8Array(document);
  const { start, content, end } = random.pick(values(bytes)) ?? { start: 0, content: 0, end: 0 };
  const value = bytes.slice(start, end);
  const replaced = (by: Uint8Array) => rebuild(bytes, start, end, by);
  switch (random.below(7)) {
    case 0:
      return replaced(concat(value, value));
    case 1:
      return replaced(new Uint8Array(0));
    case 2:
      bytes[start] = random.below(256);
      return bytes;
    case 3:
      bytes[start + 1] = random.pick([0x80, 0x81, 0x82, 0x84, 0xff, (bytes[start + 1] ?? 0) + 1]) & 0xff;
      return bytes;
    case 4:
      return replaced(concat(value.slice(0, content - start), bend(bytes.slice(content, end), random)));
    case 5:
      // a length in more bytes than it needs: BER, not DER
      return replaced(concat(value.slice(0, 1), longForm(end - content), bytes.slice(content, end)));
    default:
      return replaced(concat(Uint8Array.of(0x30, 0x00), value));
  }
}

const longForm = (size: number) => Uint8Array.of(0x83, size >> 16, (size >> 8) & 0xff, size & 0xff);

/** Puts `by` in the place of a value and mends the lengths of all that hold it. */
function rebuild(bytes: Bytes, start: number, end: number, by: Uint8Array): Bytes {
  const holder = values(bytes)
    .filter((value) => value.content <= start && value.end >= end && value.start < start)
    .at(-1);
  if (holder === undefined) return concat(bytes.slice(0, start), by, bytes.slice(end));
  const content = concat(bytes.slice(holder.content, start), by, bytes.slice(end, holder.end));
  const { length } = content;
  const size =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, (length >> 8) & 0xff, length & 0xff];
  const whole = concat(Uint8Array.of(bytes[holder.start] ?? 0, ...size), content);
  return rebuild(bytes, holder.start, holder.end, whole);
}

/** A PEM chain with one of its certificates operated on, dropped, doubled or moved. */
export function operateChain(pem: string, random: Random): string {
  const blocks = pem.split(/(?<=-----END CERTIFICATE-----\n)/).filter((block) => block.includes("BEGIN"));
  const at = random.below(Math.max(1, blocks.length));
  const block = blocks[at] ?? "";
  switch (random.below(5)) {
    case 0:
      blocks.splice(at, 1);
      break;
    case 1:
      blocks.splice(at, 0, block);
      break;
    case 2:
      blocks.push(...blocks.splice(at, 1));
      break;
    default: {
      const body = block.replace(/-----[A-Z ]+-----|\s/g, "");
      const lines = toBase64(operate(fromBase64(body), random)).match(/.{1,64}/g) ?? [];
      blocks[at] = `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
    }
  }
  return blocks.join("");
}

export const operateHex = (hex: string, random: Random): string => toHex(operate(fromHex(hex), random));

/** A text with a character changed, a part doubled or left out. */
export function bendText(text: string, random: Random): string {
  const at = random.below(Math.max(1, text.length));
  const size = 1 + random.below(12);
  switch (random.below(4)) {
    case 0:
      return text.slice(0, at) + String.fromCharCode(32 + random.below(95)) + text.slice(at + 1);
    case 1:
      return text.slice(0, at) + text.slice(at + size);
    case 2:
      return text.slice(0, at) + text.slice(at, at + size) + text.slice(at);
    default:
      return text.slice(0, at);
  }
}
