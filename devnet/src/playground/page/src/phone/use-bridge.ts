import { type RefObject, useEffect, useReducer, useRef } from "react";
import type { PaymentOutcome } from "../../../../telegram/bot-api/interface.ts";
import type { Theme } from "../settings.ts";
import {
  type BottomButton,
  bottomButton,
  type ChosenColour,
  colour,
  type MiniappMessage,
  parseMessage,
  text,
} from "./bridge-messages.ts";
import { bridgeStorage } from "./bridge-storage.ts";
import { themeParams } from "./theme-params.ts";

/** What a Mini App has asked Telegram to show around it. */
export interface Chrome {
  readonly isReady: boolean;
  readonly isFullscreen: boolean;
  readonly hasBack: boolean;
  readonly hasSettings: boolean;
  readonly confirmsClosing: boolean;
  readonly main: BottomButton | undefined;
  readonly secondary: (BottomButton & { readonly position: string }) | undefined;
  readonly headerColour: ChosenColour | undefined;
  readonly backgroundColour: ChosenColour | undefined;
  readonly bottomColour: ChosenColour | undefined;
}

const bare: Chrome = {
  isReady: false,
  isFullscreen: false,
  hasBack: false,
  hasSettings: false,
  confirmsClosing: false,
  main: undefined,
  secondary: undefined,
  headerColour: undefined,
  backgroundColour: undefined,
  bottomColour: undefined,
};

export interface BridgeSurroundings {
  readonly frame: RefObject<HTMLIFrameElement | null>;
  readonly origin: string;
  readonly theme: Theme;
  /** Keeps storage of persons and bots apart. */
  readonly drawer: string;
  /** px; the frame's own window is what the Mini App can use. */
  readonly insets: { readonly top: number; readonly bottom: number };
  readonly onClose: () => void;
  readonly onHaptic: (kind: string) => void;
  readonly onPopup: (data: MiniappMessage["data"]) => void;
  readonly onLink: (url: string) => void;
  readonly onTelegramLink: (path: string) => void;
  readonly onScan: (hint: string) => void;
  readonly onAsk: (what: "phone" | "write") => void;
  readonly onInvoice: (slug: string) => Promise<PaymentOutcome>;
}

export interface Bridge {
  readonly chrome: Chrome;
  /** Tells the Mini App. */
  emit(eventType: string, eventData?: unknown): void;
}

/**
 * Telegram's side of the web bridge, for the Mini App in `frame` and nobody else: only its window and its
 * origin are heard, and only its origin is told.
 * @see https://docs.telegram-mini-apps.com/platform/methods
 */
export function useBridge(surroundings: BridgeSurroundings): Bridge {
  const [chrome, change] = useReducer((last: Chrome, next: Partial<Chrome>) => ({ ...last, ...next }), bare);
  const now = useRef(surroundings);
  now.current = surroundings;
  const { frame, theme, origin } = surroundings;

  /** Until the Mini App has spoken there is nobody in the frame to tell. */
  const isHeard = useRef(false);
  const emit = (eventType: string, eventData?: unknown) => {
    if (!isHeard.current) return;
    frame.current?.contentWindow?.postMessage(JSON.stringify({ eventType, eventData }), now.current.origin);
  };

  useEffect(() => {
    const tell = (eventType: string, eventData?: unknown) =>
      frame.current?.contentWindow?.postMessage(JSON.stringify({ eventType, eventData }), origin);
    const hear = (event: MessageEvent) => {
      if (event.source !== frame.current?.contentWindow || event.origin !== origin) return;
      const message = parseMessage(event.data);
      isHeard.current ||= message !== undefined;
      if (message) answer(message, now.current, tell, change);
    };
    addEventListener("message", hear);
    return () => removeEventListener("message", hear);
  }, [frame, origin]);

  const told = useRef(theme);
  useEffect(() => {
    // The address it was opened with has the first one.
    if (told.current === theme) return;
    told.current = theme;
    frame.current?.contentWindow?.postMessage(
      JSON.stringify({ eventType: "theme_changed", eventData: { theme_params: themeParams[theme] } }),
      origin,
    );
  }, [frame, theme, origin]);

  return { chrome, emit };
}

