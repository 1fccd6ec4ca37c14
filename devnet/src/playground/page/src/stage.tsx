import { useEffect, useMemo, useState } from "react";
import type { TelegramSnapshot } from "../../../telegram/bot-api/interface.ts";
import { ChatPane, type Notices } from "./chat/chat-pane.tsx";
import { ChatRail } from "./chat/chat-rail.tsx";
import { Phone, useLaunch } from "./phone/phone.tsx";
import type { Settings } from "./settings.ts";
import type { People, SeatRef } from "./telegram/people.ts";
import type { TelegramView } from "./telegram/use-telegram.ts";
import { useSay } from "./words.ts";

/** Chat and phone of one person. */
export function Stage(props: {
  readonly people: People;
  readonly view: TelegramView;
  readonly world: TelegramSnapshot;
  readonly settings: Settings;
  readonly personId: number;
  readonly notices: Notices;
  readonly onError: (error: unknown) => void;
}) {
  const { people, view, world, settings, personId, notices, onError } = props;
  const { say } = useSay();
  const [tab, setTab] = useState<"chat" | "miniapp">("chat");
  const [bot] = world.bots;
  const chats = useMemo(() => chatsOf(world, personId), [world, personId]);
  const [chosen, setChosen] = useState<string>();
  const chat = chats.find(({ key }) => key === chosen) ?? chats[0];
  const privateChat = chats.find(({ type }) => type === "private");
  const menu = bot && (bot.menuButtons[String(personId)] ?? bot.menuButtons.default);
  const hasMiniapp = menu?.type === "web_app";
  const seatKey = hasMiniapp ? privateChat?.key : undefined;
  const seat: SeatRef | undefined = useMemo(
    () => (seatKey === undefined ? undefined : { personId, chat: seatKey }),
    [seatKey, personId],
  );
  const { launch, open, close } = useLaunch(people, seat, settings, onError);

  // biome-ignore lint/correctness/useExhaustiveDependencies: opened once for a person, and again in another language
  useEffect(() => {
    if (!seat) return;
    people.setLanguage(personId, settings.language).then(() => open(), onError);
  }, [seat, settings.language]);

  if (!chat) return null;
  return (
    <>
      <nav className="tabs" aria-label={say("playground")}>
        <button type="button" aria-pressed={tab === "chat"} onClick={() => setTab("chat")}>
          {say("chat")}
        </button>
        <button type="button" aria-pressed={tab === "miniapp"} onClick={() => setTab("miniapp")}>
          {say("miniapp")}
        </button>
      </nav>
      <main className="stage" data-tab={tab}>
        <div className="telegram">
          <ChatRail chats={chats} chosen={chat.key} onChoose={setChosen} />
          <ChatPane
            key={chat.key}
            people={people}
            chat={chat}
            bot={bot}
            personId={personId}
            reactions={view.reactions}
            notices={notices}
            onMiniapp={(button) => {
              setTab("miniapp");
              open(button);
            }}
          />
        </div>
        <Phone
          people={people}
          seat={seat}
          settings={settings}
          title={bot?.user.first_name ?? "Bombyx"}
          launch={launch}
          onOpen={() => open()}
          onClose={() => {
            close();
            setTab("chat");
          }}
          onLink={notices.confirmLink}
          onToast={notices.toast}
        />
      </main>
    </>
  );
}

/** Chats that a person is in; the private one with the bot is first, and there before anything was said. */
function chatsOf(world: TelegramSnapshot, personId: number): TelegramSnapshot["chats"] {
  const [bot] = world.bots;
  const privates = world.chats.filter((chat) => chat.type === "private" && chat.id === personId);
  const groups = world.chats.filter((chat) => chat.type !== "private" && chat.memberIds.includes(personId));
  const opened =
    privates.length > 0 || !bot
      ? privates
      : [
          {
            id: personId,
            key: `private:${bot.user.id}:${personId}`,
            type: "private" as const,
            title: bot.user.first_name,
            botId: bot.user.id,
            memberIds: [personId],
            messages: [],
            drafts: [],
            topics: [],
            action: null,
            keyboard: null,
          },
        ];
  return [...opened, ...groups].map((chat) =>
    chat.type === "private" ? { ...chat, title: bot?.user.first_name ?? chat.title } : chat,
  );
}
