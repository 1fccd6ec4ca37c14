import { createPostEvent, on, supports, targetOrigin } from "@telegram-apps/sdk";
import { type Launch, themeColours } from "./launch.ts";

/** px that Telegram's own controls and the device's edges take. */
export interface Insets {
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
  readonly left: number;
}

export interface MainButton {
  readonly text: string;
  readonly disabled?: boolean;
  /** The work runs: the button shows it and takes no press. */
  readonly busy?: boolean;
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
  /** Shows Telegram's main button below the page until the returned function is called. */
  readonly showMain: (button: MainButton, onPress: () => void) => () => void;
  /** Whether the client has said anything yet: one that has not may draw no buttons either. */
  readonly talks: () => boolean;
  readonly onTalk: (listener: () => void) => () => void;
  readonly haptic: (kind: "success" | "error" | "selection") => void;
  /** Opens an http(s) link outside the page, one of t.me inside Telegram; call it from a tap only. */
  readonly openLink: (url: string) => void;
  /** A vertical drag scrolls the page and does not close it, until the returned function is called. */
  readonly holdSwipes: () => () => void;
  /** Asks before Telegram closes the page while `true`. */
  readonly confirmClosing: (needed: boolean) => void;
}

export function connectTelegram(launch: Launch): TelegramClient {
  const version = launch.version as `${number}.${number}`;
  const post = createPostEvent(version);
  /** Only what this client's version knows: an old one takes other events for mistakes. */
  const say = ((name: never, data: never) => {
    if (supports(name, version)) attempt(() => post(name, data));
  }) as typeof post;
  // A local playground frames the page on another loopback origin; elsewhere only Telegram Web hears it.
  if (/^(127\.0\.0\.1|localhost)$/.test(location.hostname)) attempt(() => targetOrigin.set("*"));
  const backs: (() => void)[] = [];
  const presses: (() => void)[] = [];
  const talkers = new Set<() => void>();
  let talks = false;
  let holds = 0;
  const hear = () => {
    if (talks) return;
    talks = true;
    for (const listener of talkers) listener();
  };
  attempt(() => on("theme_changed", hear));
  attempt(() => on("viewport_changed", hear));
  attempt(() => on("main_button_pressed", () => presses.at(-1)?.()));
  attempt(() => on("back_button_pressed", () => backs.at(-1)?.()));
  attempt(() => on("reload_iframe", () => location.reload()));

  return {
    ready() {
      // Telegram Web frames the page, and waits for this; its styles are not taken, the page's policy refuses them.
      say("iframe_ready", { reload_supported: true });
      say("web_app_ready");
      say("web_app_expand");
      say("web_app_request_theme");
      say("web_app_request_viewport");
      say("web_app_request_safe_area");
      say("web_app_request_content_safe_area");
      say("web_app_set_header_color", { color_key: "bg_color" });
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
      const ends = [
        attempt(() => on("safe_area_changed", (insets) => listener("device", readInsets(insets)))),
        attempt(() => on("content_safe_area_changed", (insets) => listener("content", readInsets(insets)))),
      ];
      return () => {
        for (const end of ends) end?.();
      };
    },
    showBack(onBack) {
      backs.push(onBack);
      if (backs.length === 1) say("web_app_setup_back_button", { is_visible: true });
      return () => {
        backs.splice(backs.lastIndexOf(onBack), 1);
        if (backs.length === 0) say("web_app_setup_back_button", { is_visible: false });
      };
    },
    showMain({ text, disabled = false, busy = false }, onPress) {
      presses.push(onPress);
      say("web_app_setup_main_button", {
        is_visible: true,
        is_active: !disabled && !busy,
        is_progress_visible: busy,
        text,
      });
      return () => {
        presses.splice(presses.lastIndexOf(onPress), 1);
        // A button that only changes is shown again at once, and must not blink.
        setTimeout(() => {
          if (presses.length === 0) say("web_app_setup_main_button", { is_visible: false, text });
        });
      };
    },
    talks: () => talks,
    onTalk(listener) {
      talkers.add(listener);
      return () => talkers.delete(listener);
    },
    haptic(kind) {
      say(
        "web_app_trigger_haptic_feedback",
        kind === "selection"
          ? { type: "selection_change" }
          : { type: "notification", notification_type: kind },
      );
    },
    openLink(url) {
      // Without any bridge the browser opens it, and is told nothing of this page.
      const told = attempt(() => {
        const { hostname, pathname, search } = new URL(url);
        if (hostname === "t.me") post("web_app_open_tg_link", { path_full: pathname + search });
        else post("web_app_open_link", { url });
        return true;
      });
      if (!told) window.open(url, "_blank", "noopener,noreferrer");
    },
    holdSwipes() {
      if (++holds === 1) say("web_app_setup_swipe_behavior", { allow_vertical_swipe: false });
      return () => {
        if (--holds === 0) say("web_app_setup_swipe_behavior", { allow_vertical_swipe: true });
      };
    },
    confirmClosing: (needed) => say("web_app_setup_closing_behavior", { need_confirmation: needed }),
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
