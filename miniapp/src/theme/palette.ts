/** Colours of the page, by CSS custom property. */
export type Palette = Readonly<Record<`--${string}`, string>>;

type Rgb = readonly [number, number, number];

/** WCAG AA for text; a person's own Telegram theme may hold less, and the text must still be read. */
const textContrast = 4.5;

const defaults = {
  light: {
    bg_color: "#ffffff",
    secondary_bg_color: "#f1f3f6",
    section_bg_color: "#ffffff",
    text_color: "#14161a",
    hint_color: "#707884",
    link_color: "#2467d6",
    button_color: "#2467d6",
    button_text_color: "#ffffff",
    destructive_text_color: "#c9302c",
  },
  dark: {
    bg_color: "#14171c",
    secondary_bg_color: "#1a1e24",
    section_bg_color: "#252a32",
    text_color: "#f0f2f5",
    hint_color: "#98a1af",
    link_color: "#6ea8ff",
    button_color: "#3f82f0",
    button_text_color: "#ffffff",
    destructive_text_color: "#ff7a70",
  },
} as const;

export type Scheme = keyof typeof defaults;

/**
 * A whole palette from what Telegram sent: gaps are filled from `fallback`, and what would be unreadable is
 * moved towards black or white until it has the contrast that text needs.
 */
export function paletteOf(
  theme: Readonly<Record<string, string>>,
  fallback: Scheme,
): { readonly scheme: Scheme; readonly colours: Palette } {
  const base = theme.bg_color;
  const scheme: Scheme = base === undefined ? fallback : luminance(rgb(base)) < 0.4 ? "dark" : "light";
  const colour = (name: keyof (typeof defaults)["light"]): Rgb => rgb(theme[name] ?? defaults[scheme][name]);

  const ground = colour("bg_color");
  // A client of an early version names its ground alone: what lies on and behind it is of the same hue.
  const named = (name: "section_bg_color" | "secondary_bg_color", otherwise: Rgb): Rgb =>
    base === undefined || theme[name] !== undefined ? colour(name) : otherwise;
  const section = named("section_bg_color", ground);
  const behind = named("secondary_bg_color", mix(ground, scheme === "dark" ? black : rgb("#7a8699"), 0.12));
  const ink = readable(colour("text_color"), [ground, section, behind], 7);
  const dark = scheme === "dark";
  const onAccent = colour("button_text_color");
  const accent = readable(colour("button_color"), [onAccent], textContrast);
  const mine = mix(ground, accent, dark ? 0.26 : 0.13);
  const sunken = mix(ground, ink, dark ? 0.07 : 0.045);
  const surfaces = [ground, section, behind, sunken];
  const on = (named: Rgb, extra: readonly Rgb[] = []) =>
    readable(named, [...surfaces, ...extra], textContrast);
  const quiet = on(theme.hint_color === undefined ? mix(ground, ink, 0.64) : colour("hint_color"), [mine]);
  const good = on(rgb(dark ? "#57cf95" : "#137a48"));
  const warn = on(rgb(dark ? "#eab94d" : "#8a5a00"));
  const danger = on(colour("destructive_text_color"));
  const tint = (of: Rgb) => hex(mix(ground, of, dark ? 0.16 : 0.09));

  return {
    scheme,
    colours: {
      "--ground": hex(ground),
      "--behind": hex(behind),
      "--section": hex(section),
      "--sunken": hex(sunken),
      "--mine": hex(mine),
      "--ink": hex(ink),
      "--quiet": hex(quiet),
      "--line": hex(mix(section, ink, dark ? 0.13 : 0.1)),
      "--accent": hex(accent),
      "--on-accent": hex(onAccent),
      "--link": hex(on(colour("link_color"), [mine])),
      "--good": hex(readable(good, [...surfaces, rgb(tint(good))], textContrast)),
      "--good-tint": tint(good),
      "--warn": hex(readable(warn, [...surfaces, rgb(tint(warn))], textContrast)),
      "--warn-tint": tint(warn),
      "--danger": hex(readable(danger, [...surfaces, rgb(tint(danger))], textContrast)),
      "--danger-tint": tint(danger),
    },
  };
}

/** WCAG contrast ratio of two `#rrggbb` colours, 1 to 21. */
export const contrast = (a: string, b: string): number => ratio(rgb(a), rgb(b));

/** The colour nearest to `wanted`, in steps of 4 %, that stands out from every one of `against`. */
function readable(wanted: Rgb, against: readonly Rgb[], least: number): Rgb {
  const reached = (candidate: Rgb) => against.every((other) => ratio(candidate, other) >= least);
  for (let step = 0; step <= 25; step++) {
    for (const end of [black, white]) {
      const candidate = mix(wanted, end, step / 25);
      // Judged as it will be written, after rounding.
      if (reached(rgb(hex(candidate)))) return candidate;
    }
  }
  return luminance(against[0] ?? white) > 0.18 ? black : white;
}

const black: Rgb = [0, 0, 0];
const white: Rgb = [255, 255, 255];

const mix = (a: Rgb, b: Rgb, part: number): Rgb => [
  a[0] + (b[0] - a[0]) * part,
  a[1] + (b[1] - a[1]) * part,
  a[2] + (b[2] - a[2]) * part,
];

function ratio(a: Rgb, b: Rgb): number {
  const [lighter, darker] = [luminance(a), luminance(b)].sort((x, y) => y - x) as [number, number];
  return (lighter + 0.05) / (darker + 0.05);
}

/** @see https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const rgb = (colour: string): Rgb => [
  Number.parseInt(colour.slice(1, 3), 16),
  Number.parseInt(colour.slice(3, 5), 16),
  Number.parseInt(colour.slice(5, 7), 16),
];

const hex = (colour: Rgb): string =>
  `#${colour.map((value) => Math.round(value).toString(16).padStart(2, "0")).join("")}`;
