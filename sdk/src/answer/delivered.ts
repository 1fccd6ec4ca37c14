import { unitsToNano } from "@bombyx/protocol/receipt";
import type { AnswerDelta } from "@bombyx/protocol/wire";
import type { Session } from "../session/session.ts";

type Counts = Readonly<
  Record<"promptTokens" | "cachedTokens" | "completionTokens" | "reasoningTokens", number>
>;

/** What the caller has been given so far, over all attempts, and what it cost. */
export class Delivered {
  #text = "";
  #reasoning = false;
  #whole = false;
  #counts: Counts | undefined;
  #units = 0;
  #nano = 0n;

  add(delta: AnswerDelta): void {
    if ("text" in delta) this.#text += delta.text;
    else if ("reasoning" in delta) this.#reasoning = true;
    else this.#whole = true;
  }

  get text(): string {
    return this.#text;
  }

  get any(): boolean {
    return this.#text !== "" || this.#reasoning || this.#whole;
  }

  /** Reasoning was shown: a later attempt's reasoning is not shown on top of it. */
  get reasoning(): boolean {
    return this.#reasoning;
  }

  /** Part of something that only makes sense whole was delivered: a tool call, an embedding. */
  get partOfWhole(): boolean {
    return this.#whole;
  }

  /** The caller throws away what it has; what it cost stays. */
  restart(): void {
    this.#text = "";
    this.#reasoning = false;
    this.#whole = false;
  }

  /** Adds an attempt's counts: prompt as first counted, output as a sum. */
  charge(counts: Counts, units: number, session: Session): void {
    const before = this.#counts;
    this.#counts = {
      promptTokens: before?.promptTokens ?? counts.promptTokens,
      cachedTokens: before?.cachedTokens ?? counts.cachedTokens,
      completionTokens: (before?.completionTokens ?? 0) + counts.completionTokens,
      reasoningTokens: (before?.reasoningTokens ?? 0) + counts.reasoningTokens,
    };
    this.#units += units;
    this.#nano += unitsToNano(units, session.price);
  }

  get counts(): Counts {
    return this.#counts ?? { promptTokens: 0, cachedTokens: 0, completionTokens: 0, reasoningTokens: 0 };
  }

  get units(): number {
    return this.#units;
  }

  get nano(): bigint {
    return this.#nano;
  }
}
