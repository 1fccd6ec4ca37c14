/** One message of a conversation, as models know it. */
export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

export interface Question {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly maxTokens: number;
  /** Telegram id of who asks: whose account pays. */
  readonly userId: number;
  /** Chat and topic: with the person, the session that the question is sealed in. */
  readonly seat: string;
  readonly signal: AbortSignal;
}

export interface Ending {
  readonly reason: "stop" | "length";
  /** The client's own verdict: the hardware was simulated, so nothing was protected. */
  readonly simulated: boolean;
}

export interface ModelOffer {
  readonly id: string;
  readonly contextTokens: number;
  /** Machines that serve it now. */
  readonly nodes: number;
}

/** Who answers: the network through the sdk, or in tests a script. */
export interface Answerer {
  /** Whoever runs the machine that answers can read: every text of the bot that says otherwise has another form. */
  readonly openTier: boolean;
  models(signal?: AbortSignal): Promise<readonly ModelOffer[]>;
  /**
   * Yields the answer piece by piece, then returns how it ended.
   * @throws BombyxError with a stable code; AttestationError when no machine could prove itself.
   */
  answer(question: Question): AsyncGenerator<string, Ending, undefined>;
  /** A person is about to ask: opens their session ahead. Never throws. */
  prepare(seat: Pick<Question, "model" | "userId" | "seat">): void;
  close(): void;
}
