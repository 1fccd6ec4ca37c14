import { describe, expect, it } from "vitest";
import { contrast, paletteOf } from "./palette.ts";

const texts = ["--ink", "--quiet", "--link", "--good", "--warn", "--danger"] as const;
const surfaces = ["--ground", "--behind", "--section", "--sunken"] as const;

const themes: readonly [string, Record<string, string>][] = [
  ["nothing", {}],
  [
    "Telegram's light one",
    {
      bg_color: "#ffffff",
      secondary_bg_color: "#efeff4",
      hint_color: "#999999",
      link_color: "#2481cc",
      button_color: "#2481cc",
      button_text_color: "#ffffff",
      destructive_text_color: "#ff3b30",
    },
  ],
  [
    "Telegram's dark one",
    {
      bg_color: "#17212b",
      secondary_bg_color: "#232e3c",
      section_bg_color: "#17212b",
      text_color: "#f5f5f5",
      hint_color: "#708499",
      link_color: "#6ab3f3",
      button_color: "#5288c1",
      button_text_color: "#ffffff",
    },
  ],
  [
    "a black one",
    {
      bg_color: "#000000",
      secondary_bg_color: "#000000",
      section_bg_color: "#000000",
      text_color: "#ffffff",
    },
  ],
  [
    "one with yellow buttons",
    { bg_color: "#ffffff", button_color: "#ffe600", button_text_color: "#ffffff", link_color: "#ffe600" },
  ],
  ["one that hides its text", { bg_color: "#ffffff", text_color: "#ffffff", hint_color: "#ffffff" }],
];

describe.each(themes)("a palette from %s", (_, theme) => {
  it.each(["light", "dark"] as const)("can be read, on a phone that is %s", (fallback) => {
    const { colours } = paletteOf(theme, fallback);
    for (const text of texts) {
      for (const surface of surfaces) {
        expect(contrast(colours[text]!, colours[surface]!), `${text} on ${surface}`).toBeGreaterThanOrEqual(
          4.5,
        );
      }
    }
    expect(contrast(colours["--on-accent"]!, colours["--accent"]!)).toBeGreaterThanOrEqual(4.5);
    for (const tone of ["--good", "--warn", "--danger"] as const) {
      expect(contrast(colours[tone]!, colours[`${tone}-tint`]!), tone).toBeGreaterThanOrEqual(4.5);
    }
  });
});

it("takes its scheme from the ground that Telegram sent, and from the phone where it sent none", () => {
  expect(paletteOf({ bg_color: "#17212b" }, "light").scheme).toBe("dark");
  expect(paletteOf({ bg_color: "#fafafa" }, "dark").scheme).toBe("light");
  expect(paletteOf({}, "dark").scheme).toBe("dark");
});

it("keeps the hue of a ground whose client names nothing else", () => {
  const { colours } = paletteOf({ bg_color: "#17212b" }, "light");
  expect(colours["--section"]).toBe("#17212b");
  expect(colours["--behind"]).toBe("#141d26");
});

it("leaves a colour alone that can be read", () => {
  expect(paletteOf({ bg_color: "#ffffff", link_color: "#0b57d0" }, "light").colours["--link"]).toBe(
    "#0b57d0",
  );
});
