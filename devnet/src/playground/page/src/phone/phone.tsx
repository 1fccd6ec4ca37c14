import { type ReactNode, useCallback, useEffect, useState } from "react";
import type { Settings } from "../settings.ts";
import type { People, SeatRef } from "../telegram/people.ts";
import { useSay } from "../words.ts";
import { MiniappFrame } from "./miniapp-frame.tsx";
import { themeParams } from "./theme-params.ts";

/** The version of the bridge that the stand-in speaks. */
export const bridgeVersion = "9.1";

export interface Launch {
  readonly url: string;
  /** Another one for each opening: the frame begins anew. */
  readonly serial: number;
}

/** A phone: the Mini App of the bot, opened for the chosen person, with Telegram around it. */
export function Phone(props: {
  readonly people: People;
  readonly seat: SeatRef | undefined;
  readonly settings: Settings;
  readonly title: string;
  readonly launch: Launch | undefined;
  readonly onOpen: () => void;
  readonly onClose: () => void;
  readonly onLink: (url: string) => void;
  readonly onToast: (text: string) => void;
}) {
  const { say } = useSay();
  const { launch } = props;
  return (
    <section className="phone-stage" aria-label={say("miniapp")}>
      <div className="phone">
        <div className="screen">
          <StatusBar />
          {launch && props.seat ? (
            <MiniappFrame
              key={launch.serial}
              url={launch.url}
              title={props.title}
              theme={props.settings.theme}
              drawer={`miniapp/${props.seat.chat}`}
              payLink={(link) => props.people.payLink(props.seat?.personId ?? 0, link)}
              onClose={props.onClose}
              onReload={props.onOpen}
              onLink={props.onLink}
              onToast={props.onToast}
            />
          ) : (
            <Closed onOpen={props.onOpen} canOpen={props.seat !== undefined} />
          )}
          <div className="home-bar" aria-hidden="true" />
        </div>
      </div>
    </section>
  );
}

function Closed({ onOpen, canOpen }: { onOpen: () => void; canOpen: boolean }): ReactNode {
  const { say } = useSay();
  return (
    <div className="closed">
      <span className="mark" aria-hidden="true" />
      <p>{say(canOpen ? "miniappClosed" : "opensMiniapp")}</p>
      {canOpen && (
        <button type="button" onClick={onOpen}>
          {say("openMiniapp")}
        </button>
      )}
    </div>
  );
}

function StatusBar() {
  const { language } = useSay();
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setNow(new Date()), 10_000);
    return () => clearInterval(timer);
  }, []);
  return (
    <div className="status-bar" aria-hidden="true">
      <span>{now.toLocaleTimeString(language, { hour: "2-digit", minute: "2-digit", hour12: false })}</span>
      <span className="island" />
      <span className="bars" />
    </div>
  );
}

/** Opens the Mini App as a menu button or a message's button does. */
export function useLaunch(
  people: People,
  seat: SeatRef | undefined,
  settings: Settings,
  onError: (error: unknown) => void,
) {
  const [launch, setLaunch] = useState<Launch>();
  const { theme } = settings;
  const open = useCallback(
    (button?: { messageId: number; label: string }) => {
      if (!seat) return;
      people
        .openMiniApp(seat, {
          version: bridgeVersion,
          platform: "ios",
          theme: themeParams[theme],
          ...(button && { button }),
        })
        .then(({ url }) => setLaunch((last) => ({ url, serial: (last?.serial ?? 0) + 1 })), onError);
    },
    [people, seat, theme, onError],
  );
  const close = useCallback(() => setLaunch(undefined), []);
  return { launch, open, close };
}
