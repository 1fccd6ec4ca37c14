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

/** Everything on the screens, kept up to date; after a break it begins with a new snapshot. */
export function useTelegram(people: People): TelegramView {
  const [view, setView] = useState<TelegramView>({ world: undefined, reactions: {}, isLive: false });
  useEffect(() => {
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
      const early: TelegramEvent[] = [];
      let isDrawn = false;
      const source = people.events();
      stream = source;
      source.onmessage = ({ data }) => {
        const event = JSON.parse(String(data)) as TelegramEvent;
        if (isDrawn) setView((last) => afterEvent(last, event));
        else early.push(event);
      };
      source.onerror = again;
      // The snapshot comes second, so that nothing falls between the two; events that it holds already change nothing.
      source.onopen = () =>
        people.snapshot().then((world) => {
          if (ended || stream !== source) return;
          isDrawn = true;
          setView((last) => early.reduce(afterEvent, { ...last, world, isLive: true }));
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
