import { createContext, useCallback, useContext } from "react";
import { type Language, type TextArguments, textOf } from "./messages.ts";

export const LanguageContext = createContext<Language>("en");

export const useLanguage = (): Language => useContext(LanguageContext);

/** `t("chat-send")`, `t("network-nodes", { count: 3 })`: words in the person's language. */
export function useText(): (id: string, values?: TextArguments) => string {
  const language = useLanguage();
  return useCallback((id, values) => textOf(language, id, values), [language]);
}
