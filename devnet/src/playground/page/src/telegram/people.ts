import type {
  MiniAppLaunch,
  PaymentOutcome,
  Pressed,
  TelegramSnapshot,
} from "../../../../telegram/bot-api/interface.ts";
import { get, post } from "../post.ts";

/** What a person does in a chat, asked of the local Bot API's people. */
export interface People {
  snapshot(): Promise<TelegramSnapshot>;
  /** The stream of events after `eventId`; its `reset` asks for a new snapshot. */
  events(eventId: number): EventSource;
  send(seat: SeatRef, text: string, options: { threadId?: number; replyTo?: number }): Promise<unknown>;
  sendPhoto(seat: SeatRef, photo: Blob, options: { threadId?: number; caption?: string }): Promise<unknown>;
  press(seat: SeatRef, messageId: number, place: readonly [row: number, column: number]): Promise<Pressed>;
  stop(seat: SeatRef, draftId: number): Promise<unknown>;
  react(seat: SeatRef, messageId: number, emoji: string | undefined): Promise<unknown>;
  createTopic(seat: SeatRef, name: string): Promise<unknown>;
  pay(seat: SeatRef, messageId: number): Promise<PaymentOutcome>;
  payLink(personId: number, link: string): Promise<PaymentOutcome>;
  setLanguage(personId: number, languageCode: string): Promise<unknown>;
  openMiniApp(seat: SeatRef, options: MiniAppRequest): Promise<MiniAppLaunch>;
}

/** A person in a chat, by the chat's key. */
export interface SeatRef {
  readonly personId: number;
  readonly chat: string;
}

export interface MiniAppRequest {
  readonly version: string;
  readonly platform: string;
  readonly theme: Readonly<Record<string, string>>;
  readonly button?: { readonly messageId: number; readonly label: string };
}

/** Over the local Bot API's `/_people/`, which the playground's own server hands on. */
export function httpPeople(): People {
  const command = async <T>(what: object): Promise<T> =>
    (await post<{ result: T }>("/_people/commands", what)).result;
  const act = <T>(verb: string, seat: SeatRef, body: object = {}): Promise<T> =>
    command<T>({ do: verb, ...inSeat(seat), ...body });
  return {
    snapshot: () => get("/_people/snapshot"),
    events: (eventId) => new EventSource(`/_people/events?after=${eventId}`),
    send: (seat, text, options) => act("send", seat, { text, ...options }),
    sendPhoto: async (seat, photo, options) =>
      act("send_photo", seat, { bytes: await base64(photo), ...options }),
    press: (seat, messageId, button) => act("press", seat, { messageId, button }),
    stop: (seat, draftId) => act("stop", seat, { draftId }),
    react: (seat, messageId, emoji) =>
      act("react", seat, { messageId, reactions: emoji === undefined ? [] : [{ type: "emoji", emoji }] }),
    createTopic: (seat, name) => act("create_topic", seat, { name }),
    pay: (seat, messageId) => act("pay", seat, { messageId }),
    payLink: (person, link) => command({ do: "pay_link", person, link }),
    setLanguage: (person, languageCode) => command({ do: "set_language", person, languageCode }),
    openMiniApp: (seat, options) => act("open_mini_app", seat, options),
  };
}

/** @param chat a chat's key: `private:<bot>:<person>` or `group:<id>`. */
function inSeat({ personId, chat }: SeatRef): { person: number; chat?: number; bot?: number } {
  const [kind, first] = chat.split(":");
  return { person: personId, [kind === "group" ? "chat" : "bot"]: Number(first) };
}

const base64 = (blob: Blob): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
