import { useEffect, useState } from "react";

export type Language = "en" | "ru";
export type Theme = "light" | "dark";

export interface Settings {
  readonly language: Language;
  readonly theme: Theme;
  /** Whose eyes the page sees with; undefined until somebody is there. */
  readonly personId: number | undefined;
}

const key = "playground/settings";

function initial(): Settings {
  const asked = new URLSearchParams(location.search);
  let kept: Partial<Settings> = {};
  try {
    kept = JSON.parse(localStorage.getItem(key) ?? "{}") as Partial<Settings>;
  } catch {
    // Storage is off or holds something else: begin anew.
  }
  const language = asked.get("lang") ?? kept.language ?? navigator.language.slice(0, 2);
  const theme = asked.get("theme") ?? kept.theme ?? preferredTheme();
  return {
    language: language === "ru" ? "ru" : "en",
    theme: theme === "dark" ? "dark" : "light",
    personId: typeof kept.personId === "number" ? kept.personId : undefined,
  };
}

const preferredTheme = (): Theme => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

/** Kept in this browser; `?theme=` and `?lang=` in the address come first. */
export function useSettings(): [Settings, (change: Partial<Settings>) => void] {
  const [settings, set] = useState(initial);
  useEffect(() => {
    document.documentElement.lang = settings.language;
    document.documentElement.dataset.theme = settings.theme;
    try {
      localStorage.setItem(key, JSON.stringify(settings));
    } catch {
      // A page that forgets is better than none.
    }
  }, [settings]);
  return [settings, (change) => set((last) => ({ ...last, ...change }))];
}
