import { type CSSProperties, useEffect, useRef, useState } from "react";
import type { PaymentOutcome } from "../../../../telegram/bot-api/interface.ts";
import { Dialog } from "../dialog.tsx";
import type { Theme } from "../settings.ts";
import { useSay } from "../words.ts";
import { type BottomButton, type ChosenColour, inkOn, type Popup, popup } from "./bridge-messages.ts";
import { themeParams } from "./theme-params.ts";
import { useBridge } from "./use-bridge.ts";

/** A Mini App that never says it is ready is shown anyway, as Telegram does. */
const patienceMs = 1_500;
const hapticMs = 260;

/** The frame of another origin, and Telegram's own controls around it. */
export function MiniappFrame(props: {
  readonly url: string;
  readonly title: string;
  readonly theme: Theme;
  readonly drawer: string;
  readonly payLink: (link: string) => Promise<PaymentOutcome>;
  readonly onClose: () => void;
  readonly onReload: () => void;
  readonly onLink: (url: string) => void;
  readonly onToast: (text: string) => void;
}) {
  const { say } = useSay();
  const frame = useRef<HTMLIFrameElement>(null);
  const [haptic, setHaptic] = useState<{ kind: string; serial: number }>();
  const [asked, setAsked] = useState<Popup>();
  const [question, setQuestion] = useState<"phone" | "write">();
  const [scan, setScan] = useState<{ hint: string; text: string }>();
  const [isMenuOpen, setMenuOpen] = useState(false);
  const [isClosing, setClosing] = useState(false);
  const [isLate, setLate] = useState(false);

  const { chrome, emit } = useBridge({
    frame,
    origin: new URL(props.url).origin,
    theme: props.theme,
    drawer: props.drawer,
    insets: { top: 0, bottom: 0 },
    onClose: props.onClose,
    onHaptic: (kind) => setHaptic((last) => ({ kind, serial: (last?.serial ?? 0) + 1 })),
    onPopup: (data) => setAsked(popup(data, { ok: say("ok"), close: say("close"), cancel: say("cancel") })),
    onLink: props.onLink,
    onTelegramLink: () => props.onToast(say("noTelegramLink")),
    onScan: (hint) => setScan({ hint, text: "" }),
    onAsk: setQuestion,
    onInvoice: (slug) => props.payLink(slug),
  });

  useEffect(() => {
    const timer = setTimeout(() => setLate(true), patienceMs);
    return () => clearTimeout(timer);
  }, []);
  useEffect(() => {
    if (!haptic) return;
    const timer = setTimeout(() => setHaptic(undefined), hapticMs);
    return () => clearTimeout(timer);
  }, [haptic]);
  useEffect(() => {
    if (!frame.current) return;
    const tell = () => {
      const { clientWidth: width = 0, clientHeight: height = 0 } = frame.current ?? {};
      emit("viewport_changed", { width, height, is_expanded: true, is_state_stable: true });
    };
    const watch = new ResizeObserver(tell);
    watch.observe(frame.current);
    return () => watch.disconnect();
  });

  const close = () => (chrome.confirmsClosing ? setClosing(true) : props.onClose());
  const answerPopup = (id: string) => {
    setAsked(undefined);
    emit("popup_closed", id ? { button_id: id } : {});
  };
  const answerQuestion = (isAllowed: boolean) => {
    emit(question === "phone" ? "phone_requested" : "write_access_requested", {
      status: isAllowed ? (question === "phone" ? "sent" : "allowed") : "cancelled",
    });
    setQuestion(undefined);
  };
  const buttons = [chrome.main, chrome.secondary].filter((one) => one?.isVisible === true);
  const theme = themeParams[props.theme];
  const shown = (chosen: ChosenColour | undefined) => chosen && (chosen.colour ?? theme[chosen.key]);
  const header = chrome.headerColour?.colour;
  const style = {
    "--mini-header": shown(chrome.headerColour),
    // On a ground of the Mini App's own Telegram writes in black or white.
    "--mini-ink": header && inkOn(header),
    "--mini-ground": shown(chrome.backgroundColour),
    "--mini-bottom": shown(chrome.bottomColour),
  } as CSSProperties;

  return (
    <div
      className="miniapp"
      style={style}
      data-haptic={haptic?.kind}
      data-fullscreen={chrome.isFullscreen || undefined}
    >
      <div className="mini-header">
        <button type="button" onClick={chrome.hasBack ? () => emit("back_button_pressed") : close}>
          {chrome.hasBack ? `‹ ${say("back")}` : say("close")}
        </button>
        <div>
          <b>{props.title}</b>
          <small>mini app</small>
        </div>
        <button
          type="button"
          aria-label={say("more")}
          aria-expanded={isMenuOpen}
          onClick={() => setMenuOpen(!isMenuOpen)}
        >
          ⋯
        </button>
        {isMenuOpen && (
          <div className="mini-menu">
            {chrome.hasSettings && (
              <button
                type="button"
                onClick={() => {
                  setMenuOpen(false);
                  emit("settings_button_pressed");
                }}
              >
                {say("settingsButton")}
              </button>
            )}
            <button type="button" onClick={props.onReload}>
              {say("reload")}
            </button>
          </div>
        )}
      </div>
      <div className="mini-body">
        <iframe
          ref={frame}
          src={props.url}
          title={say("miniapp")}
          sandbox="allow-scripts allow-same-origin allow-forms allow-modals"
          allow="clipboard-read; clipboard-write"
        />
        {!chrome.isReady && !isLate && (
          <div className="mini-loading" aria-hidden="true">
            <span className="mark" />
          </div>
        )}
      </div>
      {buttons.length > 0 && (
        <div className="mini-buttons" data-position={chrome.secondary?.position}>
          {chrome.secondary?.isVisible && (
            <TelegramButton
              button={chrome.secondary}
              isSecondary
              onPress={() => emit("secondary_button_pressed")}
            />
          )}
          {chrome.main?.isVisible && (
            <TelegramButton button={chrome.main} onPress={() => emit("main_button_pressed")} />
          )}
        </div>
      )}
      {asked && (
        <Dialog title={asked.title} onClose={() => answerPopup("")}>
          <p>{asked.message}</p>
          <div className="dialog-buttons">
            {asked.buttons.map((button) => (
              <button
                key={button.id + button.text}
                type="button"
                data-type={button.type}
                onClick={() => answerPopup(button.id)}
              >
                {button.text}
              </button>
            ))}
          </div>
        </Dialog>
      )}
      {question && (
        <Dialog title={props.title} onClose={() => answerQuestion(false)}>
          <p>{say(question === "phone" ? "phoneAsked" : "writeAsked")}</p>
          <div className="dialog-buttons">
            <button type="button" onClick={() => answerQuestion(false)}>
              {say("cancel")}
            </button>
            <button type="button" onClick={() => answerQuestion(true)}>
              {say("allow")}
            </button>
          </div>
        </Dialog>
      )}
      {isClosing && (
        <Dialog title={props.title} onClose={() => setClosing(false)}>
          <p>{say("closeUnsaved")}</p>
          <div className="dialog-buttons">
            <button type="button" onClick={() => setClosing(false)}>
              {say("cancel")}
            </button>
            <button type="button" data-type="destructive" onClick={props.onClose}>
              {say("close")}
            </button>
          </div>
        </Dialog>
      )}
      {scan && (
        <Dialog
          title={say("scanTitle")}
          onClose={() => {
            setScan(undefined);
            emit("scan_qr_popup_closed");
          }}
        >
          <form
            onSubmit={(event) => {
              event.preventDefault();
              emit("qr_text_received", { data: scan.text });
              setScan(undefined);
            }}
          >
            <p>{scan.hint || say("scanHint")}</p>
            <input
              aria-label={say("scanHint")}
              value={scan.text}
              onChange={(event) => setScan({ ...scan, text: event.target.value })}
            />
            <div className="dialog-buttons">
              <button type="submit">{say("ok")}</button>
            </div>
          </form>
        </Dialog>
      )}
    </div>
  );
}

function TelegramButton(props: {
  readonly button: BottomButton;
  readonly isSecondary?: boolean;
  readonly onPress: () => void;
}) {
  const { button } = props;
  const style = { "--button": button.colour, "--button-text": button.textColour } as CSSProperties;
  return (
    <button
      type="button"
      style={style}
      data-secondary={props.isSecondary}
      data-shine={button.hasShine || undefined}
      disabled={!button.isActive}
      aria-busy={button.isProgressVisible}
      onClick={props.onPress}
    >
      {button.isProgressVisible ? <span className="spinner" /> : button.text}
    </button>
  );
}
