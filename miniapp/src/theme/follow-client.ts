import type { TelegramClient } from "../telegram/client.ts";
import { paletteOf, type Scheme } from "./palette.ts";

/** A keyboard takes at least this much of the height. */
const keyboardPx = 140;

/**
 * Keeps the page's colours, height and insets as Telegram's app and the device have them now. Set through
 * the CSSOM, which the page's own policy allows; until the first answer, `base.css` has usable values.
 */
export function followClient(
  client: TelegramClient | undefined,
  theme: Readonly<Record<string, string>>,
): void {
  const root = document.documentElement;
  let colours = theme;
  const system = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => {
    const fallback: Scheme = system.matches ? "dark" : "light";
    const palette = paletteOf(colours, fallback);
    root.dataset.scheme = palette.scheme;
    root.style.colorScheme = palette.scheme;
    for (const [name, value] of Object.entries(palette.colours)) root.style.setProperty(name, value);
  };
  paint();
  system.addEventListener("change", paint);
  client?.onTheme((changed) => {
    colours = { ...colours, ...changed };
    paint();
  });
  client?.onInsets((part, insets) => {
    for (const [side, px] of Object.entries(insets)) root.style.setProperty(`--${part}-${side}`, `${px}px`);
  });
  followHeight(client, root);
}

/** The smaller of what Telegram calls stable and what the keyboard leaves; the composer stays in sight. */
function followHeight(client: TelegramClient | undefined, root: HTMLElement): void {
  const { visualViewport } = window;
  let stable = Number.POSITIVE_INFINITY;
  let tallest = 0;
  let width = 0;
  const settle = () => {
    const visible = visualViewport?.height ?? window.innerHeight;
    const height = Math.round(Math.min(stable, visible));
    // After a rotation the old height says nothing.
    if (width !== window.innerWidth) tallest = 0;
    width = window.innerWidth;
    tallest = Math.max(tallest, height);
    root.style.setProperty("--app-height", `${height}px`);
    root.toggleAttribute("data-keyboard", tallest - height > keyboardPx);
    // iOS scrolls a page under its keyboard although nothing of it is hidden now.
    if (window.scrollY > 0) window.scrollTo(0, 0);
  };
  client?.onHeight((height) => {
    stable = height;
    settle();
  });
  visualViewport?.addEventListener("resize", settle);
  window.addEventListener("resize", settle);
  settle();
}
