import type { Message } from "@grammyjs/types";
import type {
  ChatSnapshot,
  ChatView,
  DraftView,
  Patience,
  ReplyKeyboardView,
  TopicView,
  Truthy,
} from "../interface.ts";
import { chatSnapshot } from "../world/chats.ts";
import type { ChatState } from "../world/state.ts";
import type { World } from "../world/world.ts";

/** A chat as it stands whenever it is asked. */
export class LiveChatView implements ChatView {
  readonly #world: World;
  readonly #chat: ChatState;

  constructor(world: World, chat: ChatState) {
    this.#world = world;
    this.#chat = chat;
  }

  get id(): number {
    return this.#chat.id;
  }
  get key(): string {
    return this.#chat.key;
  }
  get type(): ChatView["type"] {
    return this.#chat.type;
  }
  get title(): string {
    return this.#chat.title;
  }
  get messages(): readonly Message[] {
    return [...this.#chat.messages];
  }
  get drafts(): readonly DraftView[] {
    return this.snapshot().drafts;
  }
  get topics(): readonly TopicView[] {
    return this.snapshot().topics;
  }
  get action(): string | undefined {
    return this.#world.passing.actions.get(this.#chat.key)?.action;
  }
  get keyboard(): ReplyKeyboardView | undefined {
    return this.#chat.keyboard?.view;
  }
  get lastFromBot(): Message | undefined {
    return this.#chat.messages.findLast(({ from }) => from?.is_bot);
  }

  until<T>(predicate: (chat: ChatView) => T, patience: Patience = {}): Promise<Truthy<T>> {
    return this.#world.events.until(
      () => predicate(this),
      patience,
      () => this.#described(),
    );
  }

  snapshot(): ChatSnapshot {
    return chatSnapshot(this.#world, this.#chat);
  }

  #described(): string {
    const lines = this.#chat.messages.slice(-10).map(({ message_id, from, text, caption, rich_message }) => {
      const shown =
        text ?? caption ?? (rich_message ? JSON.stringify(rich_message.blocks).slice(0, 200) : "(no text)");
      return `  ${message_id} ${from?.first_name ?? "?"}: ${shown}`;
    });
    const drafts = this.drafts.map((draft) => `  draft ${draft.draftId}: ${draft.text || "(no text)"}`);
    return `Chat ${this.key} shows:\n${[...lines, ...drafts].join("\n") || "  nothing"}`;
  }
}
