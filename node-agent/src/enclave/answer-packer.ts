import { type AnswerDelta, utf8 } from "@bombyx/protocol/wire";
import type { EngineCounts } from "../engine/engine.ts";

interface Pending {
  readonly delta: AnswerDelta;
  readonly counts: EngineCounts;
}

/** A piece of the answer's JSON lines that fits one frame. */
export interface Piece {
  readonly bytes: Uint8Array;
  /** Counts behind the last line that ends in this piece; absent when none does. */
  readonly counts?: EngineCounts;
}

const lineOf = (delta: AnswerDelta): Uint8Array<ArrayBuffer> => utf8(`${JSON.stringify(delta)}\n`);

/** Two deltas as one line, when they continue each other. */
function joined(first: AnswerDelta, second: AnswerDelta): AnswerDelta | undefined {
  if ("text" in first && "text" in second) return { text: first.text + second.text };
  if ("reasoning" in first && "reasoning" in second) return { reasoning: first.reasoning + second.reasoning };
  if (
    "toolCall" in first &&
    "toolCall" in second &&
    first.toolCall.index === second.toolCall.index &&
    second.toolCall.id === undefined &&
    second.toolCall.name === undefined
  ) {
    return {
      toolCall: { ...first.toolCall, arguments: first.toolCall.arguments + second.toolCall.arguments },
    };
  }
  return undefined;
}

/**
 * Turns deltas into the JSON lines of answer frames. Deltas that wait together share a line, and a
 * line is cut across frames only when it fits in none, so that what a client holds is usable.
 */
export class AnswerPacker {
  readonly #pending: Pending[] = [];
  #pendingBytes = 0;
  /** Rest of a line that is longer than a frame. */
  #rest: { bytes: Uint8Array; counts: EngineCounts } | undefined;

  push(delta: AnswerDelta, counts: EngineCounts): void {
    this.#pending.push({ delta, counts });
    this.#pendingBytes += lineOf(delta).length;
  }

  get empty(): boolean {
    return this.#pending.length === 0 && this.#rest === undefined;
  }

  /** About how many bytes wait; an upper bound, since lines are joined later. */
  get waitingBytes(): number {
    return this.#pendingBytes + (this.#rest?.bytes.length ?? 0);
  }

  /** The next at most `capacity` bytes, or `undefined` when nothing waits. */
  take(capacity: number): Piece | undefined {
    if (this.#rest) return this.#takeRest(capacity);
    let bytes = new Uint8Array(0);
    let counts: EngineCounts | undefined;
    for (;;) {
      const line = this.#takeLine(capacity - bytes.length, bytes.length === 0);
      if (!line) break;
      if (line.bytes.length > capacity) {
        this.#rest = line;
        return this.#takeRest(capacity);
      }
      const longer = new Uint8Array(bytes.length + line.bytes.length);
      longer.set(bytes);
      longer.set(line.bytes, bytes.length);
      bytes = longer;
      counts = line.counts;
    }
    return counts && { bytes, counts };
  }

  #takeRest(capacity: number): Piece | undefined {
    const rest = this.#rest;
    if (!rest) return undefined;
    const bytes = rest.bytes.subarray(0, capacity);
    const left = rest.bytes.subarray(capacity);
    this.#rest = left.length > 0 ? { bytes: left, counts: rest.counts } : undefined;
    return this.#rest ? { bytes } : { bytes, counts: rest.counts };
  }

  /** Joins as many deltas into a line as fit in `room`; one that fits no frame comes alone. */
  #takeLine(room: number, frameIsEmpty: boolean): { bytes: Uint8Array; counts: EngineCounts } | undefined {
    const first = this.#pending[0];
    if (!first) return undefined;
    let delta = first.delta;
    let bytes = lineOf(delta);
    if (bytes.length > room && !frameIsEmpty) return undefined;
    let counts = first.counts;
    let taken = 1;
    for (;;) {
      const next = this.#pending[taken];
      const longer = next && joined(delta, next.delta);
      const line = longer && lineOf(longer);
      if (!next || !longer || !line || line.length > room) break;
      delta = longer;
      bytes = line;
      counts = next.counts;
      taken++;
    }
    for (const { delta: done } of this.#pending.splice(0, taken)) this.#pendingBytes -= lineOf(done).length;
    return { bytes, counts };
  }
}
