import type { MessageEntity } from "@grammyjs/types";
import { badRequest } from "../api-error.ts";
import { type FormattedText, sortEntities } from "./formatted-text.ts";
import { dateEntity, linkEntity } from "./links.ts";

type Kind =
  | "Bold"
  | "Italic"
  | "Underline"
  | "Strikethrough"
  | "Spoiler"
  | "Code"
  | "Pre"
  | "PreCode"
  | "TextUrl"
  | "CustomEmoji"
  | "BlockQuote";

interface Open {
  readonly kind: Kind;
  readonly language?: string;
  /** UTF-16 offset in the result. */
  readonly offset: number;
  /** Where the markup stands in the source. */
  readonly begin: number;
}

const RESERVED = "_*[]()~`>#+-=|{}.!\n";
const SIMPLE = {
  Bold: "bold",
  Italic: "italic",
  Underline: "underline",
  Strikethrough: "strikethrough",
  Spoiler: "spoiler",
  Code: "code",
  Pre: "pre",
} as const;

/**
 * `parse_mode: "MarkdownV2"` as Telegram reads it: a reserved character that is neither escaped nor markup is an error.
 * @see https://core.telegram.org/bots/api#markdownv2-style
 * @throws BotApiError 400 `can't parse entities: …` with the byte offset of the fault.
 */
export function parseMarkdownV2(source: string): FormattedText {
  return new MarkdownV2(source).parse();
}

class MarkdownV2 {
  readonly source: string;
  readonly entities: MessageEntity[] = [];
  readonly open: Open[] = [];
  text = "";
  i = 0;
  inQuote = false;
  /** A quotation may start here: at the beginning of a line. */
  atLineStart = true;

  constructor(source: string) {
    this.source = source;
  }

  parse(): FormattedText {
    while (this.i < this.source.length) this.step();
    if (this.inQuote) this.endQuote(this.source.length, false);
    const unclosed = this.open.at(-1);
    if (unclosed) throw this.unclosed(unclosed);
    return { text: this.text, entities: sortEntities(this.entities) };
  }

  private step(): void {
    const { source, i } = this;
    const character = source.charAt(i);
    const next = source.charCodeAt(i + 1);
    if (character === "\\" && next > 0 && next <= 126) {
      this.put(source.charAt(i + 1));
      this.i += 2;
      return;
    }
    const inCode = ["Code", "Pre", "PreCode"].includes(this.open.at(-1)?.kind ?? "");
    if (!(inCode ? "`" : RESERVED).includes(character)) {
      this.put(character);
      this.i += 1;
      return;
    }
    const innermost = this.open.at(-1);
    if (this.inQuote && character === "\n" && source[i + 1] !== ">") this.endQuote(i, true);
    else if (innermost && this.closes(innermost)) this.end(innermost);
    else this.begin(character);
  }

  private put(character: string): void {
    this.text += character;
    if (character !== "\r") this.atLineStart = character === "\n";
  }

  private has(markup: string): boolean {
    return this.source.startsWith(markup, this.i);
  }

  private closes({ kind }: Open): boolean {
    switch (kind) {
      case "Bold":
        return this.has("*");
      case "Italic":
        return this.has("_") && !this.has("__");
      case "Underline":
        return this.has("__");
      case "Strikethrough":
        return this.has("~");
      case "Spoiler":
        return this.has("||");
      case "Code":
        return this.has("`");
      case "Pre":
      case "PreCode":
        return this.has("```");
      case "TextUrl":
      case "CustomEmoji":
        return this.has("]");
      case "BlockQuote":
        return false;
    }
  }

