import { BombyxError } from "@bombyx/protocol/wire";
import type { ChatHistoryItem, ChatModelFunctionCall } from "node-llama-cpp";
import type { ChatMessage } from "../engine.ts";

type ModelResponse = Extract<ChatHistoryItem, { type: "model" }>["response"];

/**
 * OpenAI's messages as the history that node-llama-cpp's chat wrappers render. A tool's result joins
 * the call it answers; the history ends with the response that is to be generated.
 * @throws BombyxError BAD_REQUEST when a tool message answers no call.
 */
export function chatHistory(messages: readonly ChatMessage[]): ChatHistoryItem[] {
  const history: ChatHistoryItem[] = [];
  const calls = new Map<string, ChatModelFunctionCall>();
  const response = (): ModelResponse => {
    const last = history.at(-1);
    if (last?.type === "model") return last.response;
    const started: ModelResponse = [];
    history.push({ type: "model", response: started });
    return started;
  };
  for (const message of messages) {
    if (message.role === "system") {
      history.push({ type: "system", text: message.content });
    } else if (message.role === "user") {
      history.push({ type: "user", text: message.content });
    } else if (message.role === "assistant") {
      const parts = response();
      if (message.content !== "") parts.push(message.content);
      for (const call of message.toolCalls ?? []) {
        const part: ChatModelFunctionCall = {
          type: "functionCall",
          name: call.name,
          params: parsed(call.arguments),
          result: undefined,
        };
        parts.push(part);
        calls.set(call.id, part);
      }
    } else {
      const call = calls.get(message.toolCallId ?? "");
      if (call === undefined) {
        throw new BombyxError(
          "BAD_REQUEST",
          `A tool message names tool_call_id "${message.toolCallId ?? ""}", which no earlier assistant message called. Put the call before its result.`,
          { field: "messages" },
        );
      }
      call.result = parsed(message.content);
    }
  }
  const last = history.at(-1);
  const answersTools = last?.type === "model" && messages.at(-1)?.role === "tool";
  if (!answersTools) history.push({ type: "model", response: [] });
  return history;
}

/** Arguments and results are JSON by convention; what is not stays text. */
function parsed(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
