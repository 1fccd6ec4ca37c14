import type { AnswerEvent } from "../answer/answer.ts";
import type { Completion, CompletionChunk } from "./completion-types.ts";
import { extensionOf, type Letterhead, usageOf } from "./render.ts";

/** A plain completion as OpenAI's chunks. */
export async function* completionChunks(
  events: AsyncIterable<AnswerEvent>,
  { id, created, model }: Letterhead,
  includeUsage: boolean,
): AsyncGenerator<CompletionChunk> {
  const chunk = (choices: CompletionChunk["choices"]): CompletionChunk => ({
    id: `cmpl-${id}`,
    object: "text_completion",
    created,
    model,
    choices,
    ...(includeUsage && { usage: null }),
  });
  const choice = (text: string, finish_reason: "stop" | "length" | "tool_calls" | null = null) =>
    chunk([{ index: 0, text, finish_reason, logprobs: null }]);
  for await (const event of events) {
    if (event.type === "accepted") yield choice("");
    else if (event.type === "delta" && "text" in event.delta) yield choice(event.delta.text);
    else if (event.type === "done") {
      yield { ...choice("", event.summary.finishReason), bombyx: extensionOf(event.summary) };
      if (includeUsage) yield { ...chunk([]), usage: usageOf(event.summary) };
    }
  }
}

/** The whole completion as one object. */
export async function completion(
  events: AsyncIterable<AnswerEvent>,
  { id, created, model }: Letterhead,
): Promise<Completion> {
  let text = "";
  for await (const event of events) {
    if (event.type === "delta" && "text" in event.delta) text += event.delta.text;
    else if (event.type === "restart") text = "";
    else if (event.type === "done") {
      return {
        id: `cmpl-${id}`,
        object: "text_completion",
        created,
        model,
        choices: [{ index: 0, text, finish_reason: event.summary.finishReason, logprobs: null }],
        usage: usageOf(event.summary),
        bombyx: extensionOf(event.summary),
      };
    }
  }
  throw new RangeError("an answer ends with done or an error");
}