  private begin(character: string): void {
    const begin = this.i;
    const start = (kind: Kind, markup: string, language?: string) => {
      this.i = begin + markup.length;
      this.open.push({ kind, begin, offset: this.text.length, ...(language !== undefined && { language }) });
    };
    if (character === "\n") {
      this.put("\n");
      this.i += 1;
    } else if (this.has("__")) start("Underline", "__");
    else if (character === "_") start("Italic", "_");
    else if (character === "*") start("Bold", "*");
    else if (character === "~") start("Strikethrough", "~");
    else if (this.has("||")) start("Spoiler", "||");
    else if (character === "[") start("TextUrl", "[");
    else if (this.has("![")) start("CustomEmoji", "![");
    else if (this.has("```")) {
      const language = /^```([^\s`]+)(?=\s)/.exec(this.source.slice(begin))?.[1];
      start(language === undefined ? "Pre" : "PreCode", `\`\`\`${language ?? ""}`, language);
      this.i += /^(\r\n|\n\r|\n|\r)?/.exec(this.source.slice(this.i))?.[0].length ?? 0;
    } else if (character === "`") start("Code", "`");
    else if (character === ">" && this.atLineStart) {
      if (this.inQuote) this.i += 1;
      else start("BlockQuote", ">");
      this.inQuote = true;
    } else {
      throw badRequest(
        `can't parse entities: Character '${character}' is reserved and must be escaped with the preceding '\\'`,
      );
    }
  }

  private end(entity: Open): void {
    const place = { offset: entity.offset, length: this.text.length - entity.offset };
    const isEmpty = place.length === 0;
    this.open.pop();
    switch (entity.kind) {
      case "TextUrl": {
        this.i += 1;
        const url = this.has("(") ? this.url() : this.text.slice(entity.offset);
        const link = linkEntity(url, place);
        if (link && !isEmpty) this.entities.push(link);
        return;
      }
      case "CustomEmoji": {
        this.i += 1;
        if (!this.has("("))
          throw badRequest("can't parse entities: The entity must contain a tg://emoji or tg://time URL");
        const url = this.url();
        const id = /^tg:\/\/emoji\?id=(\d{1,19})$/.exec(url)?.[1];
        const [, unix, format] = /^tg:\/\/time\?unix=(\d{1,10})(?:&format=(\w*))?$/.exec(url) ?? [];
        const entity: MessageEntity | undefined =
          id === undefined
            ? dateEntity({ unix, format }, place)
            : { type: "custom_emoji", custom_emoji_id: id, ...place };
        if (!entity) throw badRequest("can't parse entities: Invalid tg://emoji or tg://time URL specified");
        if (!isEmpty) this.entities.push(entity);
        return;
      }
      case "PreCode":
        this.i += 3;
        if (!isEmpty) this.entities.push({ type: "pre", language: entity.language ?? "", ...place });
        return;
      case "BlockQuote":
        return;
      default:
        this.i += { Underline: 2, Spoiler: 2, Pre: 3 }[entity.kind as string] ?? 1;
        if (!isEmpty) this.entities.push({ type: SIMPLE[entity.kind], ...place });
    }
  }

  /** `(…)` after a link's text. */
  private url(): string {
    const begin = this.i + 1;
    let url = "";
    for (let at = begin; at < this.source.length; at += 1) {
      const character = this.source.charAt(at);
      if (character === ")") {
        this.i = at + 1;
        return url;
      }
      if (character === "\\" && at + 1 < this.source.length) at += 1;
      url += this.source.charAt(at);
    }
    throw badRequest(
      `can't parse entities: Can't find end of a URL at byte offset ${this.byteOffset(begin)}`,
    );
  }

  /** A quotation ends with its last line; `||` there makes it expandable. */
  private endQuote(lineEnd: number, hasNewline: boolean): void {
    let type: "blockquote" | "expandable_blockquote" = "blockquote";
    const last = this.open.at(-1);
    const carriageReturn = this.source[lineEnd - 1] === "\r" ? 1 : 0;
    if (last?.kind === "Spoiler" && last.begin === lineEnd - 2 - carriageReturn) {
      this.open.pop();
      type = "expandable_blockquote";
    }
    const quote = this.open.at(-1);
    if (quote === undefined) return;
    if (quote.kind !== "BlockQuote") throw this.unclosed(quote);
    this.open.pop();
    this.inQuote = false;
    if (hasNewline) {
      this.put("\n");
      this.i = lineEnd + 1;
    }
    const length = this.text.length - quote.offset;
    if (length > 0) this.entities.push({ type, offset: quote.offset, length });
  }

  private unclosed({ kind, begin }: Open) {
    return badRequest(
      `can't parse entities: Can't find end of ${kind} entity at byte offset ${this.byteOffset(begin)}`,
    );
  }

  private byteOffset(index: number): number {
    return Buffer.byteLength(this.source.slice(0, index));
  }
}
