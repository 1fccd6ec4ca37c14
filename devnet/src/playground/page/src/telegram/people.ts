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
  /** The stream of events from its opening on. */
  events(): EventSource;
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

/** Over the playground's own server, which acts at the local Bot API. */
export function httpPeople(): People {
  const act = <T>(seat: SeatRef, what: string, body: object = {}): Promise<T> =>
    post<T>(`/people/${what}`, { ...seat, ...body });
  return {
    snapshot: () => get("/people/snapshot"),
    events: () => new EventSource("/people/events"),
    send: (seat, text, options) => act(seat, "send", { text, ...options }),
    sendPhoto: async (seat, photo, options) => act(seat, "photo", { photo: await base64(photo), ...options }),
    press: (seat, messageId, button) => act(seat, "press", { messageId, button }),
    stop: (seat, draftId) => act(seat, "stop", { draftId }),
    react: (seat, messageId, emoji) => act(seat, "react", { messageId, emoji }),
    createTopic: (seat, name) => act(seat, "topic", { name }),
    pay: (seat, messageId) => act(seat, "pay", { messageId }),
    payLink: (personId, link) => post("/people/pay-link", { personId, link }),
    setLanguage: (personId, languageCode) => post("/people/language", { personId, languageCode }),
    openMiniApp: (seat, options) => act(seat, "miniapp", options),
  };
}

const base64 = (blob: Blob): Promise<string> =>
  new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).split(",")[1] ?? "");
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(blob);
  });
