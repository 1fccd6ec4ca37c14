import { AttestationError, BombyxError } from "@bombyx/sdk";
import type { Api } from "grammy";
import type { InlineKeyboardButton } from "grammy/types";
import type { Clock } from "../clock.ts";
import type { Delivery } from "../delivery/delivery.ts";
import type { FormatSupport } from "../delivery/format-support.ts";
import type { Log } from "../log.ts";
import { readMarkdown } from "../markdown/read-markdown.ts";
import type { Store } from "../store/open-store.ts";
import type { Place, Turn } from "../store/turns.ts";
import { DraftScreen } from "../streaming/draft-screen.ts";
import { EditScreen } from "../streaming/edit-screen.ts";
import type { Screen } from "../streaming/screen.ts";
import { type Language, languageOf, type Translate } from "../texts/texts.ts";
import type { Answerer, Ending } from "./answerer.ts";
import { errorText } from "./error-text.ts";
import { compose, mostTurns } from "./history-budget.ts";
import { placeKey, type RunningAnswers, ShutdownError, StoppedError } from "./running-answers.ts";

export interface ConversationOptions {
  readonly answerer: Answerer;
  readonly store: Store;
  readonly delivery: Delivery;
  readonly running: RunningAnswers;
  /** Without retries: a frame that is late is left out. */
  readonly api: Api;
  readonly formats: FormatSupport;
  readonly texts: Readonly<Record<Language, Translate>>;
  readonly systemPrompt: Readonly<Record<Language, string>>;
  /** Of places where none was chosen; the first that is offered when left out. */
  readonly model?: string | undefined;
  readonly maxAnswerTokens: number;
  readonly clock: Clock;
  readonly log: Log;
  /** 1 to 2³¹ − 1. */
  readonly newDraftId: () => number;
  /** ms between frames; for tests. */
  readonly pace?:
    | { readonly draftMs: number; readonly editMs: number; readonly refreshMs: number }
    | undefined;
}

/** When the model's own figure is not known. */
const usualContextTokens = 4_096;

/** How an answer ended: what the model said, and what the bot adds to it. */
interface Outcome {
  readonly text: string;
  readonly notes: readonly string[];
}

/** From a question to its delivered answer; a question that was opened here is answered, or its asker is told. */
export class Conversation {
  readonly #options: ConversationOptions;

  constructor(options: ConversationOptions) {
    this.#options = options;
  }

  /** The model that answers in a place. @throws BombyxError when nobody can say. */
  async model(place: Place): Promise<string> {
    const chosen = (await this.#options.store.places.model(place)) ?? this.#options.model;
    if (chosen !== undefined) return chosen;
    const [first] = await this.#options.answerer.models();
    if (first === undefined) throw new BombyxError("NO_CANDIDATE", "No node is online.");
    return first.id;
  }

  /** Opens the person's session ahead, when they are about to ask. */
  async prepare(place: Place, userId: number): Promise<void> {
    const model = await this.model(place).catch(() => undefined);
    if (model !== undefined) this.#options.answerer.prepare({ model, userId, seat: placeKey(place) });
  }

  /**
   * Answers a question, once: a second time it is opened, nothing happens unless the first was interrupted.
   * @throws ShutdownError when the bot stops: the question stays open.
   */
  async ask(asked: Omit<Turn, "id" | "state" | "answer" | "placeholderId">): Promise<void> {
    const turn = await this.#options.store.turns.open(asked);
    if (turn.state === "open") await this.#answer(turn);
  }

  /** Asks the same again; the new answer takes the old one's place in the history. */
  async retry(turn: Turn): Promise<void> {
    await this.#options.store.turns.reopen(turn.id);
    const { placeholderId: _, answer: __, ...again } = turn;
    await this.#answer({ ...again, state: "open" });
  }

  async #answer(turn: Turn): Promise<void> {
    const { store, delivery, running, texts, newDraftId } = this.#options;
    const t = texts[languageOf(turn.language)];
    const { chatId, threadId, userId, id: turnId } = turn;
    using answering = running.begin({ chatId, threadId, userId, turnId, draftId: newDraftId() });
    answering.signal.throwIfAborted();
    const screen = this.#screen(turn, answering.draftId, t);
    screen.show("");
    let outcome: Outcome;
    try {
      outcome = await this.#generate(turn, screen, answering.signal, t);
    } finally {
      await screen.end();
    }
    const edit = screen instanceof EditScreen ? screen.messageId : undefined;
    const inGroup = chatId < 0;
    const messages = delivery.messages(turn, {
      blocks: [outcome.text, ...outcome.notes].flatMap(readMarkdown),
      buttons: [[{ text: t("button-retry"), callback_data: `retry:${turnId}` }]],
      // The reply counts when there is nothing to edit any more.
      ...(edit !== undefined && { edit }),
      ...(inGroup && { replyTo: turn.questionId, askerId: userId }),
    });
    await store.together(async ({ turns, outbox }) => {
      await turns.close(turn, outcome.text === "" ? undefined : outcome.text);
      await outbox.add(messages);
    });
    await delivery.flush(chatId);
  }

