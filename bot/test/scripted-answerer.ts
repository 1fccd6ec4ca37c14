import type { Answerer, Ending, ModelOffer, Question } from "../src/conversation/answerer.ts";

export type Script = (question: Question) => AsyncGenerator<string, Ending | undefined, undefined>;

const ended: Ending = { reason: "stop", simulated: false };

/** A model that says what the test wrote; an aborted question ends as the sdk's does. */
export class ScriptedAnswerer implements Answerer {
  openTier = false;
  readonly questions: Question[] = [];
  readonly prepared: Pick<Question, "model" | "userId" | "seat">[] = [];
  offers: readonly ModelOffer[] = [
    { id: "spark", contextTokens: 1_024, nodes: 2 },
    { id: "llama-3.2-1b", contextTokens: 8_192, nodes: 1 },
  ];
  script: Script = async function* ({ messages }) {
    yield "You asked: ";
    yield messages.at(-1)?.content ?? "";
    return undefined;
  };

  async models(): Promise<readonly ModelOffer[]> {
    return this.offers;
  }

  async *answer(question: Question): AsyncGenerator<string, Ending, undefined> {
    this.questions.push(question);
    const aborted = Promise.withResolvers<never>();
    aborted.promise.catch(() => undefined);
    question.signal.addEventListener("abort", () => aborted.reject(question.signal.reason));
    question.signal.throwIfAborted();
    const pieces = this.script(question);
    for (;;) {
      const next = await Promise.race([pieces.next(), aborted.promise]);
      if (next.done) return next.value ?? ended;
      yield next.value;
    }
  }

  prepare(seat: Pick<Question, "model" | "userId" | "seat">): void {
    this.prepared.push(seat);
  }

  close(): void {}

  /** The questions' words, last message of each. */
  get asked(): string[] {
    return this.questions.map(({ messages }) => messages.at(-1)?.content ?? "");
  }
}

/** Says the pieces, then waits until the test lets it end. */
export function heldScript(...pieces: readonly string[]): {
  script: Script;
  release: (rest?: string) => void;
} {
  const { promise, resolve } = Promise.withResolvers<string>();
  return {
    async *script() {
      yield* pieces;
      yield await promise;
      return undefined;
    },
    release: (rest = "") => resolve(rest),
  };
}
