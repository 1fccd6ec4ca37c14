import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MarkerScanner } from "./marker-scanner.ts";

/** Everything that came out before the first marker, the marker, and what was left behind it. */
function scan(markers: readonly string[], pieces: readonly string[]) {
  const scanner = new MarkerScanner(markers);
  let text = "";
  for (const [index, piece] of pieces.entries()) {
    const { scanned, rest } = scanner.push(piece);
    for (const part of scanned) {
      if ("marker" in part)
        return { text, marker: part.marker, rest: rest + pieces.slice(index + 1).join("") };
      text += part.text;
    }
  }
  return { text: text + scanner.flush(), marker: undefined, rest: "" };
}

describe("MarkerScanner", () => {
  test("finds a marker that is cut over several pieces and lets no part of it out", () => {
    const scanner = new MarkerScanner(["STOP"]);
    expect(scanner.push("a S").scanned).toEqual([{ text: "a " }]);
    expect(scanner.push("TO").scanned).toEqual([]);
    expect(scanner.push("P b")).toEqual({ scanned: [{ marker: "STOP" }], rest: " b" });
  });

  test("lets out what only looked like a marker", () => {
    const scanner = new MarkerScanner(["STOP"]);
    expect(scanner.push("STO").scanned).toEqual([]);
    expect(scanner.push("RM").scanned).toEqual([{ text: "STORM" }]);
  });

  test("takes the longer of two markers that begin together", () => {
    expect(scan(["<a", "<a>"], ["x<a>y"])).toEqual({ text: "x", marker: "<a>", rest: "y" });
  });

  test("ignores empty markers", () => {
    expect(scan([""], ["abc"])).toEqual({ text: "abc", marker: undefined, rest: "" });
  });

  test("gives out all text before the first marker and nothing of it, however the text is cut", () => {
    const letters = fc.string({ unit: fc.constantFrom("a", "b", "é", "🐧"), maxLength: 12 });
    const marker = fc.string({ unit: fc.constantFrom("a", "b", "🐧"), minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(letters, marker, fc.array(fc.nat(3), { maxLength: 12 }), (text, mark, cuts) => {
        const pieces: string[] = [];
        let left = text;
        for (const cut of cuts) {
          pieces.push(left.slice(0, cut));
          left = left.slice(cut);
        }
        const found = scan([mark], [...pieces, left]);
        const at = text.indexOf(mark);
        expect(found.text).toBe(at < 0 ? text : text.slice(0, at));
        expect(found.marker).toBe(at < 0 ? undefined : mark);
        expect(found.rest).toBe(at < 0 ? "" : text.slice(at + mark.length));
      }),
    );
  });
});