  async #generate(turn: Turn, screen: Screen, signal: AbortSignal, t: Translate): Promise<Outcome> {
    const { store, log, answerer } = this.#options;
    let text = "";
    let model = "";
    try {
      model = await this.model(turn);
      const earlier = await store.turns.before(turn, mostTurns);
      const notes: string[] = [];
      const pieces = this.#pieces(turn, model, earlier, signal);
      let next = await pieces.next();
      for (; !next.done; next = await pieces.next()) {
        text += next.value;
        screen.show(text);
      }
      if (text.trim() === "") notes.push(t("empty"));
      if (next.value.reason === "length") notes.push(t("cut-at-length"));
      // Once per conversation: whoever reads on has read it.
      if (next.value.simulated && earlier.length === 0) notes.push(t("simulated"));
      if (answerer.openTier && earlier.length === 0) notes.push(t("open-tier"));
      return { text: text.trim(), notes };
    } catch (error) {
      if (signal.reason instanceof ShutdownError) throw signal.reason;
      if (signal.reason instanceof StoppedError) return { text: text.trim(), notes: [t("stopped")] };
      const code = error instanceof BombyxError ? error.code : undefined;
      const step = error instanceof AttestationError ? error.step : undefined;
      log.warn({ code, step, err: code === undefined ? error : undefined, turn: turn.id }, "no answer");
      return { text: text.trim(), notes: [errorText(error, t, model)] };
    }
  }

  /** Asks with as much history as fits; when the model's own count says otherwise, with half of it, and so on. */
  async *#pieces(
    turn: Turn,
    model: string,
    earlier: readonly Turn[],
    signal: AbortSignal,
  ): AsyncGenerator<string, Ending, undefined> {
    const { answerer, systemPrompt, maxAnswerTokens } = this.#options;
    const offers = await answerer.models(signal);
    const contextTokens = offers.find(({ id }) => id === model)?.contextTokens ?? usualContextTokens;
    for (let kept = earlier; ; kept = kept.slice(0, Math.floor(kept.length / 2))) {
      const { messages, maxTokens } = compose({
        systemPrompt: systemPrompt[languageOf(turn.language)],
        earlier: kept,
        question: turn.question,
        contextTokens,
        maxAnswerTokens,
      });
      const question = { model, messages, maxTokens, userId: turn.userId, seat: placeKey(turn), signal };
      try {
        return yield* answerer.answer(question);
      } catch (error) {
        const tooLong = error instanceof BombyxError && error.code === "CONTEXT_TOO_LONG";
        if (!tooLong || kept.length === 0) throw error;
      }
    }
  }

  #screen(turn: Turn, draftId: number, t: Translate): DraftScreen | EditScreen {
    const { api, formats, clock, log, store, pace } = this.#options;
    const place = { chatId: turn.chatId, threadId: turn.threadId };
    if (turn.chatId > 0) {
      return new DraftScreen({
        api,
        place,
        draftId,
        thinking: t("thinking"),
        formats,
        clock,
        log,
        ...(pace && { gapMs: () => pace.draftMs, refreshMs: pace.refreshMs }),
      });
    }
    const stop: InlineKeyboardButton = { text: t("button-stop"), callback_data: `stop:${turn.id}` };
    return new EditScreen({
      api,
      place,
      replyTo: turn.questionId,
      placeholder: t("placeholder"),
      buttons: [[stop]],
      formats,
      clock,
      log,
      messageId: turn.placeholderId,
      onPlaced: (messageId) => store.turns.placed(turn.id, messageId),
      ...(pace && { gapMs: () => pace.editMs }),
    });
  }
}
