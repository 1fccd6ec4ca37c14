import type { Api } from "grammy";
import type { InlineKeyboardButton } from "grammy/types";
import type { Clock } from "../clock.ts";
import { FormatSupport } from "../delivery/format-support.ts";
import { readRefusal } from "../delivery/refusal.ts";
import { sendMessage } from "../delivery/send-message.ts";
import type { Log } from "../log.ts";
import type { Format } from "../markdown/message-format.ts";
import { GrowingMarkdown } from "../markdown/read-markdown.ts";
import { richLimits, splitBlocks, textLimits } from "../markdown/split.ts";
import type { Place } from "../store/turns.ts";
import { type FrameResult, invisible, Pacer, shown } from "./pacer.ts";
import type { Screen } from "./screen.ts";

export interface EditScreenOptions {
  readonly api: Api;
  readonly place: Place;
  readonly replyTo: number;
  /** Shown until there is text. */
  readonly placeholder: string;
  readonly buttons: InlineKeyboardButton[][];
  readonly formats: FormatSupport;
  readonly clock: Clock;
  readonly log: Log;
  /** The placeholder of an interrupted run goes on. */
  readonly messageId?: number | undefined;
  /** Told when there is a placeholder: it must not be left behind by a crash. */
  readonly onPlaced: (messageId: number) => Promise<void>;
  /** @default {@link editGapMs} */
  readonly gapMs?: (framesSent: number) => number;
}

/** A group takes 20 messages a minute, edits among them: quick at first, while somebody waits for the first words. */
export const editGapMs = (framesSent: number): number =>
  framesSent <= 4 ? 1_200 : framesSent <= 10 ? 3_000 : 6_000;

/** Groups know no drafts: a message with a Stop button that is edited. */
export class EditScreen implements Screen {
  readonly #options: EditScreenOptions;
  readonly #pacer: Pacer;
  readonly #markdown = new GrowingMarkdown();
  #format: Format;
  #messageId: number | undefined;

  constructor(options: EditScreenOptions) {
    this.#options = options;
    this.#format = options.formats.best;
    this.#messageId = options.messageId;
    const { clock, gapMs = editGapMs } = options;
    this.#pacer = new Pacer({ clock, gapMs, send: (text) => this.#send(text) });
  }

  /** The message that grows, once there is one. */
  get messageId(): number | undefined {
    return this.#messageId;
  }

  show(text: string): void {
    this.#pacer.show(text);
  }

  async end(): Promise<void> {
    await this.#pacer.end();
  }

  async #send(text: string): Promise<FrameResult> {
    const { api, place, placeholder, replyTo, buttons } = this.#options;
    const limits = this.#format === "rich" ? richLimits : textLimits;
    const blocks = splitBlocks(this.#markdown.read(text), limits).at(-1) ?? [
      { type: "paragraph" as const, text: placeholder },
    ];
    try {
      const edit = this.#messageId;
      const id = await sendMessage(api, {
        ...place,
        format: this.#format,
        blocks,
        buttons,
        ...(edit === undefined ? { replyTo } : { edit }),
      });
      if (edit === undefined) await this.#options.onPlaced(id);
      this.#messageId = id;
      return shown;
    } catch (error) {
      return this.#refused(error);
    }
  }

  #refused(error: unknown): FrameResult {
    const { log } = this.#options;
    const refusal = readRefusal(error);
    log.debug({ err: error, refusal: refusal.kind }, "a frame was not shown");
    switch (refusal.kind) {
      case "later":
        return { pauseMs: refusal.waitMs, again: true };
      case "unreachable":
        return { pauseMs: 2_000, again: true };
      case "same":
        return shown;
      case "edit":
        this.#messageId = undefined;
        return { pauseMs: 0, again: true };
      case "unsupported":
      case "format": {
        if (refusal.kind === "unsupported" && this.#format === "rich") this.#options.formats.withoutRich();
        const next = FormatSupport.after(this.#format);
        if (next === undefined) return invisible;
        this.#format = next;
        return { pauseMs: 0, again: true };
      }
      default:
        return invisible;
    }
  }
}
