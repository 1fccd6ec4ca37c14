import { type AnswerDelta, concat, fromUtf8 } from "@bombyx/protocol/wire";
import fc from "fast-check";
import { expect, it } from "vitest";
import { AnswerPacker, type Piece } from "./answer-packer.ts";

const counts = (completionTokens: number) => ({
  promptTokens: 1,
  cachedTokens: 0,
  completionTokens,
  reasoningTokens: 0,
});

function drain(packer: AnswerPacker, capacity: number) {
  const pieces: Piece[] = [];
  for (let piece = packer.take(capacity); piece; piece = packer.take(capacity)) pieces.push(piece);
  return pieces;
}

const lines = (pieces: readonly { bytes: Uint8Array }[]): AnswerDelta[] =>
  fromUtf8(concat(...pieces.map(({ bytes }) => bytes)))
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line));

const text = (deltas: readonly AnswerDelta[]): string =>
  deltas
    .map((delta) => ("text" in delta ? delta.text : "reasoning" in delta ? `(${delta.reasoning})` : ""))
    .join("");

it("loses and reorders nothing, keeps to the frame, and counts whole lines only", () => {
  const delta = fc.oneof(
    fc.record({ text: fc.string({ unit: "grapheme", maxLength: 40 }) }),
    fc.record({ text: fc.string({ minLength: 150, maxLength: 400 }) }),
  );
  fc.assert(
    fc.property(fc.array(delta, { maxLength: 30 }), fc.integer({ min: 20, max: 169 }), (deltas, capacity) => {
      const packer = new AnswerPacker();
      for (const [i, each] of deltas.entries()) packer.push(each, counts(i + 1));
      const pieces = drain(packer, capacity);
      expect(text(lines(pieces))).toBe(text(deltas));
      expect(pieces.every(({ bytes }) => bytes.length <= capacity && bytes.length > 0)).toBe(true);
      expect(packer.empty).toBe(true);
      expect(packer.waitingBytes).toBe(0);
      // What a client has parsed at any point is what the last count says.
      let seen: Uint8Array[] = [];
      for (const piece of pieces) {
        seen = [...seen, piece.bytes];
        if (!piece.counts) continue;
        const whole = fromUtf8(concat(...seen))
          .split("\n")
          .slice(0, -1)
          .map((line) => JSON.parse(line));
        expect(text(whole)).toBe(text(deltas.slice(0, piece.counts.completionTokens)));
      }
    }),
  );
});

it("joins what waits into one line, but never different kinds", () => {
  const packer = new AnswerPacker();
  packer.push({ text: "a" }, counts(1));
  packer.push({ text: "b" }, counts(2));
  packer.push({ reasoning: "c" }, counts(3));
  expect(lines(drain(packer, 169))).toEqual([{ text: "ab" }, { reasoning: "c" }]);
});

it("begins a line in the next frame rather than cutting one that fits there", () => {
  const packer = new AnswerPacker();
  packer.push({ text: "x".repeat(100) }, counts(1));
  packer.push({ reasoning: "y".repeat(100) }, counts(2));
  expect(drain(packer, 169).map((piece) => piece.counts?.completionTokens)).toEqual([1, 2]);
});
