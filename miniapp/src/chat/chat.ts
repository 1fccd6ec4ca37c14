import type { Connection } from "../network/connection.ts";
import { failureOf } from "../network/failure.ts";
import { type ConversationShelf, memoryShelf } from "./conversation-shelf.ts";
import { type Conversation, type Head, promptOf, reopened, type Turn, titleOf } from "./turn.ts";

export interface ChatState {
  /** Newest first. */
  readonly heads: readonly Head[];
  readonly current: Conversation;
  /** An answer of the current conversation is coming. */
  readonly answering: boolean;
  /** False when this device's storage failed: conversations end with the page. */
  readonly kept: boolean;
}

export interface ChatTools {
  readonly connection: Pick<Connection, "snapshot" | "watch" | "refresh" | "open">;
  readonly openShelf: () => Promise<ConversationShelf>;
  readonly now: () => number;
  readonly newId: () => string;
  /** Calls back before the next paint, or soon when nothing is painted. */
  readonly beforePaint: (work: () => void) => void;
  readonly haptic: (kind: "success" | "error") => void;
  /** A node has the question: time to fetch what will render its answer. */
  readonly accepted: () => void;
}

/** An answer under way is kept at this interval, so that a page that is killed loses little. */
const keepEveryMs = 1_500;
const defaultContextTokens = 4_096;

/** The conversations of this device, and the answers that come into them. It outlives the screen that shows it. */
export class Chat {
  readonly #tools: ChatTools;
  readonly #listeners = new Set<() => void>();
  /** Answers under way, by conversation. */
  readonly #running = new Map<string, { readonly abort: AbortController; conversation: Conversation }>();
  readonly #shelf: Promise<ConversationShelf>;
  #memory: ConversationShelf | undefined;
  #state: ChatState;

