import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { phoneScreen } from "../src/miniapp/phone.ts";

/** What the page asked of whom, and what its own policy stopped. */
export interface Seen {
  readonly urls: string[];
  readonly posts: string[];
  /** Bodies of all POSTs, as Latin-1. */
  readonly sent: string[];
  readonly violations: string[];
  /** What the page threw and nobody caught. */
  readonly crashes: string[];
}

export interface OpenedPhone {
  readonly page: Page;
  readonly seen: Seen;
}

export interface PhoneOptions {
  /** Of the bridge; left out, there is no bridge at all. */
  readonly bridge?: "answers" | "silent";
  /** @default 9.1 */
  readonly version?: string;
  readonly theme?: Readonly<Record<string, string>>;
  readonly context?: BrowserContextOptions;
}

/** Telegram's own colours, which are not all readable as they are. */
export const telegramThemes = {
  light: {
    bg_color: "#ffffff",
    secondary_bg_color: "#efeff4",
    section_bg_color: "#ffffff",
    text_color: "#000000",
    hint_color: "#999999",
    link_color: "#2481cc",
    button_color: "#2481cc",
    button_text_color: "#ffffff",
    destructive_text_color: "#ff3b30",
  },
  dark: {
    bg_color: "#17212b",
    secondary_bg_color: "#232e3c",
    section_bg_color: "#17212b",
    text_color: "#f5f5f5",
    hint_color: "#708499",
    link_color: "#6ab3f3",
    button_color: "#5288c1",
    button_text_color: "#ffffff",
    destructive_text_color: "#ec3942",
  },
} as const;

/** Opens `url` as Telegram does: launch parameters in the fragment, its bridge in the page. */
export async function openPhone(
  browser: Browser,
  url: string,
  { bridge = "answers", version = "9.1", theme = telegramThemes.light, context }: PhoneOptions = {},
): Promise<OpenedPhone> {
  const opened = await browser.newContext({ ...phoneScreen, ...context });
  const page = await opened.newPage();
  const seen = watch(page);
  await page.addInitScript(bridgeStandIn, { answers: bridge === "answers", theme });
  const launch = new URLSearchParams({
    tgWebAppVersion: version,
    tgWebAppPlatform: "ios",
    tgWebAppThemeParams: JSON.stringify(theme),
  });
  await page.goto(`${url}&${launch}`);
  return { page, seen };
}

export function watch(page: Page): Seen {
  const seen: Seen = { urls: [], posts: [], sent: [], violations: [], crashes: [] };
  page.on("request", (request) => {
    seen.urls.push(request.url());
    if (request.method() !== "POST") return;
    seen.posts.push(new URL(request.url()).pathname);
    seen.sent.push(request.postDataBuffer()?.toString("latin1") ?? "");
  });
  page.on("console", (message) => {
    if (/Content Security Policy/.test(message.text())) seen.violations.push(message.text());
  });
  page.on("pageerror", (error) => seen.crashes.push(String(error)));
  return seen;
}

/** What the page told Telegram, oldest first. */
export const bridgeCalls = (page: Page): Promise<{ name: string; data: unknown }[]> =>
  page.evaluate(() => (window as unknown as { bridgeCalls: { name: string; data: unknown }[] }).bridgeCalls);

/** Telegram says something by itself. */
export const telegramSays = (page: Page, name: string, data?: unknown): Promise<void> =>
  page.evaluate(
    ([event, payload]) =>
      (
        window as unknown as {
          Telegram: { WebView: { receiveEvent: (name: string, data: unknown) => void } };
        }
      ).Telegram.WebView.receiveEvent(event as string, payload),
    [name, data],
  );

/** Runs inside the page, before anything of it: the native client's side of the bridge. */
function bridgeStandIn({
  answers,
  theme,
}: {
  answers: boolean;
  theme: Readonly<Record<string, string>>;
}): void {
  const calls: { name: string; data: unknown }[] = [];
  const page = window as unknown as Record<string, unknown> & {
    Telegram?: { WebView?: { receiveEvent?: (name: string, data: unknown) => void } };
  };
  page.bridgeCalls = calls;
  const say = (name: string, data: unknown) =>
    setTimeout(() => page.Telegram?.WebView?.receiveEvent?.(name, data), 5);
  page.TelegramWebviewProxy = {
    postEvent(name: string, json?: string) {
      calls.push({ name, data: json === undefined || json === "undefined" ? undefined : JSON.parse(json) });
      if (!answers) return;
      const none = { top: 0, right: 0, bottom: 0, left: 0 };
      if (name === "web_app_request_theme") say("theme_changed", { theme_params: theme });
      if (name === "web_app_request_viewport") {
        say("viewport_changed", {
          width: innerWidth,
          height: innerHeight,
          is_expanded: true,
          is_state_stable: true,
        });
      }
      if (name === "web_app_request_safe_area") say("safe_area_changed", { ...none, top: 12, bottom: 8 });
      if (name === "web_app_request_content_safe_area") say("content_safe_area_changed", { ...none, top: 4 });
    },
  };
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Serious and critical faults that axe finds on a page, as one line each; a frame in it is a page of its own. */
export async function seriousFaults(page: Page): Promise<string[]> {
  // Evaluated by the debugger, so the page's own policy does not have to admit it.
  await page.evaluate(axeSource);
  const faults = await page.evaluate(async () => {
    // What is still on its way in is paler than it will be.
    const moving = document
      .getAnimations()
      .filter(({ effect }) => effect?.getComputedTiming().endTime !== Infinity);
    await Promise.allSettled(moving.map(({ finished }) => finished));
    const { axe } = window as unknown as { axe: typeof import("axe-core") };
    const { violations } = await axe.run(document, { iframes: false });
    return violations.map(({ id, impact, nodes }) => ({
      id,
      impact,
      nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })),
    }));
  });
  return faults
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`));
}
