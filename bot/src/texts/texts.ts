import { readFileSync } from "node:fs";
import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";

export const languages = ["en", "ru"] as const;
export type Language = (typeof languages)[number];

/** A text of `locales/*.ftl` by its id; Markdown, like an answer. */
export type Translate = (id: string, variables?: Readonly<Record<string, FluentVariable>>) => string;

const folder = new URL("../../locales/", import.meta.url);

/**
 * Everything that the bot says, in every language.
 * @param openTier the bot's policy admits nodes whose owners can read: what has a text `…-open` says that one
 * @throws Error when a locale does not parse, so that a typo is found at start and not by a person.
 */
export function loadTexts(openTier = false): Readonly<Record<Language, Translate>> {
  const translators = languages.map((language) => [language, translator(language, openTier)] as const);
  return Object.fromEntries(translators) as Record<Language, Translate>;
}

/** @param code IETF tag of a person's app; everybody without a language of ours gets English. */
export function languageOf(code: string | undefined): Language {
  const primary = code?.toLowerCase().split("-")[0];
  return languages.find((language) => language === primary) ?? "en";
}

function translator(language: Language, openTier: boolean): Translate {
  const bundle = new FluentBundle(language, { useIsolating: false });
  const resource = new FluentResource(readFileSync(new URL(`${language}.ftl`, folder), "utf8"));
  const [error] = bundle.addResource(resource);
  if (error) throw new Error(`locales/${language}.ftl: ${error.message}`, { cause: error });
  return (id, variables) => {
    const open = openTier ? bundle.getMessage(`${id}-open`)?.value : undefined;
    const message = open ?? bundle.getMessage(id)?.value;
    if (!message) throw new Error(`locales/${language}.ftl has no text "${id}"`);
    const errors: Error[] = [];
    const text = bundle.formatPattern(message, variables ?? null, errors);
    if (errors[0])
      throw new Error(`locales/${language}.ftl, "${id}": ${errors[0].message}`, { cause: errors[0] });
    return text;
  };
}
