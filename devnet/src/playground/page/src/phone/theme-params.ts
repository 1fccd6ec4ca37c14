import type { Theme } from "../settings.ts";

/** Colours of Telegram's own themes, as its apps hand them to Mini Apps. */
export const themeParams: Readonly<Record<Theme, Readonly<Record<string, string>>>> = {
  light: {
    bg_color: "#ffffff",
    text_color: "#000000",
    hint_color: "#707579",
    link_color: "#2481cc",
    button_color: "#2481cc",
    button_text_color: "#ffffff",
    secondary_bg_color: "#f1f2f5",
    header_bg_color: "#ffffff",
    bottom_bar_bg_color: "#ffffff",
    accent_text_color: "#1c73b8",
    section_bg_color: "#ffffff",
    section_header_text_color: "#1c73b8",
    section_separator_color: "#e4e5e9",
    subtitle_text_color: "#6d747a",
    destructive_text_color: "#cc2929",
  },
  dark: {
    bg_color: "#17212b",
    text_color: "#f5f5f5",
    hint_color: "#8b9db0",
    link_color: "#6ab3f3",
    button_color: "#2f78b7",
    button_text_color: "#ffffff",
    secondary_bg_color: "#0e1621",
    header_bg_color: "#17212b",
    bottom_bar_bg_color: "#17212b",
    accent_text_color: "#6ab2f2",
    section_bg_color: "#17212b",
    section_header_text_color: "#6ab3f3",
    section_separator_color: "#24313f",
    subtitle_text_color: "#8b9db0",
    destructive_text_color: "#f0606a",
  },
};
