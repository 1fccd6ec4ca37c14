import { globSync, readFileSync } from "node:fs";
import { attestationReasons } from "@bombyx/sdk";
import { FluentResource } from "@fluent/bundle";
import { describe, expect, it } from "vitest";
import { wordsFor } from "../network/failure.ts";
import { addMessages, languageFor, textOf } from "./messages.ts";

const source = new URL("..", import.meta.url).pathname;
const rooms = globSync("**/en.ftl", { cwd: source });
const read = (file: string): string => readFileSync(`${source}${file}`, "utf8");
const ids = (text: string) => new FluentResource(text).body.map(({ id }) => id).sort();
/** The names of a message's variables. */
const variables = (text: string): Record<string, string[]> =>
  Object.fromEntries(
    text
      .split(/\n(?=[a-z])/)
      .map((message) => [message.split(" ")[0] ?? "", [...new Set(message.match(/\$\w+/g))].sort()]),
  );

describe.each(rooms)("the words of %s", (english) => {
  const en = read(english);
  const ru = read(english.replace(/en\.ftl$/, "ru.ftl"));

  it("are there in both languages, with the same variables", () => {
    const written = (text: string) => text.match(/^[a-z][\w-]* =/gm)?.length;
    // A message that Fluent cannot read is dropped in silence; counted, it is not.
    expect(ids(en)).toHaveLength(written(en) ?? 0);
    expect(ids(ru)).toHaveLength(written(ru) ?? 0);
    const onlyRussian = ids(ru).filter((id) => !ids(en).includes(id));
    expect(ids(en).filter((id) => !ids(ru).includes(id))).toEqual([]);
    expect(onlyRussian.filter((id) => id !== "starters-english")).toEqual([]);
    for (const [id, names] of Object.entries(variables(en))) expect(variables(ru)[id], id).toEqual(names);
  });
});

describe("texts", () => {
  it("fall back to English, then to the id, and never throw", () => {
    addMessages({ en: "test-a = Only { $what }\n", ru: "test-b = Да\n" });
    expect(textOf("ru", "test-a", { what: "here" })).toBe("Only here");
    expect(textOf("en", "test-none")).toBe("test-none");
  });

  it("are Russian for Russian tags alone", () => {
    expect(["ru", "RU-ru", "ru_RU", "en", "de", undefined].map(languageFor)).toEqual([
      "ru",
      "ru",
      "ru",
      "en",
      "en",
      "en",
    ]);
  });

  it("exist for every step at which an appraisal refuses", () => {
    addMessages({ en: read("chat/en.ftl"), ru: read("chat/ru.ftl") });
    for (const [reason, step] of Object.entries(attestationReasons)) {
      const id = wordsFor({ code: "ATTESTATION", reason, step });
      expect(id, reason).toMatch(/^refusal-/);
    }
  });
});
