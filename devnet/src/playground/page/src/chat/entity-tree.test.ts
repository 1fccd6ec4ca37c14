import type { MessageEntity } from "@grammyjs/types";
import fc from "fast-check";
import { expect, it } from "vitest";
import { entityTree, type Piece } from "./entity-tree.ts";

const flat = (pieces: readonly Piece[]): string =>
  pieces.map((piece) => (typeof piece === "string" ? piece : flat(piece.inside))).join("");

it("nests what lies inside, and counts in UTF-16 as Telegram does", () => {
  const bold: MessageEntity = { type: "bold", offset: 3, length: 8 };
  const code: MessageEntity = { type: "code", offset: 6, length: 3 };
  expect(entityTree("🦋 one two end", [code, bold])).toEqual([
    "🦋 ",
    { entity: bold, text: "one two ", inside: ["one", { entity: code, text: " tw", inside: [" tw"] }, "o "] },
    "end",
  ]);
});

it("shows every character once and in its place, whatever the entities are", () => {
  const entity = fc.record({
    type: fc.constantFrom("bold" as const, "italic" as const),
    offset: fc.nat(40),
    length: fc.nat(40),
  });
  fc.assert(
    fc.property(fc.string({ maxLength: 30 }), fc.array(entity, { maxLength: 8 }), (text, entities) => {
      expect(flat(entityTree(text, entities))).toBe(text);
    }),
  );
});
