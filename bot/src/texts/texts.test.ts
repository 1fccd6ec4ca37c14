import { readFileSync } from "node:fs";
import { FluentResource } from "@fluent/bundle";
import { describe, expect, it } from "vitest";
import { administratorCommands, moneyCommands, privateCommands } from "../features/profile.ts";
import { formatText } from "../markdown/entities.ts";
import { readMarkdown } from "../markdown/read-markdown.ts";
import { languageOf, languages, loadTexts } from "./texts.ts";

const texts = loadTexts();
const source = (language: string) =>
  readFileSync(new URL(`../../locales/${language}.ftl`, import.meta.url), "utf8");
/** As they stand in the file: the parser leaves out what it cannot read. */
const namesIn = (language: string) =>
  [...source(language).matchAll(/^([a-z][\w-]*) =/gm)].map(([, id]) => id);
const variables = {
  name: "Anna",
  username: "bombyx_bot",
  reason: "PUBLIC_URL is not set",
  hours: 24,
  turns: 2,
  context: 1_024,
  nodes: 2,
  model: "spark",
  seconds: 5,
  kind: "voice",
  percent: 75,
  credit: "12.5",
  stars: 100,
  date: "2026-11-22",
  state: "credited",
  charge: "stx1",
  user: "42",
  words: "I paid twice",
};

describe("the bot's texts", () => {
  it.each(languages)("in %s are all readable, the same ones as in English", (language) => {
    expect(namesIn(language)).toEqual(namesIn("en"));
    expect(new FluentResource(source(language)).body.map(({ id }) => id)).toEqual(namesIn("en"));
    for (const id of namesIn("en")) {
      const { text } = formatText(readMarkdown(texts[language](id ?? "", variables)));
      expect(text.length, id).toBeGreaterThan(0);
      expect(text.length, id).toBeLessThanOrEqual(4_096);
      expect(text, id).not.toMatch(/\*\*|__|\{|undefined/);
    }
  });

  it.each(languages)("in %s fit what Telegram shows before the chat begins", (language) => {
    const t = texts[language];
    expect(t("description").length).toBeLessThanOrEqual(512);
    expect(t("short-description").length).toBeLessThanOrEqual(120);
    for (const name of [...privateCommands, ...administratorCommands, ...moneyCommands, "forget-own"]) {
      expect(t(`command-${name}`).length).toBeLessThanOrEqual(256);
    }
  });

  it("count as each language counts", () => {
    const erased = (language: "en" | "ru", turns: number) =>
      texts[language]("forget-done", { turns }).split("\n")[0];
    expect([1, 2].map((turns) => erased("en", turns))).toEqual([
      expect.stringContaining("one question"),
      expect.stringContaining("2 questions"),
    ]);
    expect([1, 3, 5].map((turns) => erased("ru", turns))).toEqual([
      expect.stringContaining("1 вопрос с ответом"),
      expect.stringContaining("3 вопроса"),
      expect.stringContaining("5 вопросов"),
    ]);
  });

  it("are chosen by the language of the person's app", () => {
    expect(["ru", "ru-RU", "RU", "en-GB", "de", undefined].map(languageOf)).toEqual([
      "ru",
      "ru",
      "ru",
      "en",
      "en",
      "en",
    ]);
  });
});
