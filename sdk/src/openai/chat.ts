import type { AnswerDelta } from "@bombyx/protocol/wire";
import type { AnswerEvent } from "../answer/answer.ts";
import type { ChatCompletion, ChatCompletionChunk, ToolCall } from "./chat-types.ts";
import { extensionOf, type Letterhead, usageOf } from "./render.ts";

type ChunkDelta = ChatCompletionChunk["choices"][number]["delta"];

/** An answer as OpenAI's chunks: role, deltas, finish reason, and usage when asked for. */
export async function* chatChunks(
  events: AsyncIterable<AnswerEvent>,
  { id, created, model }: Letterhead,
  includeUsage: boolean,
): AsyncGenerator<ChatCompletionChunk> {
  const chunk = (choices: ChatCompletionChunk["choices"]): ChatCompletionChunk => ({
    id: `chatcmpl-${id}`,
    object: "chat.completion.chunk",
    created,
    model,
    choices,
    ...(includeUsage && { usage: null }),
  });
  const choice = (delta: ChunkDelta, finish_reason: "stop" | "length" | "tool_calls" | null = null) =>
    chunk([{ index: 0, delta, finish_reason, logprobs: null }]);
  for await (const event of events) {
    if (event.type === "accepted") yield choice({ role: "assistant", content: "" });
    else if (event.type === "delta") {
      const delta = chunkDelta(event.delta);
      if (delta) yield choice(delta);
    } else if (event.type === "done") {
      yield { ...choice({}, event.summary.finishReason), bombyx: extensionOf(event.summary) };
      if (includeUsage) yield { ...chunk([]), usage: usageOf(event.summary) };
    }
  }
}

/** The whole answer as one object. */
export async function chatCompletion(
  events: AsyncIterable<AnswerEvent>,
  { id, created, model }: Letterhead,
): Promise<ChatCompletion> {
  let message = new Collected();
  for await (const event of events) {
    if (event.type === "delta") message.add(event.delta);
    else if (event.type === "restart") message = new Collected();
    else if (event.type === "done") {
      return {
        id: `chatcmpl-${id}`,
        object: "chat.completion",
        created,
        model,
        choices: [
          {
            index: 0,
            message: message.toMessage(),
            finish_reason: event.summary.finishReason,
            logprobs: null,
          },
        ],
        usage: usageOf(event.summary),
        bombyx: extensionOf(event.summary),
      };
    }
  }
  throw new RangeError("an answer ends with done or an error");
}

function chunkDelta(delta: AnswerDelta): ChunkDelta | undefined {
  if ("text" in delta) return { content: delta.text };
  if ("reasoning" in delta) return { reasoning_content: delta.reasoning };
  if (!("toolCall" in delta)) return undefined;
  const { index, id, name, arguments: text } = delta.toolCall;
  return {
    tool_calls: [
      {
        index,
        ...(id !== undefined && { id, type: "function" as const }),
        function: { ...(name !== undefined && { name }), arguments: text },
      },
    ],
  };
}

class Collected {
  #text: string | undefined;
  #reasoning: string | undefined;
  readonly #calls: ToolCall[] = [];

  add(delta: AnswerDelta): void {
    if ("text" in delta) this.#text = (this.#text ?? "") + delta.text;
    else if ("reasoning" in delta) this.#reasoning = (this.#reasoning ?? "") + delta.reasoning;
    else if ("toolCall" in delta) {
      const { index, id, name, arguments: text } = delta.toolCall;
      const call = this.#calls[index] ?? { id: "", type: "function", function: { name: "", arguments: "" } };
      this.#calls[index] = call;
      if (id !== undefined) call.id = id;
      if (name !== undefined) call.function.name = name;
      call.function.arguments += text;
    }
  }

  toMessage(): ChatCompletion["choices"][0]["message"] {
    const calls = this.#calls.filter(Boolean);
    return {
      role: "assistant",
      content: this.#text ?? (calls.length > 0 ? null : ""),
      refusal: null,
      ...(this.#reasoning !== undefined && { reasoning_content: this.#reasoning }),
      ...(calls.length > 0 && { tool_calls: calls }),
    };
  }
}
