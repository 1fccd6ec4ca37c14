import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { concat, type Envelope, EnvelopeReader, envelopeHeader, envelopeKind, utf8 } from "./index.ts";

const anyEnvelope = fc.record({
  kind: fc.constantFrom(...Object.values(envelopeKind)),
  payload: fc.uint8Array({ maxLength: 400 }),
});
const encode = ({ kind, payload }: Envelope): Uint8Array =>
  concat(envelopeHeader(kind, payload.length), payload);

/** `bytes` in pieces whose lengths are `lengths`, the rest last. */
function pieces(bytes: Uint8Array, lengths: readonly number[]): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let at = 0;
  for (const length of lengths) {
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...chunks, bytes.subarray(at)];
}

/** Copies, because a payload is a view of the chunk that it came in. */
const take = (reader: EnvelopeReader, chunk: Uint8Array): Envelope[] =>
  [...reader.push(chunk)].map(({ kind, payload }) => ({ kind, payload: payload.slice() }));

const notOurs = expect.objectContaining({ code: "SEALED_STREAM" });

describe("the envelopes of an answer", () => {
  it("come out as they went in, however the network cuts the bytes", () => {
    fc.assert(
      fc.property(fc.array(anyEnvelope), fc.array(fc.nat(500)), (envelopes, lengths) => {
        const reader = new EnvelopeReader();
        const chunks = pieces(concat(...envelopes.map(encode)), lengths);
        expect(chunks.flatMap((chunk) => take(reader, chunk))).toEqual(envelopes);
        expect(reader.empty).toBe(true);
      }),
    );
  });

  it("come out when they come byte by byte", () => {
    const envelope = { kind: envelopeKind.sealed, payload: utf8("hello") };
    const reader = new EnvelopeReader();
    const whole = pieces(encode(envelope), Array(9).fill(1)).map((chunk) => take(reader, chunk));
    expect(whole.slice(0, 9).flat()).toEqual([]);
    expect(whole[9]).toEqual([envelope]);
  });

  it("leave a half one waiting, which is not an end", () => {
    const reader = new EnvelopeReader();
    expect(take(reader, encode({ kind: 1, payload: utf8("hello") }).subarray(0, 7))).toEqual([]);
    expect(reader.empty).toBe(false);
  });

  it("that a reader did not take come with the next chunk", () => {
    const [first, second] = [utf8("first"), utf8("second")].map((payload) => ({ kind: 1, payload }));
    const reader = new EnvelopeReader();
    for (const envelope of reader.push(concat(encode(first!), encode(second!)))) {
      expect(envelope).toEqual(first);
      break;
    }
    expect(take(reader, new Uint8Array(0))).toEqual([second]);
  });

  it.each([0, 4, 255])(
    "do not include the kind %i; garbage between good ones ends the stream for good",
    (kind) => {
      const good = encode({ kind: 1, payload: utf8("good") });
      const reader = new EnvelopeReader();
      expect(take(reader, good)).toHaveLength(1);
      expect(() => take(reader, encode({ kind, payload: utf8("bad") }))).toThrowError(notOurs);
      expect(() => take(reader, good)).toThrowError(notOurs);
    },
  );

  it("hold 64 KiB and not a byte more, which is refused before it is gathered", () => {
    const most = 64 * 1_024;
    const reader = new EnvelopeReader();
    expect(take(reader, encode({ kind: 1, payload: new Uint8Array(most) }))[0]?.payload.length).toBe(most);
    expect(() => take(reader, envelopeHeader(1, most + 1))).toThrowError(notOurs);
  });
});
