import { type Format, formats } from "../markdown/message-format.ts";

/** What this Bot API server can show: a self-hosted one may be older than rich messages. */
export class FormatSupport {
  #best: Format = "rich";

  get best(): Format {
    return this.#best;
  }

  /** The server does not know rich messages at all: nobody asks it again. */
  withoutRich(): void {
    this.#best = "entities";
  }

  /** What to try after `format` was refused. */
  static after(format: Format): Format | undefined {
    return formats[formats.indexOf(format) + 1];
  }
}
