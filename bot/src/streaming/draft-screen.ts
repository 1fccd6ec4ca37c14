import type { Api } from "grammy";
import type { Clock } from "../clock.ts";
import { FormatSupport } from "../delivery/format-support.ts";
import { readRefusal } from "../delivery/refusal.ts";
import type { Log } from "../log.ts";
import type { Block } from "../markdown/block.ts";
import { classicMessage, type Format, richMessage } from "../markdown/message-format.ts";
import { GrowingMarkdown } from "../markdown/read-markdown.ts";
import { richLimits, splitBlocks, textLimits } from "../markdown/split.ts";
import type { Place } from "../store/turns.ts";
import { type FrameResult, invisible, Pacer, shown } from "./pacer.ts";
import type { Screen } from "./screen.ts";

export interface DraftScreenOptions {
  readonly api: Api;
  readonly place: Place;
  /** Not zero; frames of one id are animated into each other. */
  readonly draftId: number;
  readonly thinking: string;
  readonly formats: FormatSupport;
  readonly clock: Clock;
  readonly log: Log;
  /** Between two frames, in ms. @default {@link draftGapMs} */
  readonly gapMs?: (framesSent: number) => number;
  /** A draft lives 30 s; a silent model keeps its own. @default 20,000 */
  readonly refreshMs?: number;
}

/** The first words follow "Thinking…" quickly; then a pace that reads well and that Telegram bears. */
export const draftGapMs = (framesSent: number): number => (framesSent <= 2 ? 250 : 400);

/** Private chats: a draft that grows, with Telegram's own Stop button (Bot API 10.3, `sendRichMessageDraft`). */
export class DraftScreen implements Screen {
  readonly #options: DraftScreenOptions;
  readonly #pacer: Pacer;
  readonly #markdown = new GrowingMarkdown();
  #format: Format;
  #drafts = true;

  constructor(options: DraftScreenOptions) {
    this.#options = options;
    this.#format = options.formats.best;
    const { clock, gapMs = draftGapMs, refreshMs = 20_000 } = options;
    this.#pacer = new Pacer({ clock, gapMs, refreshMs, send: (text) => this.#send(text) });
  }

  show(text: string): void {
    this.#pacer.show(text);
  }

  async end(): Promise<void> {
    await this.#pacer.end();
  }

  async #send(text: string): Promise<FrameResult> {
    const { api, place, draftId } = this.#options;
    const draft = {
      chat_id: place.chatId,
      ...(place.threadId !== 0 && { message_thread_id: place.threadId }),
      draft_id: draftId,
      can_stop: true,
      keep_on_stop: true,
    };
    try {
      if (!this.#drafts) return await this.#type();
      await (this.#format === "rich"
        ? api.raw.sendRichMessageDraft({ ...draft, rich_message: this.#rich(text) })
        : api.raw.sendMessageDraft({ ...draft, ...this.#classic(text, this.#format) }));
      return shown;
    } catch (error) {
      return this.#refused(error);
    }
  }

  /** A server without drafts: the person sees at least that something is coming. It shows for 5 s. */
  async #type(): Promise<FrameResult> {
    const { chatId, threadId } = this.#options.place;
    const topic = threadId === 0 ? {} : { message_thread_id: threadId };
    await this.#options.api.raw.sendChatAction({ chat_id: chatId, action: "typing", ...topic });
    return { pauseMs: 4_500, again: true };
  }

  #rich(text: string) {
    const blocks = this.#end(text, "rich");
    return blocks === undefined
      ? { blocks: [{ type: "thinking" as const, text: this.#options.thinking }] }
      : richMessage(blocks);
  }

  #classic(text: string, format: "entities" | "plain") {
    const blocks = this.#end(text, format);
    // Telegram shows "Thinking…" for an empty draft.
    return blocks === undefined ? { text: "" } : classicMessage(blocks, format);
  }

  /** The end of the answer: as much of it as one message holds. */
  #end(text: string, format: Format): Block[] | undefined {
    return splitBlocks(this.#markdown.read(text), format === "rich" ? richLimits : textLimits).at(-1);
  }

  #refused(error: unknown): FrameResult {
    const { log } = this.#options;
    const refusal = readRefusal(error);
    log.debug({ err: error, refusal: refusal.kind }, "a frame was not shown");
    if (!this.#drafts) return invisible;
    switch (refusal.kind) {
      case "later":
        return { pauseMs: refusal.waitMs, again: true };
      case "unreachable":
        return { pauseMs: 1_000, again: true };
      case "unsupported":
      case "format": {
        if (refusal.kind === "unsupported" && this.#format === "rich") this.#options.formats.withoutRich();
        const next = FormatSupport.after(this.#format);
        if (next === undefined) {
          this.#drafts = false;
          return { pauseMs: 0, again: true };
        }
        this.#format = next;
        return { pauseMs: 0, again: true };
      }
      default:
        return invisible;
    }
  }
}
