import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";

/** Languages that the page speaks; every room of it brings its own words in all of them. */
export const languages = ["en", "ru"] as const;
export type Language = (typeof languages)[number];

export type TextArguments = Readonly<Record<string, FluentVariable>>;

const bundles = Object.fromEntries(
  // No isolation marks: values here are numbers, names and codes, and they are copied by people.
  languages.map((language) => [language, new FluentBundle(language, { useIsolating: false })]),
) as Record<Language, FluentBundle>;

/**
 * Adds a room's words; called once, at the top of the room's lazy module, before anything of it renders.
 * Ids begin with the room's name, so that rooms cannot collide.
 */
export function addMessages(texts: Readonly<Record<Language, string>>): void {
  for (const language of languages) {
    bundles[language].addResource(new FluentResource(texts[language]), { allowOverrides: true });
  }
}

/** The same for a room with many words: only those of the page's language are loaded. */
export async function loadMessages(
  texts: Readonly<Record<Language, () => Promise<{ readonly default: string }>>>,
): Promise<void> {
  const language = languageFor(document.documentElement.lang);
  const { default: words } = await texts[language]();
  bundles[language].addResource(new FluentResource(words), { allowOverrides: true });
}

/** What a person's tag stands for here: Russian for `ru`, English for all others. */
export const languageFor = (tag: string | undefined): Language =>
  tag?.toLowerCase().split(/[-_]/)[0] === "ru" ? "ru" : "en";

/**
 * The words of `id`; in English where a translation lacks, and the id itself where nobody wrote any, so that
 * a missing text is seen and breaks nothing.
 */
export function textOf(language: Language, id: string, values?: TextArguments): string {
  for (const bundle of [bundles[language], bundles.en]) {
    const message = bundle.getMessage(id);
    if (message?.value) return bundle.formatPattern(message.value, values ?? null, []);
  }
  return id;
}

/** Whether any language has words for `id`. */
export const hasText = (id: string): boolean =>
  languages.some((language) => bundles[language].hasMessage(id));
