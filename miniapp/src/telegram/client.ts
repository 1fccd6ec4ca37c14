import {
  backButton,
  hapticFeedback,
  init,
  on,
  openLink as openTelegramLink,
  postEvent,
  setDebug,
  supports,
  swipeBehavior,
  targetOrigin,
} from "@telegram-apps/sdk";
import { type Launch, themeColours } from "./launch.ts";

/** px that Telegram's own controls and the device's edges take. */
export interface Insets {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

/**
 * Telegram's app around the page. Nothing here waits for an answer and nothing throws: an old client
 * (6.0), a silent one, or none at all leaves every call without effect.
 */
export interface TelegramClient {
  /** Says that the page can be shown, and asks for the whole height. */
  readonly ready: () => void;
  readonly onTheme: (listener: (colours: Readonly<Record<string, string>>) => void) => () => void;
  /** Called with the stable height in px: what stays when a keyboard or a drag has settled. */
  readonly onHeight: (listener: (heightPx: number) => void) => () => void;
  /** Called with what the device keeps, and what Telegram's own controls take beside that. */
  readonly onInsets: (listener: (part: "device" | "content", insets: Insets) => void) => () => void;
  /** Shows Telegram's back button until the returned function is called. */
  readonly showBack: (onBack: () => void) => () => void;
  readonly haptic: (kind: "success" | "error" | "selection") => void;
  /** Opens an http(s) link outside the page; call it from a tap only. */
  readonly openLink: (url: string) => void;
  /** A vertical drag scrolls the page and does not close it, until the returned function is called. */
  readonly holdSwipes: () => () => void;
  /** Asks before Telegram closes the page while `true`. */
  readonly confirmClosing: (needed: boolean) => void;
}

export function connectTelegram(launch: Launch): TelegramClient {
  const has = (method: Parameters<typeof supports>[0]) =>
    supports(method, launch.version as `${number}.${number}`);
  attempt(() => setDebug(false));
  // A local playground frames the page on another loopback origin; elsewhere only Telegram Web hears it.
  if (/^(127\.0\.0\.1|localhost)$/.test(location.hostname)) attempt(() => targetOrigin.set("*"));
  // Styles sent from outside are refused by the page's policy anyway.
  attempt(() => init({ acceptCustomStyles: false }));
  const backs: (() => void)[] = [];
  let holds = 0;

  const insetListeners = new Set<(part: "device" | "content", insets: Insets) => void>();
  const inset = (part: "device" | "content") => (value: unknown) => {
    for (const listener of insetListeners) listener(part, readInsets(value));
  };
  attempt(() => on("safe_area_changed", inset("device")));
  attempt(() => on("content_safe_area_changed", inset("content")));
  attempt(() => on("back_button_pressed", () => backs.at(-1)?.()));

  return {
    ready() {
      attempt(() => postEvent("web_app_ready"));
      attempt(() => postEvent("web_app_expand"));
      attempt(() => postEvent("web_app_request_theme"));
      attempt(() => postEvent("web_app_request_viewport"));
      if (has("web_app_request_safe_area")) attempt(() => postEvent("web_app_request_safe_area"));
      if (has("web_app_request_content_safe_area")) {
        attempt(() => postEvent("web_app_request_content_safe_area"));
      }
      if (has("web_app_set_header_color")) {
        attempt(() => postEvent("web_app_set_header_color", { color_key: "bg_color" }));
      }
      if (has("web_app_set_background_color")) {
        const color = launch.theme.bg_color;
        if (color) attempt(() => postEvent("web_app_set_background_color", { color: color as `#${string}` }));
      }
      attempt(() => backButton.mount.ifAvailable());
      attempt(() => swipeBehavior.mount.ifAvailable());
      attempt(() => swipeBehavior.enableVertical.ifAvailable());
    },
    onTheme: (listener) =>
      attempt(() => on("theme_changed", ({ theme_params }) => listener(themeColours(theme_params)))) ??
      nothing,
    onHeight: (listener) =>
      attempt(() =>
        on("viewport_changed", ({ height, is_state_stable }) => {
          if (is_state_stable && Number.isFinite(height) && height > 0) listener(height);
        }),
      ) ?? nothing,
    onInsets(listener) {
      insetListeners.add(listener);
      return () => insetListeners.delete(listener);
    },
    showBack(onBack) {
      backs.push(onBack);
      attempt(() => backButton.show.ifAvailable());
      return () => {
        backs.splice(backs.lastIndexOf(onBack), 1);
        if (backs.length === 0) attempt(() => backButton.hide.ifAvailable());
      };
    },
    haptic(kind) {
      attempt(() =>
        kind === "selection"
          ? hapticFeedback.selectionChanged.ifAvailable()
          : hapticFeedback.notificationOccurred.ifAvailable(kind),
      );
    },
    openLink(url) {
      const opened = attempt(() => openTelegramLink.ifAvailable(url));
      // A client that takes no events at all: the browser opens it, with nothing of this page told.
      if (!opened?.[0]) window.open(url, "_blank", "noopener,noreferrer");
    },
    holdSwipes() {
      if (++holds === 1) attempt(() => swipeBehavior.disableVertical.ifAvailable());
      return () => {
        if (--holds === 0) attempt(() => swipeBehavior.enableVertical.ifAvailable());
      };
    },
    confirmClosing(needed) {
      if (!has("web_app_setup_closing_behavior")) return;
      attempt(() => postEvent("web_app_setup_closing_behavior", { need_confirmation: needed }));
    },
  };
}

const nothing = (): void => undefined;

/** A client's numbers, held to what a screen has. */
function readInsets(value: unknown): Insets {
  const of = (side: keyof Insets): number => {
    const px =
      typeof value === "object" && value !== null && side in value
        ? (value as Record<string, unknown>)[side]
        : 0;
    return typeof px === "number" && Number.isFinite(px) ? Math.min(Math.max(px, 0), 200) : 0;
  };
  return { top: of("top"), right: of("right"), bottom: of("bottom"), left: of("left") };
}

/** The bridge throws where there is none (`UnknownEnvError`) and for what it does not know. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}
