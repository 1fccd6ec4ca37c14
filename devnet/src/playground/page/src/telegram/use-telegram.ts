import { useEffect, useState } from "react";
import type { TelegramEvent, TelegramSnapshot } from "../../../../telegram/bot-api/interface.ts";
import { applyEvent } from "./apply-event.ts";
import type { People } from "./people.ts";

const retryMs = 1_000;

export interface TelegramView {
  /** Undefined until the first snapshot is here. */
  readonly world: TelegramSnapshot | undefined;
  /** Reactions by chat key and message id: Telegram's messages do not carry them. */
  readonly reactions: Readonly<Record<string, readonly string[]>>;
  readonly isLive: boolean;
}

export const reactionKey = (chat: string, messageId: number): string => `${chat}/${messageId}`;

/** Everything on the screens, kept up to date; after a break it begins with a new snapshot. @param people absent when there is no Telegram here. */
export function useTelegram(people: People | undefined): TelegramView {
  const [view, setView] = useState<TelegramView>({ world: undefined, reactions: {}, isLive: false });
  useEffect(() => {
    if (!people) return;
    let ended = false;
    let stream: EventSource | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = () => {
      stream?.close();
      if (ended) return;
      setView((last) => ({ ...last, isLive: false }));
      timer = setTimeout(follow, retryMs);
    };
    const follow = () => {
      people.snapshot().then((world) => {
        if (ended) return;
        setView((last) => ({ ...last, world, isLive: true }));
        stream = people.events(world.eventId);
        stream.onmessage = ({ data }) => {
          const event = JSON.parse(String(data)) as TelegramEvent;
          setView((last) => afterEvent(last, event));
        };
        stream.addEventListener("reset", again);
        stream.onerror = again;
      }, again);
    };
    follow();
    return () => {
      ended = true;
      clearTimeout(timer);
      stream?.close();
    };
  }, [people]);
  return view;
}

function afterEvent(view: TelegramView, event: TelegramEvent): TelegramView {
  if (!view.world) return view;
  const world = applyEvent(view.world, event);
  if (event.type !== "reaction") return { ...view, world };
  const emoji = event.reactions.flatMap((reaction) => (reaction.type === "emoji" ? [reaction.emoji] : []));
  const key = reactionKey(event.chat, event.messageId);
  return { ...view, world, reactions: { ...view.reactions, [key]: emoji } };
}