  constructor(tools: ChatTools) {
    this.#tools = tools;
    this.#state = { heads: [], current: this.#blank(), answering: false, kept: true };
    this.#shelf = tools.openShelf();
    void this.#load();
    tools.connection.watch((event) => {
      if (event.type === "lost" && event.midAnswer) this.#moved();
    });
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  readonly snapshot = (): ChatState => this.#state;

  /** Asks in the current conversation; does nothing where nothing can be sent. */
  readonly ask = (text: string): void => {
    const question = text.trim();
    const { current, answering } = this.#state;
    if (question === "" || answering) return;
    const turn: Turn = { id: this.#tools.newId(), role: "user", text: question, state: "done" };
    const title = current.turns.length === 0 ? titleOf(question) : current.title;
    void this.#answer({ ...current, title, turns: [...current.turns, turn] });
  };

  /** Another answer to the last question. */
  readonly retry = (): void => {
    const { current, answering } = this.#state;
    const last = current.turns.findLastIndex(({ role }) => role === "user");
    if (answering || last < 0) return;
    void this.#answer({ ...current, turns: current.turns.slice(0, last + 1) });
  };

  /** Asks an earlier question anew; what came after it is gone. */
  readonly resend = (id: string, text: string): void => {
    const { current, answering } = this.#state;
    const at = current.turns.findIndex((turn) => turn.id === id);
    if (answering || at < 0 || text.trim() === "") return;
    this.#set({ current: { ...current, turns: current.turns.slice(0, at) } });
    this.ask(text);
  };

  readonly stop = (): void => this.#running.get(this.#state.current.id)?.abort.abort();

  readonly startNew = (): void => this.#show(this.#blank());

  readonly open = async (id: string): Promise<void> => {
    const head = this.#state.heads.find((one) => one.id === id);
    if (!head) return;
    const running = this.#running.get(id)?.conversation;
    const turns = running?.turns ?? reopened(await this.#tryShelf((shelf) => shelf.turns(id), []));
    this.#show({ ...head, turns });
  };

  readonly rename = (id: string, name: string): void => {
    const title = name.trim();
    if (title === "") return;
    const heads = this.#state.heads.map((head) => (head.id === id ? { ...head, title } : head));
    const running = this.#running.get(id);
    if (running) running.conversation = { ...running.conversation, title };
    const { current } = this.#state;
    this.#set({ heads, ...(current.id === id && { current: { ...current, title } }) });
    void this.#tryShelf(async (shelf) => {
      const head = heads.find((one) => one.id === id);
      if (head) await shelf.put({ ...head, turns: await shelf.turns(id) });
    }, undefined);
  };

  readonly remove = (id: string): void => {
    this.#running.get(id)?.abort.abort();
    this.#running.delete(id);
    this.#set({ heads: this.#state.heads.filter((head) => head.id !== id) });
    if (this.#state.current.id === id) this.startNew();
    void this.#tryShelf((shelf) => shelf.remove(id), undefined);
  };

  readonly removeAll = (): void => {
    for (const { abort } of this.#running.values()) abort.abort();
    this.#running.clear();
    this.#set({ heads: [] });
    this.startNew();
    void this.#tryShelf((shelf) => shelf.clear(), undefined);
  };

  async #answer(asked: Conversation): Promise<void> {
    const { connection, now, newId, beforePaint, haptic, accepted } = this.#tools;
    const network = connection.snapshot();
    if (network.phase !== "sealed") return;
    const { client, model, models } = network;
    const contextTokens = models.find(({ id }) => id === model)?.contextTokens ?? defaultContextTokens;
    const abort = new AbortController();
    let answer: Turn = { id: newId(), role: "assistant", text: "", state: "open", model };
    const running = { abort, conversation: { ...asked, changedAt: now(), turns: [...asked.turns, answer] } };
    this.#running.set(asked.id, running);
    let painting = false;
    let keptAt = now();
    const change = (part: Partial<Turn>) => {
      answer = { ...this.#answerOf(running.conversation, answer), ...part };
      running.conversation = { ...running.conversation, turns: [...asked.turns, answer] };
    };
    const show = () => {
      if (painting) return;
      painting = true;
      beforePaint(() => {
        painting = false;
        this.#showRunning(running.conversation);
      });
    };
    this.#showRunning(running.conversation);
    void this.#keep(running.conversation);
    try {
      const stream = await client.chat.completions.create(
        { model, stream: true, messages: promptOf(asked.turns, contextTokens) },
        { signal: abort.signal },
      );
      accepted();
      let finish: string | null = null;
      for await (const chunk of stream) {
        const [choice] = chunk.choices;
        finish = choice?.finish_reason ?? finish;
        const piece = choice?.delta.content ?? "";
        if (piece === "") continue;
        change({ text: answer.text + piece });
        show();
        if (now() - keptAt > keepEveryMs) {
          keptAt = now();
          void this.#keep(running.conversation);
        }
      }
      change({ state: finish === "length" ? "length" : "done" });
      haptic("success");
    } catch (error) {
      if (abort.signal.aborted) change({ state: "stopped" });
      else {
        change({ state: "cut", failure: failureOf(error) });
        haptic("error");
      }
    }
    if (this.#running.get(asked.id) === running) {
      this.#running.delete(asked.id);
      running.conversation = { ...running.conversation, changedAt: now() };
      this.#showRunning(running.conversation);
      await this.#keep(running.conversation);
    }
    connection.refresh();
  }

  /** A takeover writes into the answer beside the stream. */
  #answerOf({ turns }: Conversation, answer: Turn): Turn {
    return turns.find(({ id }) => id === answer.id) ?? answer;
  }

  #moved(): void {
    for (const running of this.#running.values()) {
      const { conversation } = running;
      const last = conversation.turns.at(-1);
      if (last?.state !== "open" || last.text === "") continue;
      const turns = [...conversation.turns.slice(0, -1), { ...last, moves: (last.moves ?? 0) + 1 }];
      running.conversation = { ...conversation, turns };
      this.#showRunning(running.conversation);
    }
  }

  #showRunning(conversation: Conversation): void {
    const { id, title, changedAt } = conversation;
    const known = this.#state.heads.find((head) => head.id === id);
    const heads =
      known?.title === title && known.changedAt === changedAt
        ? this.#state.heads
        : [{ id, title, changedAt }, ...this.#state.heads.filter((head) => head.id !== id)];
    if (this.#state.current.id === id) this.#set({ heads, current: conversation });
    else this.#set({ heads });
  }

  #show(current: Conversation): void {
    this.#set({ current });
  }

  async #load(): Promise<void> {
    const heads = await this.#tryShelf((shelf) => shelf.list(), []);
    const known = new Set(this.#state.heads.map(({ id }) => id));
    this.#set({ heads: [...this.#state.heads, ...heads.filter(({ id }) => !known.has(id))] });
    const [latest] = heads;
    // A person who has begun to write is not taken elsewhere.
    if (latest && this.#state.current.turns.length === 0 && this.#running.size === 0)
      await this.open(latest.id);
  }

  #keep(conversation: Conversation): Promise<void> {
    return this.#tryShelf((shelf) => shelf.put(conversation), undefined);
  }

  /** Storage that fails, now or later, is replaced by this page's memory, and the screen says so. */
  async #tryShelf<T>(work: (shelf: ConversationShelf) => Promise<T>, otherwise: T): Promise<T> {
    if (!this.#memory) {
      try {
        return await work(await this.#shelf);
      } catch {
        this.#memory = memoryShelf();
        this.#set({ kept: false });
      }
    }
    return await work(this.#memory).catch(() => otherwise);
  }

  #blank(): Conversation {
    return { id: this.#tools.newId(), title: "", changedAt: this.#tools.now(), turns: [] };
  }

  #set(change: Partial<ChatState>): void {
    const next = { ...this.#state, ...change };
    this.#state = { ...next, answering: this.#running.has(next.current.id) };
    for (const listener of this.#listeners) listener();
  }
}