type Emit = (eventType: string, eventData?: unknown) => void;

function answer(
  message: MiniappMessage,
  at: BridgeSurroundings,
  emit: Emit,
  change: (next: Partial<Chrome>) => void,
): unknown {
  const { type, data } = message;
  const stored = bridgeStorage(at.drawer, localStorage).answer(message);
  if (stored) return emit(...stored);
  const colours = themeParams[at.theme];
  const chosen = (): ChosenColour => ({ key: text(data.color_key, 32), colour: colour(data.color) });
  switch (type) {
    case "iframe_ready":
      return;
    case "web_app_ready":
      return change({ isReady: true });
    case "web_app_request_theme":
      return emit("theme_changed", { theme_params: colours });
    case "web_app_request_viewport":
    case "web_app_expand":
      return emit("viewport_changed", viewport(at));
    case "web_app_request_safe_area":
      return emit("safe_area_changed", { top: 0, bottom: at.insets.bottom, left: 0, right: 0 });
    case "web_app_request_content_safe_area":
      return emit("content_safe_area_changed", { top: at.insets.top, bottom: 0, left: 0, right: 0 });
    case "web_app_setup_main_button":
      return change({ main: bottomButton(data) });
    case "web_app_setup_secondary_button":
      return change({ secondary: { ...bottomButton(data), position: text(data.position, 8) || "left" } });
    case "web_app_setup_back_button":
      return change({ hasBack: data.is_visible === true });
    case "web_app_setup_settings_button":
      return change({ hasSettings: data.is_visible === true });
    case "web_app_setup_closing_behavior":
      return change({ confirmsClosing: data.need_confirmation === true });
    case "web_app_set_header_color":
      return change({ headerColour: chosen() });
    case "web_app_set_background_color":
      return change({ backgroundColour: chosen() });
    case "web_app_set_bottom_bar_color":
      return change({ bottomColour: chosen() });
    case "web_app_trigger_haptic_feedback":
      return at.onHaptic(text(data.type, 32));
    case "web_app_open_popup":
      return at.onPopup(data);
    case "web_app_open_link":
      return at.onLink(text(data.url, 2_048));
    case "web_app_open_tg_link":
      return at.onTelegramLink(text(data.path_full, 2_048));
    case "web_app_open_scan_qr_popup":
      return at.onScan(text(data.text, 64));
    case "web_app_request_phone":
      return at.onAsk("phone");
    case "web_app_request_write_access":
      return at.onAsk("write");
    case "web_app_close":
    case "web_app_data_send":
      return at.onClose();
    case "web_app_request_fullscreen":
      change({ isFullscreen: true });
      return emit("fullscreen_changed", { is_fullscreen: true });
    case "web_app_exit_fullscreen":
      change({ isFullscreen: false });
      return emit("fullscreen_changed", { is_fullscreen: false });
    case "web_app_read_text_from_clipboard":
      void navigator.clipboard.readText().then(
        (words) => emit("clipboard_text_received", { req_id: data.req_id, data: words }),
        () => emit("clipboard_text_received", { req_id: data.req_id, data: null }),
      );
      return;
    case "web_app_open_invoice": {
      const slug = text(data.slug, 512);
      void at.onInvoice(slug).then(
        ({ status }) => emit("invoice_closed", { slug, status }),
        () => emit("invoice_closed", { slug, status: "failed" }),
      );
      return;
    }
    case "web_app_biometry_get_info":
      return emit("biometry_info_received", { available: false });
    case "web_app_check_home_screen":
      return emit("home_screen_checked", { status: "unsupported" });
    case "web_app_check_location":
      return emit("location_checked", { available: false });
    case "web_app_request_file_download":
      return emit("file_download_requested", { status: "cancelled" });
    case "web_app_request_emoji_status_access":
      return emit("emoji_status_access_requested", { status: "cancelled" });
    default:
      // What this stand-in does not do stays unanswered, as in an older app.
      return;
  }
}

function viewport({ frame, theme: _ }: BridgeSurroundings) {
  const { clientWidth = 0, clientHeight = 0 } = frame.current ?? {};
  return { width: clientWidth, height: clientHeight, is_expanded: true, is_state_stable: true };
}
