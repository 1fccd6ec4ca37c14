/** Where a person sees an answer grow. It never throws: a frame that cannot be shown is left out. */
export interface Screen {
  /** The whole text so far; "" shows that the bot is thinking. */
  show(text: string): void;
  /** Resolves when nothing is on its way any more, so that the final message comes last. */
  end(): Promise<void>;
}
